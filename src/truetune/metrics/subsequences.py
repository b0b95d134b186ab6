"""Longest common subsequences, bit-parallel: a whole row of the table is one integer (Hyyrö 2004)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

import numpy as np

from truetune.metrics.ngrams import Coded
from truetune.types import Ints

WORD = 64
"""Texts of so many tokens fit into one machine word, and all of them go through their tables together."""


def lcs_lengths(first: Coded, second: Coded) -> Ints:
    """Return the length of the longest common subsequence of each line of `first` with that of `second`, `[lines]`."""
    found = np.zeros(len(first.lengths), dtype=np.int64)
    short = np.minimum(first.lengths, second.lengths) <= WORD
    ends = [np.cumsum(side.lengths) for side in (first, second)]
    for line in np.flatnonzero(~short):
        one, other = (
            side.tokens[end[line] - side.lengths[line] : end[line]].tolist()
            for side, end in zip((first, second), ends, strict=True)
        )
        found[line] = lcs_length(one, other)
    turned = first.lengths > second.lengths
    for chosen, one, other in ((short & ~turned, first, second), (short & turned, second, first)):
        if chosen.any():
            found[chosen] = _lcs_of_words(_taken(one, chosen), _taken(other, chosen))
    return found


def _lcs_of_words(first: Coded, second: Coded) -> Ints:
    """Return the lengths where each line of `first` has at most `WORD` tokens: a step takes a token of all lines."""
    lines = len(first.lengths)
    lengths, masks = _found_in(first, second)
    order = np.argsort(-lengths, kind="stable")
    starts = (np.cumsum(lengths) - lengths)[order]
    still = lines - np.searchsorted(np.sort(lengths), np.arange(1, lengths.max(initial=0) + 1))
    full = (~np.uint64(0) >> (WORD - first.lengths).clip(max=WORD - 1).astype(np.uint64))[order]
    row = full.copy()
    for step, active in enumerate(still):
        kept = row[:active]
        same = kept & masks[starts[:active] + step]
        row[:active] = (kept + same) | (kept - same)
    unmatched = np.unpackbits((row & full).view(np.uint8).reshape(lines, 8), axis=1).sum(axis=1, dtype=np.int64)
    found = np.empty(lines, dtype=np.int64)
    found[order] = np.where(lengths[order] > 0, first.lengths[order] - unmatched, 0)
    return found


def _found_in(first: Coded, second: Coded) -> tuple[Ints, np.ndarray]:
    """Return, for the tokens of `second` that stand in its line of `first`: how many a line has, and their bits there.

    `[lines]` and `[tokens]`; bit i is the line's i-th token.
    """
    width = 1 + max(int(side.tokens.max(initial=0)) for side in (first, second))
    line, other_line = (np.repeat(np.arange(len(side.lengths)), side.lengths) for side in (first, second))
    keys = line * width + first.tokens
    place = np.arange(len(keys)) - np.repeat(np.cumsum(first.lengths) - first.lengths, first.lengths)
    order = np.argsort(keys, kind="stable")
    keys = keys[order]
    begins = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]][: len(keys)])
    if not len(begins):
        return np.zeros(len(first.lengths), dtype=np.int64), np.zeros(0, dtype=np.uint64)
    bits = np.bitwise_or.reduceat(np.uint64(1) << place[order].astype(np.uint64), begins)
    keys = keys[begins]
    asked = other_line * width + second.tokens
    at = np.minimum(np.searchsorted(keys, asked), len(keys) - 1)
    hit = keys[at] == asked
    return np.bincount(other_line[hit], minlength=len(first.lengths)).astype(np.int64), bits[at[hit]]


def _taken(side: Coded, lines: np.ndarray) -> Coded:
    """Return some lines, a mask."""
    return side if lines.all() else Coded(side.tokens[np.repeat(lines, side.lengths)], side.lengths[lines])


def lcs_length(first: Sequence[Hashable], second: Sequence[Hashable]) -> int:
    """Return the length of the longest common subsequence."""
    if not first or not second:
        return 0
    places = _places(first)
    full = (1 << len(first)) - 1
    row = full
    for token in second:
        if token in places:
            same = row & places[token]
            row = (row + same) | (row - same)
    return len(first) - (row & full).bit_count()


def lcs_positions(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Return the positions in `first` of one longest common subsequence, ascending.

    Where several are longest it is the one that ROUGE-1.5.5 reads from its table: from the ends, a match is
    taken, else `second` is shortened where that keeps strictly more, else `first`.
    """
    if not first or not second:
        return []
    rows = _rows(first, second)
    found = []
    i, j = len(first), len(second)
    while i and j:
        if first[i - 1] == second[j - 1]:
            found.append(i - 1)
            i, j = i - 1, j - 1
        elif _length(rows[j - 1], i) > _length(rows[j], i - 1):
            j -= 1
        else:
            i -= 1
    return found[::-1]


def _rows(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Return, for each prefix of `second`, the bits of `first` at which the common length does not grow."""
    places = _places(first)
    full = (1 << len(first)) - 1
    row = full
    rows = [row]
    for token in second:
        same = row & places.get(token, 0)
        row = ((row + same) | (row - same)) & full
        rows.append(row)
    return rows


def _places(tokens: Sequence[Hashable]) -> dict[Hashable, int]:
    """Return the bits at which each token stands."""
    places: dict[Hashable, int] = {}
    bit = 1
    for token in tokens:
        places[token] = places.get(token, 0) | bit
        bit <<= 1
    return places


def _length(row: int, prefix: int) -> int:
    """Return the common length with the first `prefix` tokens."""
    return prefix - (row & ((1 << prefix) - 1)).bit_count()
