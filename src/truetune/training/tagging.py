"""Spans as tags of units (words or pieces) and back, for baselines: codes in arrays, the best proper sequence."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from truetune.tags import IOB2, tags_to_spans
from truetune.types import Bools, Floats, Ints, Span

OUTSIDE = 0

AT_ONCE = 256
"""How many sentences are decoded together."""


class Units(NamedTuple):
    """The units of a text, in order, as character offsets."""

    starts: Ints
    """`[units]`"""
    ends: Ints
    """`[units]`, exclusive"""


@dataclass(frozen=True, slots=True)
class TagSet:
    """The IOB2 tags of some types; the code of a tag is its place: 0 is `O`, then B and I of each type."""

    types: tuple[str, ...]

    @property
    def tags(self) -> tuple[str, ...]:
        """Return the tags by code."""
        return ("O", *(f"{letter}-{name}" for name in self.types for letter in "BI"))

    @property
    def follows(self) -> Bools:
        """Return `[tags + 1, tags]`: which tag may follow which; the last row is the beginning of a text."""
        number = 2 * len(self.types) + 1
        allowed = np.ones((number + 1, number), dtype=np.bool_)
        allowed[:, 2::2] = False
        for inside in range(2, number, 2):
            allowed[[inside - 1, inside], inside] = True
        return allowed


def types_of(gold: Iterable[Iterable[tuple[int, int, str]]]) -> TagSet:
    """Return the tag set of all types in gold spans, in alphabetical order."""
    return TagSet(tuple(sorted({kind for spans in gold for _, _, kind in spans})))


def span_codes(spans: Iterable[tuple[int, int, str]], units: Units, tags: TagSet) -> Ints:
    """Return `[units]` tag codes. A span takes every unit that it touches.

    Tags cannot express spans within spans: of overlapping ones the first and longest is kept.
    """
    codes = np.zeros(len(units.starts), dtype=np.int64)
    free = 0
    for start, end, kind in sorted(spans, key=lambda span: (span[0], -span[1])):
        low = int(np.searchsorted(units.ends, start, side="right"))
        high = int(np.searchsorted(units.starts, end, side="left"))
        if free <= low < high:
            begin = 1 + 2 * tags.types.index(kind)
            codes[low], codes[low + 1 : high] = begin, begin + 1
            free = high
    return codes


def code_spans(codes: Ints, units: Units, tags: TagSet) -> list[Span]:
    """Return the spans of a tagged text in characters."""
    names = tags.tags
    if not codes.any():
        return []
    found = tags_to_spans([names[code] for code in codes.tolist()], IOB2)
    return [Span(int(units.starts[low]), int(units.ends[high - 1]), kind) for low, high, kind in found]


def best_codes(log_probabilities: Floats, lengths: Sequence[int], tags: TagSet) -> list[Ints]:
    """Return the most probable proper sequence of tag codes of each text (Viterbi).

    `log_probabilities` `[units of all texts, tags]` are taken as independent; what is proper is `follows`.
    """
    penalty = np.where(tags.follows, 0.0, -np.inf)
    firsts = np.cumsum([0, *lengths])
    order = np.argsort(lengths, kind="stable")
    found: list[Ints] = [np.zeros(0, dtype=np.int64)] * len(lengths)
    for at in range(0, len(order), AT_ONCE):
        group = [int(text) for text in order[at : at + AT_ONCE] if lengths[text]]
        if group:
            parts = [log_probabilities[firsts[text] : firsts[text] + lengths[text]] for text in group]
            for text, codes in zip(group, _best_of_group(parts, penalty), strict=True):
                found[text] = codes
    return found


def _best_of_group(parts: Sequence[Floats], penalty: Floats) -> list[Ints]:
    """Return the best codes of texts that are decoded side by side; padding stays with the tag before it."""
    number = penalty.shape[1]
    longest = max(len(part) for part in parts)
    lengths = np.array([len(part) for part in parts])
    before = np.zeros((longest, len(parts), number), dtype=np.int64)
    value = np.stack([part[0] for part in parts]) + penalty[-1]
    for place in range(1, longest):
        running = place < lengths
        step = np.zeros((len(parts), number))
        step[running] = np.stack([part[place] for part in parts if len(part) > place])
        reached = value[:, :, None] + penalty[None, :-1]
        before[place] = np.where(running[:, None], reached.argmax(axis=1), np.arange(number))
        value = np.where(running[:, None], reached.max(axis=1) + step, value)
    codes = np.zeros((len(parts), longest), dtype=np.int64)
    codes[:, -1] = value.argmax(axis=1)
    for place in range(longest - 1, 0, -1):
        codes[:, place - 1] = before[place, np.arange(len(parts)), codes[:, place]]
    return [row[:length] for row, length in zip(codes, lengths, strict=True)]
