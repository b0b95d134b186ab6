"""Texts and offsets put right where it is certain what was meant; what is not certain is left as it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from truetune.audit.mentions import places_of
from truetune.audit.texts import CONTROL, INVISIBLE, TWICE
from truetune.types import Ints, Span

Edit = tuple[int, int, str]
"""Start, end, and what stands there instead."""
_BYTES = re.compile("[\x80-\xff€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ]+")
"""What cp1252 or latin-1 show for bytes above 127."""
_JAMO = ("\u1100", "\u11ff")


@dataclass(frozen=True)
class Repaired:
    """A text, what was done to it, and where its old places are now."""

    text: str
    done: tuple[str, ...]
    starts: Ints
    """`[old characters + 1]`, the new place of each old one; inside of what was replaced, its begin."""
    ends: Ints
    """The same; inside of what was replaced, its end."""

    def span(self, span: Span) -> Span:
        """Return a span at its new place; one outside the text stays as it is."""
        if not 0 <= span.start <= span.end < len(self.starts):
            return span
        return Span(int(self.starts[span.start]), int(self.ends[span.end]), span.type)

    def place(self, start: int) -> int:
        """Return the new place of an old one; one outside the text stays as it is."""
        return int(self.starts[start]) if 0 <= start < len(self.starts) else start


def repaired(text: str) -> Repaired:
    """Return a text without faults of encoding: UTF-8 read as another one, controls, unseen or split characters.

    What would leave nothing of a text is not done.
    """
    every = np.arange(len(text) + 1)
    found = Repaired(text, (), every, every)
    if text.isascii() and text.isprintable():
        return found
    for name, edits_of in STEPS:
        edits = list(edits_of(found.text))
        if edits:
            after, starts, ends = _edited(found.text, edits)
            if after.strip():
                found = Repaired(after, (*found.done, name), starts[found.starts], ends[found.ends])
    return found


def trimmed(text: str, spans: Sequence[Span]) -> list[Span]:
    """Return spans without white space at their borders, each once; one of nothing but white space stays."""
    found: list[Span] = []
    for span in spans:
        inside = text[span.start : span.end] if 0 <= span.start < span.end <= len(text) else ""
        if inside.strip() and inside != inside.strip():
            start = span.start + len(inside) - len(inside.lstrip())
            span = Span(start, start + len(inside.strip()), span.type)
        if span not in found:
            found.append(span)
    return found


def found_again(text: str, mentions: Sequence[tuple[int, str]]) -> list[int]:
    """Return where each answer begins: where it is said to, or the one place where it stands; else as it was."""
    return [_place(text, start, said) for start, said in mentions]


def _place(text: str, start: int, said: str) -> int:
    if not said or (start >= 0 and text[start : start + len(said)] == said):
        return start
    there = list(places_of(text, said))
    return there[0] if len(there) == 1 else start


def _twice(text: str) -> Iterator[Edit]:
    """UTF-8 that was read as cp1252 or latin-1: characters that, put back into bytes, are UTF-8 again."""
    if TWICE.search(text) is None:
        return
    for match in _BYTES.finditer(text):
        try:
            meant = b"".join(map(_byte, match[0])).decode("utf-8")
        except UnicodeError:
            continue
        if meant != match[0] and CONTROL.search(meant) is None:
            yield match.start(), match.end(), meant


def _byte(character: str) -> bytes:
    """Return the byte that cp1252 shows as a character, or latin-1 where cp1252 has none for it."""
    try:
        return character.encode("cp1252")
    except UnicodeError:
        return character.encode("latin-1")


def _controls(text: str) -> Iterator[Edit]:
    """Controls: those above 127 are signs of cp1252, where it has one; others are taken out."""
    for match in CONTROL.finditer(text):
        code = ord(match[0])
        sign = bytes([code]).decode("cp1252", "ignore") if code > 0x7F else ""
        yield match.start(), match.end(), sign


def _unseen(text: str) -> Iterator[Edit]:
    for match in INVISIBLE.finditer(text):
        yield match.start(), match.end(), ""


def _apart(text: str) -> Iterator[Edit]:
    """Characters and the marks on them, composed (NFC)."""
    if unicodedata.is_normalized("NFC", text):
        return
    start = 0
    for place in range(1, len(text) + 1):
        if place < len(text) and _goes_on(text[place - 1], text[place]):
            continue
        composed = unicodedata.normalize("NFC", text[start:place])
        if composed != text[start:place]:
            yield start, place, composed
        start = place


def _goes_on(before: str, character: str) -> bool:
    jamo = _JAMO[0] <= character <= _JAMO[1] and _JAMO[0] <= before <= _JAMO[1]
    return jamo or unicodedata.combining(character) != 0


STEPS: tuple[tuple[str, Callable[[str], Iterator[Edit]]], ...] = (
    ("text decoded as UTF-8", _twice),
    ("control characters taken out", _controls),
    ("invisible characters taken out", _unseen),
    ("characters composed", _apart),
)


def _edited(text: str, edits: Sequence[Edit]) -> tuple[str, Ints, Ints]:
    """Return a text with edits, which stand in order, and the new places of its old ones as starts and as ends."""
    starts, ends = np.zeros(len(text) + 1, dtype=np.int64), np.zeros(len(text) + 1, dtype=np.int64)
    parts: list[str] = []
    size = place = 0
    for start, end, instead in [*edits, (len(text), len(text), "")]:
        kept = np.arange(size, size + start - place)
        starts[place:start], ends[place:start] = kept, kept
        parts += [text[place:start], instead]
        size += start - place
        starts[start:end], ends[start:end] = size, size + len(instead)
        ends[start] = size
        size += len(instead)
        place = end
    starts[len(text)] = ends[len(text)] = size
    return "".join(parts), starts, ends
