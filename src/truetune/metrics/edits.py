"""Edit distance with its path, bit-parallel: a whole column of the table is two integers (Hyyrö 2003).

The table has the words of a text across and those of its reference down. Between neighbours of a column the
distance grows or shrinks by one or stays; bit `j` of `up` and `down` says so for reference word `j`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

KEEP, REPLACE, DROP, ADD = range(4)
"""Operations that turn a text into its reference: `DROP` a word of the text, `ADD` one of the reference."""

Masks = dict[str, int]
Column = tuple[int, int]
"""(up, down): where the distance is one larger, one smaller than one reference word before."""


class Table(NamedTuple):
    """All columns of one text, and what its path needs beside them."""

    columns: list[Column]
    """`[words + 1]`, the column after each number of words."""
    same: list[int]
    """`[words]`, bits where the distance equals that of one word less on both sides."""
    dearer: list[int]
    """`[words]`, bits where the distance is one larger than without the last word of the text."""


def masks_of(reference: Sequence[str]) -> Masks:
    """Return the bits at which each word stands in the reference."""
    masks: Masks = {}
    bit = 1
    for word in reference:
        masks[word] = masks.get(word, 0) | bit
        bit <<= 1
    return masks


def table_of(text: Sequence[str], masks: Masks, full: int) -> Table:
    """Return the table of a text; `full` has a bit set for each reference word."""
    up, down = full, 0
    columns, same, dearer = [(up, down)], [], []
    known = masks.get
    for word in text:
        match = known(word, 0) | down
        diagonal = ((((match & up) + up) ^ up) | match) & full
        right = down | (full & ~(diagonal | up))
        left = diagonal & up
        same.append(diagonal)
        dearer.append(right)
        right = right << 1 | 1
        up = (left << 1 | ~(diagonal | right)) & full
        down = right & diagonal
        columns.append((up, down))
    return Table(columns, same, dearer)


def column_after(words: Sequence[str], column: Column, masks: Masks, full: int) -> Column:
    """Return the column that follows `column` after some more words."""
    up, down = column
    known = masks.get
    for word in words:
        match = known(word, 0) | down
        diagonal = (((match & up) + up) ^ up) | match
        right = (down | ~(diagonal | up)) << 1 | 1
        up = ((diagonal & up) << 1 | ~(diagonal | right)) & full
        down = right & diagonal & full
    return up, down


def distance(column: Column, words: int) -> int:
    """Return the distance at the foot of the column after a number of words."""
    return words + column[0].bit_count() - column[1].bit_count()


def path_of(table: Table, text: Sequence[str], reference: Sequence[str]) -> list[int]:
    """Return the operations of one shortest path, last first: of equal ones kept or replaced, dropped, added."""
    path = []
    i, j = len(text), len(reference)
    bit = 1 << j >> 1
    while i and j:
        if text[i - 1] == reference[j - 1]:
            path.append(KEEP)
        elif not table.same[i - 1] & bit:
            path.append(REPLACE)
        elif table.dearer[i - 1] & bit:
            path.append(DROP)
            i -= 1
            continue
        else:
            path.append(ADD)
            j -= 1
            bit >>= 1
            continue
        i -= 1
        j -= 1
        bit >>= 1
    return path + [DROP] * i + [ADD] * j
