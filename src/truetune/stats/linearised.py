"""Means and ratios of sums: standard errors from each unit's share in the value, and t intervals.

A ratio sum(a) / sum(b) moves with unit i like (a_i - ratio * b_i) / sum(b): Taylor linearisation
(Cochran 1977, 6.3). For groups this is the cluster-robust variance.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, Metric
from truetune.rows import Rows
from truetune.stats.binomial import wilson
from truetune.stats.quantiles import t_quantile
from truetune.types import Floats


@dataclass(frozen=True, slots=True)
class Linearised:
    """A value that is nearly a mean over units, with its standard error."""

    value: float
    standard_error: float
    degrees: float
    """Degrees of freedom: units less one where all weigh the same, fewer where a few units dominate."""


def ratio_parts(metric: Metric, rows: Rows) -> tuple[Floats, Floats]:
    """Return each distinct row's numerator and denominator, `[distinct]` each.

    Raises `MetricError` for a metric that is not a quotient of two sums.
    """
    if not isinstance(metric, Additive) or metric.ratio is None:
        raise MetricError(
            f"{metric.name} asks for a {metric.interval} interval but names no ratio; "
            "give it `ratio`, or the interval `bca`"
        )
    above, below = metric.ratio(rows.table)
    return np.asarray(above, dtype=np.float64), np.asarray(below, dtype=np.float64)


def linearised(change: Floats, size: Floats, counts: Floats, value: float) -> Linearised:
    """Return the standard error of a value from each distinct unit's part in it.

    `change` `[units]` is how the value moves with a unit, `size` `[units]` the share of the unit in the
    denominator, `counts` how many units are equal. Units are left out one by one in effect (CR3): the
    plain sandwich variance is too small where few units weigh much. The degrees of freedom are
    Satterthwaite's for units that agree within.
    """
    counts = np.where(size > 0, counts, 0)
    units = float(counts.sum())
    if units < 2:
        return Linearised(value, np.nan, 0.0)
    away = change / (1 - np.minimum(size, 0.5))
    mean = float(counts @ away) / units
    variance = (units - 1) / units * float(counts @ (away - mean) ** 2)
    degrees = float(counts @ size**2) ** 2 / float(counts @ size**4) - 1
    return Linearised(value, float(np.sqrt(variance)), max(1.0, degrees))


def ratio(metric: Metric, units: Rows) -> Linearised:
    """Return a ratio of sums over `units` with its standard error."""
    above, below = ratio_parts(metric, units)
    counts = units.counts.astype(np.float64)
    whole = float(counts @ below)
    value = float(counts @ above) / whole
    return linearised((above - value * below) / whole, below / whole, counts, value)


def t_bounds(found: Linearised, tail: float) -> tuple[float, float]:
    """Return value -+ t * standard error."""
    half = t_quantile(tail, found.degrees) * found.standard_error
    return found.value - half, found.value + half


def effective_wilson(found: Linearised, trials: float, units: float, tail: float) -> tuple[float, float]:
    """Return Wilson's bounds for a proportion whose trials depend on each other within units.

    The number of trials is that of independent ones with the same standard error, at most the true
    number (Korn and Graubard 1998, with Wilson's bounds and t in place of the exact ones). A share of 0
    or 1 shows nothing of the dependence: there each of `units` counts as one trial.
    """
    share = min(1.0, max(0.0, found.value))
    variance = found.standard_error**2
    if share in (0.0, 1.0):
        effective = units
    else:
        effective = min(trials, share * (1 - share) / variance) if variance > 0 else trials
    return wilson(share * effective, effective, t_quantile(tail, found.degrees))
