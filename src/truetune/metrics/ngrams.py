"""n-grams of many lines at once, as numbers: what BLEU, chrF and ROUGE count."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np

from truetune.types import Ints

LARGEST = 2**62
"""n-grams' numbers times lines, or times one more token, stay below it."""


@dataclass(frozen=True, slots=True)
class Coded:
    """The tokens of several lines as numbers."""

    tokens: Ints
    """`[tokens]`"""
    lengths: Ints
    """`[lines]`"""


@dataclass(frozen=True, slots=True)
class Grams:
    """The n-grams of several lines: equal ones have equal numbers."""

    numbers: Ints
    """`[n-grams]`"""
    lines: Ints
    """`[n-grams]`, the line of each"""


def coded(sides: Sequence[Sequence[Sequence[Hashable]]]) -> list[Coded]:
    """Return the tokens of each side as numbers; equal tokens have equal numbers on all sides.

    A side holds lines, a line tokens (or, as a string, characters).
    """
    lengths = [np.fromiter(map(len, lines), dtype=np.int64, count=len(lines)) for lines in sides]
    code: defaultdict[Hashable, int] = defaultdict()
    code.default_factory = code.__len__  # a new token's number is how many there are already
    flat = chain.from_iterable(chain.from_iterable(lines) for lines in sides)
    numbers = np.fromiter(map(code.__getitem__, flat), dtype=np.int64, count=int(sum(map(np.sum, lengths))))
    borders = np.cumsum([side.sum() for side in lengths])[:-1]
    return [Coded(part, side) for part, side in zip(np.split(numbers, borders), lengths, strict=True)]


def grams(sides: Sequence[Coded], longest: int) -> Iterator[list[Grams]]:
    """Yield the n-grams of each side for n = 1 to `longest`; none crosses from a line into the next."""
    tokens = np.concatenate([side.tokens for side in sides])
    lengths = np.concatenate([side.lengths for side in sides])
    line = np.repeat(np.arange(len(lengths)), lengths)
    end = np.repeat(np.cumsum(lengths), lengths)
    borders = np.cumsum([len(side.tokens) for side in sides])[:-1]
    first_line = np.cumsum([0, *(len(side.lengths) for side in sides)])
    start = np.arange(len(tokens))
    numbers = tokens
    bound = vocabulary = int(tokens.max(initial=0)) + 1
    for order in range(1, longest + 1):
        if order > 1:
            kept = start + order <= end[start]
            start = start[kept]
            numbers = numbers[kept] * vocabulary + tokens[start + order - 1]
            bound *= vocabulary
            if bound * max(vocabulary, len(lengths)) > LARGEST:  # only then do numbers need a sort to be made dense
                numbers = np.unique(numbers, return_inverse=True)[1]
                bound = int(numbers.max(initial=0)) + 1
        cut = np.searchsorted(start, borders)
        parts = zip(np.split(numbers, cut), np.split(line[start], cut), first_line[:-1], strict=True)
        yield [Grams(number, where - first) for number, where, first in parts]


def totals(found: Grams, lines: int) -> Ints:
    """Return how many n-grams each line has."""
    return np.bincount(found.lines, minlength=lines).astype(np.int64)


@dataclass(frozen=True, slots=True)
class Counted:
    """Distinct n-grams of lines with how often each stands there, sorted by line, then number."""

    keys: Ints
    """line * width + number"""
    counts: Ints
    width: int


def counted(found: Grams, width: int) -> Counted:
    """Count the n-grams of each line; `width` is above every number of all sides."""
    keys, counts = np.unique(found.lines * width + found.numbers, return_counts=True)
    return Counted(keys, counts.astype(np.int64), width)


def width_of(sides: Sequence[Grams]) -> int:
    """Return a width for `counted` that fits all sides."""
    return 1 + max(int(side.numbers.max(initial=0)) for side in sides)


def most(sides: Sequence[Counted]) -> Counted:
    """Return, for each line and n-gram, its largest count on any side: the clip of several references."""
    if len(sides) == 1:
        return sides[0]
    keys = np.concatenate([side.keys for side in sides])
    counts = np.concatenate([side.counts for side in sides])
    distinct, place = np.unique(keys, return_inverse=True)
    largest = np.zeros(len(distinct), dtype=np.int64)
    np.maximum.at(largest, place, counts)
    return Counted(distinct, largest, sides[0].width)


def matches(said: Counted, wanted: Counted, lines: int) -> Ints:
    """Return how many n-grams of each line of `said` stand in `wanted` too, each at most as often as there."""
    if not len(wanted.keys):
        return np.zeros(lines, dtype=np.int64)
    place = np.minimum(np.searchsorted(wanted.keys, said.keys), len(wanted.keys) - 1)
    hit = wanted.keys[place] == said.keys
    common = np.minimum(said.counts[hit], wanted.counts[place[hit]])
    return np.bincount(said.keys[hit] // said.width, weights=common, minlength=lines).astype(np.int64)
