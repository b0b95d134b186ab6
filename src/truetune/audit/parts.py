"""What the checks look at: the parts of a data set as plain columns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from truetune.text import normalised


@dataclass(frozen=True)
class AuditPart:
    """One part (train, validation, test, or all of a file that is not split yet)."""

    name: str
    ids: Sequence[str]
    texts: Sequence[Sequence[str]]
    """The text columns, each one text an example."""
    gold: Sequence[Any] | None
    """Labels, label sets or spans; None where there are none."""
    groups: Sequence[str] | None

    @cached_property
    def whole(self) -> list[str]:
        """All texts of each example as one."""
        return ["\n".join(texts) for texts in zip(*self.texts, strict=True)]

    @cached_property
    def keys(self) -> list[str]:
        """All texts of each example, normalised: case, width, spaces and punctuation do not tell them apart."""
        return ["\n".join(map(normalised, texts)) for texts in zip(*self.texts, strict=True)]


Parts = Mapping[str, AuditPart]


def shortened(text: str, characters: int = 60) -> str:
    """Return a text on one line, short enough for a list of examples."""
    line = " ".join(text.split())
    return line if len(line) <= characters else line[: characters - 1] + "…"
