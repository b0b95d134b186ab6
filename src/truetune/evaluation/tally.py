"""Rows without their examples: how often each distinct row occurs, in each cell. It is all that scores need.

A cell is a group, a value of the slicing column, or both. A tally does not know the order of examples, so that
scores made of it do not depend on that order, nor on the parts in which the examples came.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from truetune.rows import Rows, joined
from truetune.types import Ints

NARROW = 64
"""Up to so many numbers a row, rows are put in the order of their numbers, else in that of their bytes."""

Part = TypeVar("Part")


@dataclass(frozen=True, eq=False)
class Tally:
    """The entries (cell, distinct row) that occur, and how often: `rows` has one row an entry."""

    rows: Rows
    cells: Ints
    """`[entries]`"""
    counts: Ints
    """`[entries]`, above 0"""

    @classmethod
    def of(cls, rows: Rows, cells: Ints | None = None) -> Tally:
        """Tally rows `[examples]`; `cells` `[examples]` are numbers from 0, all 0 where None is given."""
        if rows.table.dtype.kind == "f":
            rows = replace(rows, table=rows.table + 0.0)  # -0.0 becomes 0.0: equal numbers are equal rows
        distinct = Rows.of(rows.table, rows.labels)
        index = distinct.index[rows.index]
        if cells is None:
            counts = np.bincount(index, minlength=len(distinct.table))
            used = np.flatnonzero(counts)
            entries = Rows(distinct.table, used, rows.labels, note=rows.note)
            return cls(entries, np.zeros(len(used), dtype=np.int64), counts[used].astype(np.int64))
        entries = Rows(distinct.table, index, rows.labels, note=rows.note)
        return cls(entries, cells, np.ones(len(index), dtype=np.int64))._collapsed()

    def __len__(self) -> int:
        return len(self.counts)

    def merged(self, other: Tally) -> Tally:
        """Return the tally of the examples of both; their cells are numbered alike."""
        return Tally(
            joined(self.rows, other.rows),
            np.concatenate([self.cells, other.cells]),
            np.concatenate([self.counts, other.counts]),
        )._collapsed()

    def in_cells(self, places: Ints) -> Tally:
        """Return the same tally with cell `i` renumbered `places[i]`."""
        return replace(self, cells=places[self.cells])

    def examples(self) -> tuple[Rows, Ints]:
        """Return one row and one cell an example, ordered by cell, then row; rows are ordered by their numbers."""
        order = _order(self.rows.table)
        rank = np.empty(len(order), dtype=np.int64)
        rank[order] = np.arange(len(order))
        index = rank[self.rows.index]
        entries = np.lexsort((index, self.cells))
        counts = self.counts[entries]
        of_row = np.bincount(index, self.counts, len(order)).astype(np.int64)
        one_each = np.repeat(index[entries], counts)
        rows = Rows(self.rows.table[order], one_each, self.rows.labels, of_row, self.rows.note)
        if not self.cells.any():
            return rows, np.broadcast_to(np.int64(0), len(one_each))  # takes no memory
        return rows, np.repeat(self.cells[entries], counts)

    def _collapsed(self) -> Tally:
        keys = self.cells * max(1, len(self.rows.table)) + self.rows.index
        order = np.argsort(keys, kind="stable")
        ordered = keys[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1])) if len(keys) else order
        first = order[starts]
        counts = np.add.reduceat(self.counts[order], starts) if len(keys) else self.counts
        return Tally(replace(self.rows, index=self.rows.index[first], known_counts=None), self.cells[first], counts)


def _order(table: npt.NDArray[Any]) -> Ints:
    """Return the order of distinct rows that depends on nothing but the rows; the last column leads."""
    flat = np.ascontiguousarray(table.reshape(len(table), int(np.prod(table.shape[1:], dtype=np.int64))))
    if not flat.size:
        return np.arange(len(flat), dtype=np.int64)
    if flat.shape[1] <= NARROW:
        return np.lexsort(flat.T)
    return np.argsort(flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel(), kind="stable")


def pile_up(pile: list[Part], part: Part, size: Callable[[Part], int], merged: Callable[[Part, Part], Part]) -> None:
    """Put a part on a pile of parts and merge the last two while they are of like size.

    So each example takes part in about log2(examples) merges, whatever the number of parts.
    """
    pile.append(part)
    while len(pile) > 1 and size(pile[-2]) <= 2 * size(pile[-1]):
        last = pile.pop()
        pile[-1] = merged(pile[-1], last)
