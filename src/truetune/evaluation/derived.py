"""Columns that files need not have: slices by what every text has, its length and its language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.text import script

LENGTH, LANGUAGE = "length", "language"
NAMES = (LENGTH, LANGUAGE)
TEXTS = ("text", "first", "second", "question", "context", "source")
"""Columns whose values are the text of an example."""
STEPS = (10, 20, 50, 100, 200, 500, 1000)
"""Lengths in characters at which slices end, the same for all data, so that parts of it fall into the same slices."""


def derived(name: str, columns: Mapping[str, Sequence[Any]]) -> list[str] | None:
    """Return a derived column of examples; None for another name, or where there is no text to derive it from."""
    if name not in NAMES:
        return None
    texts = texts_of(columns)
    if texts is None:
        return None
    return [length_slice(len(text)) if name == LENGTH else script([text]) for text in texts]


def texts_of(columns: Mapping[str, Sequence[Any]]) -> list[str] | None:
    """Return the text of each example, several of them on lines of their own; None where no column is one."""
    there = [columns[name] for name in TEXTS if name in columns]
    if not there:
        return None
    return ["\n".join(str(one) for one in row if one is not None) for row in zip(*there, strict=True)]


def length_slice(length: int) -> str:
    """Return the slice of a length in characters; the names sort as the lengths do."""
    low = 0
    for high in STEPS:
        if length <= high:
            return f"{low:04d}-{high:04d}"
        low = high + 1
    return f"{low:04d}-"
