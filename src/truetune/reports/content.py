"""What a page holds, free of markup: sections of paragraphs, tables, figures and examples.

Sections are made of these values; one template turns them into HTML.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from markupsafe import Markup

Tone = Literal["plain", "note", "warning", "missing"]


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A sentence or two; `missing` says why something is not on the page."""

    kind: ClassVar[str] = "paragraph"
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Cell:
    """What a table shows in one place: a text, a smaller one behind it, and a title under the pointer."""

    text: str
    small: str = ""
    title: str = ""
    css: str = ""
    bar: float | None = None
    """A share in [0, 1], drawn as a bar behind the text."""


@dataclass(frozen=True, slots=True)
class Column:
    """A table's column; numbers stand to the right with their digits aligned."""

    title: str
    numeric: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table for people, and the same rows for programs (`records`, unrounded)."""

    kind: ClassVar[str] = "table"
    name: str
    """The file name of the JSON download, without its ending."""
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    records: Sequence[Mapping[str, Any]]
    folded: str = ""
    """Where set, the table is folded away behind these words."""


@dataclass(frozen=True, slots=True)
class Figure:
    """A drawing with its title, how to read it, and the numbers that it was drawn from."""

    kind: ClassVar[str] = "figure"
    title: str
    drawing: Markup
    caption: str
    table: Table | None = None


@dataclass(frozen=True, slots=True)
class Beside:
    """Figures, or a figure and a table, that stand side by side where there is room."""

    kind: ClassVar[str] = "beside"
    parts: tuple[Figure | Table, ...]


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text; with a type it is a marked span."""

    text: str
    type: str = ""
    css: str = ""
    said: str = ""


@dataclass(frozen=True, slots=True)
class Reading:
    """A text as one side reads it, with its spans marked."""

    side: str
    pieces: tuple[Piece, ...]
    more: str = ""
    """What could not be marked in the line: overlapping spans, spans outside the excerpt."""


@dataclass(frozen=True, slots=True)
class Example:
    """One example with its texts, what is said of it, and where it stands."""

    place: str
    facts: tuple[tuple[str, Cell], ...]
    texts: tuple[tuple[str, str], ...] = ()
    """(name of the field, empty where there is only one; text)"""
    readings: tuple[Reading, ...] = ()


@dataclass(frozen=True, slots=True)
class Examples:
    """A list of examples under a heading of its own."""

    kind: ClassVar[str] = "examples"
    title: str
    items: tuple[Example, ...]
    table: Table
    """The same for programs; only its JSON is on the page."""


@dataclass(frozen=True, slots=True)
class Facts:
    """Names and values: the manifest's groups."""

    kind: ClassVar[str] = "facts"
    title: str
    items: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file shown as it is, folded."""

    kind: ClassVar[str] = "source"
    title: str
    text: str


Part = Paragraph | Table | Figure | Beside | Examples | Facts | Source


@dataclass(frozen=True, slots=True)
class Section:
    """A heading with its parts; `id` is what links to it name."""

    id: str
    title: str
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Head:
    """What stands first: what this is, the verdict, and the figure that shows it."""

    kicker: str
    title: str
    subtitle: str
    tone: str
    """CSS class of the statement: `better`, `worse`, `open` or `none`."""
    statement: str
    lines: tuple[str, ...]
    figure: Figure | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """All of it."""

    language: str
    head: Head
    sections: tuple[Section, ...]
    foot: str
