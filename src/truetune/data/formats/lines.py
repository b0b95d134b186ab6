"""Plain lines: a text a line, or a label and a text."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from truetune.data.encoding import text_of
from truetune.data.record import Record

_LABELLED = re.compile(r"(?:__label__\S+|\d{1,3}|[A-Z]{2,}:\S+)\s+\S")
_TEXT_TAB_LABEL = re.compile(r"[^\t]*\S[^\t]*\t[^\t\s]{1,40}")


def read_lines(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield every line as `text`, empty ones too: line n answers line n of another file."""
    for number, line in enumerate(_lines(path, encoding), start=1):
        yield Record(f"{path}:{number}", {"text": line})


def read_label_first(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield lines `label text`, separated by a tab or a space; fastText's `__label__` is taken off."""
    return _labelled(path, encoding, lambda line: line.split(maxsplit=1)[::-1])


def read_label_last(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield lines `text<tab>label`."""
    return _labelled(path, encoding, lambda line: line.rsplit("\t", 1))


def line_kind(sample: list[str]) -> str:
    """Return `label-text`, `text-label` or `lines` by the look of the first lines."""
    kept = [line for line in sample if line.strip()]
    if kept and all(_LABELLED.match(line) for line in kept):
        return "label-text"
    if kept and all(_TEXT_TAB_LABEL.fullmatch(line) for line in kept):
        return "text-label"
    return "lines"


def _labelled(path: Path, encoding: str | None, cut: Callable[[str], list[str]]) -> Iterator[Record]:
    for number, line in enumerate(_lines(path, encoding), start=1):
        if not line.strip():
            continue
        parts = cut(line)
        if len(parts) != 2:
            yield Record(f"{path}:{number}", {}, f"expected a label and a text, found {line[:60]!r}")
            continue
        text, label = parts
        yield Record(f"{path}:{number}", {"text": text.strip(), "label": label.strip().removeprefix("__label__")})


def _lines(path: Path, encoding: str | None) -> list[str]:
    lines = text_of(path, encoding).split("\n")
    return lines[:-1] if lines and not lines[-1] else lines
