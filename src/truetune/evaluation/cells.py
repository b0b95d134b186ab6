"""Cells: the group and the slice of an example, which is all that is kept of where it stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.evaluation.tables import Aligned
from truetune.types import Ints

Cell = tuple[str | None, Any]
"""A group, and a value of the slicing column; None where there are none."""


@dataclass(frozen=True)
class Cells:
    """What the cells of a tally are: in order of their groups, then of their slices."""

    groups: Ints | None = None
    """`[cells]`, from 0; None where examples stand for themselves."""
    slices: Sequence[Any] | None = None
    """The slice of each cell."""

    @property
    def number_of_groups(self) -> int:
        """How many groups there are; 0 without groups."""
        return 0 if self.groups is None else len(set(self.groups.tolist()))


def cells_of(table: Aligned, column: str | None) -> tuple[Cells, Ints | None]:
    """Return the cells of a table, and the cell of each example; None where there is but one."""
    if table.groups is None and column is None:
        return Cells(), None
    groups = np.zeros(len(table), dtype=np.int64) if table.groups is None else table.groups
    values, codes = ([None], np.zeros_like(groups)) if column is None else _codes(table.column(column))
    keys, index = np.unique(groups * len(values) + codes, return_inverse=True)
    of_group, of_value = np.divmod(keys, len(values))
    slices = None if column is None else [values[code] for code in of_value.tolist()]
    return Cells(None if table.groups is None else of_group, slices), index.astype(np.int64).ravel()


def _codes(column: Sequence[Any]) -> tuple[list[Any], Ints]:
    """Return the distinct values of a column, sorted, and the position among them of each example's."""
    listed = np.asarray(column).tolist()
    values = sorted(set(listed))
    place = {value: code for code, value in enumerate(values)}
    return values, np.array([place[value] for value in listed], dtype=np.int64)


def ordered_cells(named: Sequence[Cell]) -> tuple[Cells, Ints]:
    """Return the cells by group, then slice, and the place in that order of each of the `named` ones."""
    groups, values = zip(*named, strict=True)
    of_group = _codes(groups)[1] if groups[0] is not None else np.zeros(len(named), dtype=np.int64)
    slices, of_value = _codes(values) if values[0] is not None else ([None], np.zeros_like(of_group))
    keys, place = np.unique(of_group * len(slices) + of_value, return_inverse=True)
    of_group, of_value = np.divmod(keys, len(slices))
    return (
        Cells(
            None if groups[0] is None else of_group,
            None if values[0] is None else [slices[code] for code in of_value.tolist()],
        ),
        place.astype(np.int64).ravel(),
    )
