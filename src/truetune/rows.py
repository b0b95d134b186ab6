"""Rows: what each example contributes to a metric. Intervals, tests, slices and merging start here."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError
from truetune.types import Ints, Numbers


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """What every example contributes to a metric, with equal contributions stored once.

    `table` `[distinct, statistics]` or `[distinct, statistics, labels]` (int64 or float64) holds the
    distinct contributions, `index` `[examples]` the row of `table` that belongs to each example. Storing
    equal rows once is what makes resampling cheap: a multinomial draw over the distinct rows has the
    same distribution as drawing examples.

    `labels` names the last axis where rows depend on a label set; rows of different label sets are
    aligned by name when they are joined, so shards merge whatever labels each of them saw.

    Law: for an additive metric, `joined(a, b).totals() == a.totals() + b.totals()`.
    """

    table: npt.NDArray[Any]
    index: Ints
    labels: tuple[str, ...] = ()
    known_counts: Ints | None = field(default=None, repr=False)
    """`counts` where they are already known; else they are found once, when they are first asked for."""
    note: str = ""
    """What was decided by looking at the data (a tokeniser, a language's rules); it stands in the signature."""

    def __post_init__(self) -> None:
        if self.labels and (self.table.ndim != 3 or self.table.shape[2] != len(self.labels)):
            raise MetricError(
                f"rows name {len(self.labels)} labels but their table has shape {self.table.shape}; "
                "expected [distinct, statistics, labels]"
            )

    @classmethod
    def of(cls, dense: npt.NDArray[Any], labels: tuple[str, ...] = ()) -> Rows:
        """Collapse `[examples, ...]` contributions to their distinct rows."""
        flat = _flat(np.ascontiguousarray(dense))
        if not flat.shape[1]:  # rows over no label at all are all equal
            return cls(dense[:1], np.zeros(len(dense), dtype=np.int64), labels)
        if not flat.size:
            return cls(dense, np.arange(len(dense), dtype=np.int64), labels)
        keys = flat.view(np.dtype((np.void, flat.dtype.itemsize * flat.shape[1]))).ravel()
        _, first, index = np.unique(keys, return_index=True, return_inverse=True)
        return cls(dense[first], index.astype(np.int64).ravel(), labels)

    def __len__(self) -> int:
        return len(self.index)

    @property
    def counts(self) -> Ints:
        """How many examples have each distinct row, `[distinct]`."""
        if self.known_counts is None:
            found = np.bincount(self.index, minlength=len(self.table)).astype(np.int64)
            object.__setattr__(self, "known_counts", found)
        assert self.known_counts is not None
        return self.known_counts

    def totals(self, counts: Numbers | None = None) -> Numbers:
        """Return the sums of rows, `[..., *table.shape[1:]]`, for `counts` `[..., distinct]`."""
        weights = self.counts if counts is None else counts
        flat = _flat(self.table)
        if counts is not None and weights.dtype != np.float64 and flat.shape[1] > 1:
            # Counts below 2**53 are exact in float64, whose matrix product is much the faster one.
            sums = weights.astype(np.float64) @ flat.astype(np.float64)
        else:
            sums = weights @ flat
        shaped: Numbers = sums.reshape(*weights.shape[:-1], *self.table.shape[1:])
        return shaped

    def dense(self) -> npt.NDArray[Any]:
        """Return one row an example, `[examples, ...]`."""
        rows: npt.NDArray[Any] = self.table[self.index]
        return rows

    def noted(self, note: str) -> Rows:
        """Return the same rows with a note for the signature."""
        return replace(self, note=note)

    def take(self, examples: npt.NDArray[Any]) -> Rows:
        """Return the rows of some examples (positions or a mask), in that order: a slice."""
        return Rows(self.table, self.index[examples], self.labels, note=self.note)

    def by_group(self, groups: Ints) -> Rows:
        """Return one row a group, the sum of its examples; `groups` `[examples]` counts from 0."""
        if len(groups) != len(self.index):
            raise MetricError(f"{len(groups)} groups were given for {len(self.index)} examples")
        flat = _flat(self.table)
        number = int(groups.max()) + 1 if len(groups) else 0
        sums = np.zeros((number, flat.shape[1]), dtype=flat.dtype)
        order = np.argsort(groups, kind="stable")
        sorted_groups = groups[order]
        starts = np.flatnonzero(np.r_[True, sorted_groups[1:] != sorted_groups[:-1]]) if number else order
        if number:
            sums[sorted_groups[starts]] = np.add.reduceat(flat[self.index[order]], starts, axis=0)
        return Rows.of(sums.reshape(number, *self.table.shape[1:]), self.labels).noted(self.note)

    def with_labels(self, labels: tuple[str, ...]) -> Rows:
        """Return the same rows over a label set that contains this one; new labels contribute nothing."""
        if labels == self.labels:
            return self
        place = {label: position for position, label in enumerate(labels)}
        table = np.zeros((*self.table.shape[:2], len(labels)), dtype=self.table.dtype)
        table[:, :, [place[label] for label in self.labels]] = self.table
        return Rows(table, self.index, labels, self.known_counts, self.note)

    def _widened(self, width: int) -> Rows:
        missing = width - self.table.shape[1]
        return replace(self, table=np.pad(self.table, ((0, 0), (0, missing)))) if missing else self


def joined(first: Rows, second: Rows) -> Rows:
    """Return the rows of two sets of examples, one after the other, over the union of their labels.

    Where rows without labels are wider in one set (lists of a reply's n-grams), the others are filled up with 0.
    """
    first, second = alike(first, second)
    table = np.concatenate([first.table, second.table])
    index = np.concatenate([first.index, second.index + len(first.table)])
    distinct = Rows.of(table, first.labels)
    note = first.note if first.note == second.note else "; ".join(filter(None, (first.note, second.note)))
    return Rows(distinct.table, distinct.index[index], first.labels, note=note)


def alike(first: Rows, second: Rows) -> tuple[Rows, Rows]:
    """Return both over the union of their labels, or, whole numbers without labels, as wide as the wider one."""
    labels = tuple(sorted({*first.labels, *second.labels}))
    if labels:
        return first.with_labels(labels), second.with_labels(labels)
    if first.table.ndim == second.table.ndim == 2 and first.table.dtype.kind == second.table.dtype.kind == "i":
        width = max(first.table.shape[1], second.table.shape[1])
        return first._widened(width), second._widened(width)
    return first, second


def _flat(table: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Return `[rows, columns]`, also for no rows at all, where numpy cannot infer the number of columns."""
    return table.reshape(len(table), int(np.prod(table.shape[1:], dtype=np.int64)))
