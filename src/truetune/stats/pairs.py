"""Two systems on the same examples: their rows side by side, and their difference as a metric of its own."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, Metric, Pooled
from truetune.rows import Rows, alike
from truetune.stats.sample import Sample
from truetune.types import Bools, Floats, Ints, Numbers


@dataclass(frozen=True)
class Pairs:
    """The rows of two systems over the same distinct pairs of rows.

    `first` and `second` share one `index`; line i of both tables is the i-th distinct pair. `sample` holds
    both side by side, `[distinct, 2, *row]`, with the unit of drawing and swapping.
    """

    first: Rows
    second: Rows
    sample: Sample

    @classmethod
    def of(cls, first: Rows, second: Rows, groups: Ints | None) -> Pairs:
        """Pair the rows of two systems by position; label sets are aligned by name, lists of n-grams are filled up."""
        if len(first) != len(second):
            raise MetricError(
                f"one system has {len(first):,} examples, the other {len(second):,}; "
                "a paired comparison needs the same examples in the same order"
            )
        first, second = alike(first, second)
        if first.table.shape[1:] != second.table.shape[1:]:
            raise MetricError(
                f"the rows of the two systems have the shapes {first.table.shape[1:]} and "
                f"{second.table.shape[1:]}; make them by one metric with the same settings"
            )
        keys, index = np.unique(first.index * len(second.table) + second.index, return_inverse=True)
        left, right = np.divmod(keys, len(second.table))
        index = index.astype(np.int64)
        one = Rows(first.table[left], index, first.labels)
        other = Rows(second.table[right], index, second.labels)
        both = Rows(np.stack([one.table, other.table], axis=1), index)
        return cls(one, other, Sample.of(both, groups))

    @property
    def alike(self) -> bool:
        """Whether every example has the same row for both systems."""
        return np.array_equal(self.first.table, self.second.table)

    @property
    def gaps(self) -> Numbers:
        """What swapping a unit of each kind moves, second less first, `[kinds, *row]`: no kind that moves nothing."""
        table = self._gaps.table
        moving: Numbers = table[(table != 0).any(axis=tuple(range(1, table.ndim)))]
        return moving

    @cached_property
    def moved(self) -> Ints:
        """The place of each unit among `gaps`, `[units]`; -1 where a swap moves nothing."""
        table = self._gaps.table
        moving = (table != 0).any(axis=tuple(range(1, table.ndim)))
        return np.where(moving, np.cumsum(moving) - 1, -1)[self._gaps.index].astype(np.int64)

    @cached_property
    def _gaps(self) -> Rows:
        units = self.sample.units
        gaps = Rows.of(units.table[:, 1] - units.table[:, 0])
        return Rows(gaps.table, gaps.index[units.index])

    @property
    def owners(self) -> Ints:
        """The kind of each unit where equal rows are one kind, `[units]`: distinct pairs of rows, or groups."""
        return self.sample.rows.index if self.sample.groups is None else np.arange(self.sample.size, dtype=np.int64)

    @property
    def units(self) -> tuple[Rows, Rows]:
        """The rows of each system by unit, over the same distinct units."""
        both, labels = self.sample.units, self.first.labels
        return Rows(both.table[:, 0], both.index, labels), Rows(both.table[:, 1], both.index, labels)


def difference(metric: Metric, pairs: Pairs) -> Metric:
    """Return the metric whose rows are `pairs.sample.rows` and whose value is second less first."""
    if isinstance(metric, Additive):
        formula, axis = metric.formula, -pairs.first.table.ndim

        def gap(sums: Numbers) -> Floats:
            return formula(np.take(sums, 1, axis=axis)) - formula(np.take(sums, 0, axis=axis))

        return Additive(metric.name, metric.rows, gap, metric.gold, metric.predicted, metric.definition, metric.unit)

    def pooled_gap(_: Rows, counts: Numbers) -> Floats:
        return metric.value(pairs.second, counts) - metric.value(pairs.first, counts)

    return Pooled(metric.name, metric.rows, pooled_gap, metric.gold, metric.predicted, metric.definition, metric.unit)


@dataclass(frozen=True, slots=True)
class Flips:
    """Examples that are right or wrong: what changes from the first system to the second."""

    gained: int
    lost: int
    trials: int

    @property
    def share(self) -> float:
        """The size of the difference that the flips make."""
        return abs(self.gained - self.lost) / self.trials


def flips(metric: Metric, pairs: Pairs) -> Flips | None:
    """Return what the second system gains and loses; None where an example is more than right or wrong."""
    if not isinstance(metric, Additive) or metric.ratio is None:
        return None
    above, below = metric.ratio(pairs.first.table)
    other_above, other_below = metric.ratio(pairs.second.table)
    asked: Bools = np.asarray(below) > 0
    if not asked.any() or not np.array_equal(below, other_below):
        return None
    whole = np.asarray(below)[asked][0]
    if not (np.isin(below, (0, whole)).all() and np.isin([above, other_above], (0, whole)).all()):
        return None
    counts = pairs.first.counts
    up = int(counts[asked & (np.asarray(above) < other_above)].sum())
    down = int(counts[asked & (np.asarray(above) > other_above)].sum())
    trials = int(counts[asked].sum())
    return Flips(up, down, trials) if metric.better == "higher" else Flips(down, up, trials)
