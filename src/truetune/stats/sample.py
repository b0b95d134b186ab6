"""The sample that is drawn from: examples, or groups of examples, with equal rows stored once."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.quantiles import t_quantile
from truetune.types import Floats, Ints

if TYPE_CHECKING:
    from scipy import sparse

MOST_LEFT_OUT = 2_000
"""Above this many distinct units the jackknife of a pooled metric leaves out blocks of units."""
BLOCKS = 400


@dataclass(frozen=True, slots=True)
class Members:
    """Units as sets of distinct rows: how often each unit holds each of them.

    `counts` `[units, distinct]`; `weights` `[units]` says how many equal units each line stands for.
    """

    counts: sparse.csr_array[Any, tuple[int, int]]
    weights: Ints


@dataclass(frozen=True)
class Sample:
    """Rows and the unit of resampling: the example, or the group where groups are given."""

    rows: Rows
    groups: Ints | None = None
    """`[examples]`, from 0 without gaps; None where every example stands for itself."""

    @classmethod
    def of(cls, rows: Rows, groups: Ints | None) -> Sample:
        """Return the sample with unused distinct rows dropped and groups numbered without gaps."""
        if groups is not None:
            if len(groups) != len(rows):
                raise MetricError(
                    f"{len(groups):,} groups were given for {len(rows):,} examples; expected one an example"
                )
            groups = np.unique(groups, return_inverse=True)[1].astype(np.int64)
        used = rows.counts > 0
        if not used.all():
            place = np.cumsum(used) - 1
            rows = Rows(rows.table[used], place[rows.index].astype(np.int64), rows.labels)
        return cls(rows, groups)

    @cached_property
    def units(self) -> Rows:
        """One row a unit: the rows themselves, or their sums by group (for additive metrics)."""
        return self.rows if self.groups is None else self.rows.by_group(self.groups)

    @cached_property
    def nudged(self) -> Floats:
        """The sums with the statistics of one label at a time moved up by unlike amounts, `[labels, *row]`."""
        statistics, labels = self.units.table.shape[1:]
        amounts = 1 + np.arange(1, statistics + 1) / np.pi
        moves = np.zeros((labels, statistics, labels))
        moves[np.arange(labels), :, np.arange(labels)] = amounts
        return self.units.totals() + moves

    @cached_property
    def size(self) -> int:
        """How many units there are."""
        return len(self.rows) if self.groups is None else int(self.groups.max(initial=-1)) + 1

    @cached_property
    def degrees(self) -> float:
        """Degrees of freedom of a standard error: units less one, fewer where a few large groups dominate.

        Satterthwaite's for groups whose examples agree: a group weighs by its square.
        """
        if self.groups is None:
            return float(self.size - 1)
        sizes = np.bincount(self.groups).astype(np.float64)
        return max(1.0, float(np.sum(sizes**2) ** 2 / np.sum(sizes**4)) - 1)

    def bootstrap_reach(self, tail: float) -> float:
        """Return the normal quantile at which bootstrap bounds are read: 1.96 for 95 % with many units.

        The bootstrap draws from n units as if they were the population: its spread is too small by
        (n-1)/n, and its quantiles are normal where t is right (Hesterberg 2015, The American Statistician
        69:371). Both vanish with many units.
        """
        return float(t_quantile(tail, self.degrees) * np.sqrt(self.size / (self.size - 1)))

    @property
    def unit(self) -> str:
        """What a unit is, in words."""
        return "example" if self.groups is None else "group"

    @property
    def units_named(self) -> str:
        """The end of a method's name: empty for examples, ` of 120 groups` for groups."""
        return "" if self.groups is None else f" of {self.size:,} groups"

    def members(self, blocks: np.random.Generator | None = None) -> Members:
        """Return the units as sets of distinct rows.

        With `blocks`, units beyond `MOST_LEFT_OUT` are merged at random into `BLOCKS` blocks of nearly
        equal size: the block jackknife has the same expectation, at a cost that does not grow squared.
        """
        from scipy import sparse

        distinct = len(self.rows.table)
        if self.groups is None and (blocks is None or distinct <= MOST_LEFT_OUT):
            return Members(sparse.csr_array(sparse.identity(distinct)), self.rows.counts)
        owner, number = self._owners(), self.size
        if blocks is not None and number > MOST_LEFT_OUT:
            owner, number = (blocks.permutation(number) % BLOCKS)[owner], BLOCKS
        ones: npt.NDArray[Any] = np.ones(len(self.rows))
        counts = sparse.coo_array((ones, (owner, self.rows.index)), shape=(number, distinct)).tocsr()
        return Members(counts, np.ones(number, dtype=np.int64))

    def _owners(self) -> Ints:
        return np.arange(len(self.rows), dtype=np.int64) if self.groups is None else self.groups
