"""Slices: the examples that share one value of a column of gold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.evaluation.support import too_small
from truetune.evaluation.tables import Aligned
from truetune.types import Ints


@dataclass(frozen=True)
class Part:
    """One slice: which examples, and their groups."""

    value: str
    inside: Ints
    """`[examples of the slice]`, places in the table"""
    groups: Ints | None

    @property
    def warning(self) -> str:
        """Say that the slice is too small to measure; empty for one that is not."""
        return too_small(len(self.inside), None if self.groups is None else int(self.groups.max(initial=-1)) + 1)


def sliced(table: Aligned, column: str) -> list[Part]:
    """Return the slices by a column of gold, in the order of their values; raises `DataError` for an unknown one."""
    values = np.array([_named(value) for value in table.column(column)])
    parts = []
    for value in np.unique(values).tolist():
        inside = np.flatnonzero(values == value)
        groups = None if table.groups is None else np.unique(table.groups[inside], return_inverse=True)[1]
        parts.append(Part(value, inside.astype(np.int64), groups))
    return parts


def _named(value: object) -> str:
    return "(none)" if value is None or value == "" else str(value)
