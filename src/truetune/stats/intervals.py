"""Intervals of metrics from their rows: each by the method that is shown to cover."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats import delong
from truetune.stats.bca import bca_bounds
from truetune.stats.binomial import wilson
from truetune.stats.edge import edge_interval, missing
from truetune.stats.jackknife import jackknife
from truetune.stats.linearised import effective_wilson, ratio, ratio_parts, t_bounds
from truetune.stats.plan import Plan
from truetune.stats.quantiles import degrees_named, logistic, normal_quantile, t_quantile
from truetune.stats.resampling import resampled_values, values
from truetune.stats.sample import Sample
from truetune.types import Floats, Interval, Ints

MOST_UNDEFINED = 0.5
"""Above this share of resamples without a value there is no interval."""


def intervals(
    metrics: Sequence[Metric], rows: Rows, *, groups: Ints | None = None, plan: Plan | None = None
) -> list[Interval]:
    """Return the interval of each metric's value over `rows`, by the method that the metric names.

    `groups` `[examples]` makes the group the unit of sampling: examples of a group may depend on each
    other. All bootstrap intervals of one call come from the same resamples. Bounds that cannot be had
    are NaN, and `reason` says why; a value at the edge of its range gets a bound all the same.
    Few groups (below 50) or few examples of a label make any method cover less than it says.
    """
    plan = plan or Plan()
    sample = Sample.of(rows, groups)
    observed = values(metrics, sample.rows)
    found: dict[int, Interval] = {}
    resample: list[int] = []
    for place, (metric, value) in enumerate(zip(metrics, observed, strict=True)):
        if not np.isfinite(value):
            found[place] = missing("", metric.undefined)
        elif metric.interval == "none":
            found[place] = missing("", f"no interval of {metric.name} is known to cover")
        elif sample.size < 2 and (sample.groups is not None or metric.interval != "wilson"):
            found[place] = missing("", f"one {sample.unit} alone shows no spread")
        elif metric.interval == "bca":
            resample.append(place)
        elif metric.interval in delong.AREAS:
            found[place] = _delong(metric, sample, plan)
        elif metric.interval == "wilson":
            found[place] = _wilson(metric, value, sample, plan)
        else:
            found[place] = _t(metric, value, sample, plan)
    chosen = [metrics[place] for place in resample]
    found.update(zip(resample, _bootstrap(chosen, [observed[place] for place in resample], sample, plan), strict=True))
    return [found[place] for place in range(len(metrics))]


def _wilson(metric: Metric, value: float, sample: Sample, plan: Plan) -> Interval:
    """Proportions: Wilson's score interval; dependent trials count as their effective number."""
    above, below = ratio_parts(metric, sample.rows)
    asked = below > 0
    trial = below[asked].min()
    if ((above < 0) | (above > below)).any():
        return _t(metric, value, sample, plan)
    trials = float(sample.rows.counts @ below) / trial
    whole = (below[asked] == trial).all() and np.isin(above[asked], (0, trial)).all()
    if whole and sample.groups is None:
        hits = float(sample.rows.counts @ above) / trial
        return Interval(*wilson(hits, trials, normal_quantile(plan.tail)), "Wilson score")
    units = sample.units
    informative = float(units.counts[ratio_parts(metric, units)[1] > 0].sum())
    found = ratio(metric, units)
    if np.isnan(found.standard_error):
        return missing("", f"one {sample.unit} alone shows no spread")
    low, high = effective_wilson(found, trials, informative, plan.tail)
    kind = "groups" if sample.groups is not None else "examples"
    return Interval(low, high, f"Wilson score, effective trials by {sample.size:,} {kind}")


def _t(metric: Metric, value: float, sample: Sample, plan: Plan) -> Interval:
    """Means and ratios of sums: linearised, t; groups as units where given."""
    found = ratio(metric, sample.units)
    if not np.isclose(found.value, value, rtol=1e-9, atol=1e-12):
        return _bootstrap([metric], [value], sample, plan)[0]
    if np.isnan(found.standard_error):
        return missing("", f"one {sample.unit} alone shows no spread")
    if found.standard_error <= 1e-12 * abs(value):
        return edge_interval(metric, value, sample, plan)
    low, high = t_bounds(found, plan.tail)
    if metric.limits is not None:
        low, high = max(low, metric.limits[0]), min(high, metric.limits[1])
    return Interval(low, high, f"t{sample.units_named}, {degrees_named(found.degrees)}")


def _delong(metric: Metric, sample: Sample, plan: Plan) -> Interval:
    """Areas under the ROC curve: DeLong's standard error on the logit scale."""
    found = delong.AREAS[metric.interval](sample.rows, sample.groups)
    error = found.standard_error
    if np.isnan(error):
        return missing("", f"fewer than two {sample.unit}s of a class show no spread")
    if error == 0 or found.value in (0.0, 1.0):
        return edge_interval(metric, found.value, sample, plan)
    reach = normal_quantile(plan.tail) if sample.groups is None else t_quantile(plan.tail, sample.degrees)
    centre = np.log(found.value / (1 - found.value))
    half = reach * error / (found.value * (1 - found.value))
    low, high = logistic(centre - half), logistic(centre + half)
    return Interval(float(low), float(high), f"DeLong{sample.units_named} on the logit scale")


def _bootstrap(metrics: Sequence[Metric], observed: Sequence[float], sample: Sample, plan: Plan) -> list[Interval]:
    """Any formula over sums, any pooled metric: BCa bootstrap, all metrics on the same resamples."""
    if not metrics:
        return []
    resampled = resampled_values(metrics, sample, plan.resamples, plan.generator("bootstrap"))
    left_out = jackknife(metrics, sample, np.array(observed), plan.generator("jackknife blocks"))
    parts = zip(metrics, observed, resampled, left_out.acceleration, strict=True)
    return [_bca(metric, value, drawn, float(a), sample, plan) for metric, value, drawn, a in parts]


def _bca(metric: Metric, value: float, drawn: Floats, acceleration: float, sample: Sample, plan: Plan) -> Interval:
    known = drawn[np.isfinite(drawn)]
    method = plan.resampling(f"BCa bootstrap{sample.units_named}", len(drawn))
    if len(known) < (1 - MOST_UNDEFINED) * len(drawn):
        lost = 1 - len(known) / len(drawn)
        return missing(method, f"the value is undefined in {lost:.0%} of the resamples: too few examples bear on it")
    if np.ptp(known) <= 1e-12 * abs(value):
        return edge_interval(metric, value, sample, plan)
    bounds = bca_bounds(value, known, acceleration, sample.bootstrap_reach(plan.tail))
    if bounds is None:
        return missing(method, "the value lies in the tail of its own bootstrap distribution, or outside it")
    return Interval(*bounds, method)
