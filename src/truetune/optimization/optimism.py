"""How much the best of many looks better than it is, on the examples that chose it."""

from __future__ import annotations

from collections.abc import Sequence
from math import sqrt

import numpy as np
import numpy.typing as npt

from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats.plan import Plan
from truetune.types import Ints

CUTS = 200


def optimism(metric: Metric, systems: Sequence[Rows], groups: Ints | None = None, plan: Plan | None = None) -> float:
    """Return by how much the score of the best of these systems is too good, having been chosen by it.

    Examples (or groups) are cut in two halves at random, many times: the best on one half, less its own score on the
    other, is how much being chosen flattered it there. Half as many examples scatter sqrt(2) times as much, so the
    mean over the cuts is divided by that: exact for the mean of equal systems, near 0 where one is far ahead. In the
    units of the metric, at least 0. Rows are over the same examples and labels.
    """
    if len(systems) < 2:
        return 0.0
    sign = 1 if metric.better == "higher" else -1
    rng = (plan or Plan()).generator("optimism of the best")
    units = np.arange(len(systems[0])) if groups is None else np.unique(groups, return_inverse=True)[1]
    number = int(units.max()) + 1
    flattered = []
    for _ in range(CUTS):
        first = (rng.permutation(number) < number / 2)[units]
        chosen, other = (sign * np.array([_value(metric, rows, half) for rows in systems]) for half in (first, ~first))
        if not np.isnan(chosen).all():
            best = int(np.nanargmax(chosen))
            flattered.append(chosen[best] - other[best])
    mean = float(np.nanmean(flattered)) / sqrt(2) if flattered else 0.0
    return max(0.0, mean)


def _value(metric: Metric, rows: Rows, kept: npt.NDArray[np.bool_]) -> float:
    return float(metric.value(rows, np.bincount(rows.index[kept], minlength=len(rows.table))))
