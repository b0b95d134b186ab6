"""Plain lines: a text a line, or a label and a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path

from truetune.data.encoding import opened
from truetune.data.formats.tables import first_row_is_an_example
from truetune.data.record import Record

_FASTTEXT = "__label__"
_KINDS = (
    ("label-text", re.compile(r"(__label__\S+|\d{1,3}|[A-Z]{2,}:\S+)\s+\S.*")),
    ("text-label", re.compile(r" *[^\t\s][^\t]*\t([^\t]{1,40})")),
    ("label-text", re.compile(r"([^\t\s]{1,40})\t *[^\t\s][^\t]*")),
)
"""What lines with a label look like, the surest first."""
_FEW = 20
"""Lines from which on labels are told from other first or last words by standing again and again."""


def read_lines(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield every line as `text`, empty ones too: line n answers line n of another file."""
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            yield Record(f"{path}:{number}", {"text": line.removesuffix("\n")})


def read_paragraphs(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield what stands between empty lines as `text`."""
    with opened(path, encoding) as file:
        lines: list[str] = []
        begin = 1
        for number, line in enumerate(chain(file, ("\n",)), start=1):
            if line.strip():
                begin = begin if lines else number
                lines.append(line.removesuffix("\n"))
            elif lines:
                yield Record(f"{path}:{begin}", {"text": "\n".join(lines)})
                lines = []


def read_label_first(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield lines `label text`, separated by a tab, else by a space.

    Labels that fastText marks with `__label__` may be several; they are then `labels`.
    """
    return _labelled(path, encoding, lambda line: line.split("\t" if "\t" in line else None, 1))


def read_label_last(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield lines `text<tab>label`."""
    return _labelled(path, encoding, lambda line: line.rsplit("\t", 1)[::-1])


def line_kind(sample: Sequence[str]) -> str:
    """Return the format that the first lines of a file have, by their look.

    `label-text` or `text-label` where a few labels stand again and again; `tsv` or `tsv-rows` where all
    lines have the same number of tabs; else `lines`.
    """
    kept = [line for line in sample if line.strip()]
    for kind, pattern in _KINDS:
        matches = [pattern.fullmatch(line) for line in kept]
        labels = {match[1] for match in matches if match}
        if matches and all(matches) and (len(kept) < _FEW or len(labels) <= len(kept) / 4):
            return kind
    tabs = {line.count("\t") for line in kept}
    if len(tabs) == 1 and tabs != {0}:
        return "tsv-rows" if first_row_is_an_example([line.split("\t") for line in kept]) else "tsv"
    return "lines"


def _labelled(path: Path, encoding: str | None, cut: Callable[[str], list[str]]) -> Iterator[Record]:
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if not line.strip():
                continue
            parts = [part.strip() for part in cut(line.rstrip("\n"))]
            if len(parts) != 2 or not all(parts):
                yield Record(f"{path}:{number}", {}, f"expected a label and a text, found {line.strip()[:60]!r}")
            else:
                yield Record(f"{path}:{number}", _fields(*parts))


def _fields(label: str, text: str) -> dict[str, object]:
    labels = [label.removeprefix(_FASTTEXT)]
    while label.startswith(_FASTTEXT) and text.startswith(_FASTTEXT):
        another, _, text = text.partition(" ")
        labels.append(another.removeprefix(_FASTTEXT))
    return {"text": text.strip(), "label": labels[0]} if len(labels) == 1 else {"text": text.strip(), "labels": labels}
