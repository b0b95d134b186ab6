"""Bounds where no resample moves the value: everything right, or nothing found.

Nothing in the sample says how large the errors are that it does not show; its size says how frequent they
can be. So the value is treated as a share of independent trials, all hits or all misses.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from truetune.metric import Additive, Metric, Pooled
from truetune.stats.binomial import wilson
from truetune.stats.delong import AREAS, binary
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile
from truetune.stats.sample import Sample
from truetune.types import Bools, Interval

NAN = float("nan")


def missing(method: str, reason: str) -> Interval:
    """Return bounds that are not there, with the reason."""
    return Interval(NAN, NAN, method, reason)


def edge_interval(metric: Metric, value: float, sample: Sample, plan: Plan) -> Interval:
    """Return the bound of a value at a limit of its range; NaN with a reason elsewhere."""
    bottom, top = limits_of(metric)
    at_top = np.isclose(value, top, rtol=0, atol=1e-12)
    if not (at_top or np.isclose(value, bottom, rtol=0, atol=1e-12)) or not np.isfinite(top - bottom):
        return missing("none", _why_still(metric, sample))
    trials = effective_trials(metric, sample)
    if trials <= 0:
        return missing("", "no example has a say in this value")
    low, high = wilson(trials if at_top else 0.0, trials, normal_quantile(plan.tail))
    named = f"Wilson bound at the limit of the range, {trials:.6g} effective trials"
    return Interval(bottom + (top - bottom) * low, bottom + (top - bottom) * high, named)


def _why_still(metric: Metric, sample: Sample) -> str:
    """Return why no draw moves the value: units that are all alike, or unlike ones that it does not tell apart."""
    units = sample.units if isinstance(metric, Additive) else sample.rows
    size, unit = sample.size, sample.unit
    if len(units.table) == 1:
        return f"all {size:,} {unit}s contribute alike: they show no spread to build bounds from"
    return f"no resample of the {size:,} {unit}s moves this value: it shows no spread to build bounds from"


def limits_of(metric: Metric) -> tuple[float, float]:
    """Return the range that the metric states; else 0 to 1 where higher is better, unknown where lower is."""
    if metric.limits is not None:
        return metric.limits
    return (0.0, 1.0) if metric.better == "higher" else (-np.inf, np.inf)


def effective_trials(metric: Metric, sample: Sample) -> float:
    """Return how many independent trials of equal weight the sample is worth for this metric.

    A ratio counts the units in its denominator. A metric over labels may weigh each label alike: with
    n_k units of label k, the mean of K shares varies as one share of K * harmonic mean(n_k) trials. Units
    inside a group or a sentence may depend on each other wholly, so they count once. An area under the ROC
    curve counts the smaller class of each label; average precision, a mean over positives, those.
    """
    if metric.interval in AREAS:
        sides = [positive for positive, _ in binary(sample.rows)]
        return _shared([min(_held(one, sample), _held(~one, sample)) for one in sides])
    if not isinstance(metric, Additive):
        if isinstance(metric, Pooled) and metric.bearing is not None:
            return _shared([_held(mask, sample) for mask in metric.bearing(sample.rows)])
        return float(sample.size)
    units = sample.units
    if metric.ratio is not None:
        return float(units.counts[metric.ratio(units.table)[1] > 0].sum())
    if units.labels:
        return _shared((units.counts @ (units.table != 0).any(axis=1))[_bearing(metric, sample)])
    return float(sample.size)


def _shared(held: ArrayLike) -> float:
    """Return the trials of a mean over labels with `held` `[labels]` units each, those without any left out."""
    numbers = np.asarray(held, dtype=np.float64)
    numbers = numbers[numbers > 0]
    return float(len(numbers) ** 2 / np.sum(1 / numbers)) if len(numbers) else 0.0


def _held(rows: Bools, sample: Sample) -> int:
    """Return how many units hold one of these distinct rows, `[distinct]`."""
    if sample.groups is None:
        return int(sample.rows.counts[rows].sum())
    return len(np.unique(sample.groups[rows[sample.rows.index]]))


def _bearing(metric: Additive, sample: Sample) -> Bools:
    """Return which labels bear on the value, `[labels]`: those whose sums cannot be moved without moving it."""
    with np.errstate(divide="ignore", invalid="ignore"):
        moved = np.asarray(metric.formula(sample.nudged)) - metric.formula(sample.units.totals())
    return ~(np.abs(moved) <= 1e-15)
