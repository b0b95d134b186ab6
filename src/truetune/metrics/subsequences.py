"""Longest common subsequences, bit-parallel: a whole row of the table is one integer (Hyyrö 2004)."""

from __future__ import annotations

from collections.abc import Sequence


def lcs_length(first: Sequence[str], second: Sequence[str]) -> int:
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


def _places(tokens: Sequence[str]) -> dict[str, int]:
    """Return the bits at which each token stands."""
    places: dict[str, int] = {}
    bit = 1
    for token in tokens:
        places[token] = places.get(token, 0) | bit
        bit <<= 1
    return places


def _length(row: int, prefix: int) -> int:
    """Return the common length with the first `prefix` tokens."""
    return prefix - (row & ((1 << prefix) - 1)).bit_count()
