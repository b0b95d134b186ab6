"""Several training runs (seeds) of one recipe, scored on the same examples.

One run's interval says how the score of that model would vary over test sets. It says nothing about
another run: for that the spread between runs counts too. The two sources are separated as variance
components of a two-way layout, run x example, without replication (Searle, Casella and McCulloch 1992),
with Satterthwaite's degrees of freedom.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats.jackknife import influences
from truetune.stats.plan import Plan
from truetune.stats.quantiles import degrees_named, t_quantile, t_two_sided
from truetune.stats.sample import BLOCKS, MOST_LEFT_OUT, Sample
from truetune.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class AcrossSeeds:
    """A mean over runs, or a difference of two such means, for new runs and new examples."""

    value: float
    low: float
    high: float
    p_value: float
    """Two-sided, of a difference of 0; NaN for the mean of one recipe."""
    seed_deviation: float
    """Standard deviation of the metric from run to run, sampling of examples taken out; of two recipes,
    the root of the mean of the two variances."""
    example_error: float
    """Standard error that the examples alone leave, were there endless runs and these examples."""
    degrees: float
    method: str


@dataclass(frozen=True, slots=True)
class _Part:
    """A mean square's share in the variance of the value, with its degrees of freedom."""

    variance: float
    degrees: float


def across_seeds(
    metric: Metric, runs: Sequence[Rows], *, groups: Ints | None = None, plan: Plan | None = None
) -> AcrossSeeds:
    """Return the mean value of a recipe over its runs, with an interval for further runs and examples.

    `runs` are the rows of each run on the same examples in the same order. Raises `MetricError` for fewer
    than two runs: one run shows nothing of the spread between runs.
    """
    plan = plan or Plan()
    return _combined([_contributions(metric, runs, groups, plan)], plan, "mean")


def seeds_difference(
    metric: Metric,
    first: Sequence[Rows],
    second: Sequence[Rows],
    *,
    groups: Ints | None = None,
    plan: Plan | None = None,
) -> AcrossSeeds:
    """Return the mean of the second recipe's runs less that of the first's, on the same examples.

    The runs of the two recipes are taken as independent of each other; they need not be equally many.
    """
    plan = plan or Plan()
    sides = [_contributions(metric, runs, groups, plan) for runs in (second, first)]
    return _combined(sides, plan, "difference")


def _contributions(metric: Metric, runs: Sequence[Rows], groups: Ints | None, plan: Plan) -> Floats:
    """Return `[runs, units]` whose means over units are the runs' values (jackknife pseudo-values)."""
    if len(runs) < 2:
        raise MetricError(
            f"{len(runs)} run was given; the spread between runs needs at least two, and three or more to be useful"
        )
    if len({len(run) for run in runs}) > 1:
        raise MetricError(f"the runs have {', '.join(f'{len(run):,}' for run in runs)} examples; expected the same")
    if groups is None and not metric.additive and len(runs[0]) > MOST_LEFT_OUT:
        groups = plan.generator("jackknife blocks").permutation(len(runs[0])) % BLOCKS
    lines = []
    for run in runs:
        sample = Sample.of(run, groups)
        lifts = influences(metric, sample)
        lines.append(float(metric.value(sample.rows)) + lifts - lifts.mean())
    return np.array(lines)


def _combined(sides: Sequence[Floats], plan: Plan, what: str) -> AcrossSeeds:
    signs = [1.0, -1.0][: len(sides)]
    value = float(sum(sign * side.mean() for sign, side in zip(signs, sides, strict=True)))
    units = sides[0].shape[1]
    by_unit = sum(sign * side.mean(axis=0) for sign, side in zip(signs, sides, strict=True))
    parts = [_Part(float(np.var(by_unit, ddof=1)) / units, units - 1)]
    between = []
    for side in sides:
        runs = len(side)
        seeds = units * float(np.var(side.mean(axis=1), ddof=1))
        left = side - side.mean(axis=1, keepdims=True) - side.mean(axis=0) + side.mean()
        rest = float(np.sum(left**2)) / ((runs - 1) * (units - 1))
        between.append(max(0.0, seeds - rest) / units)
        if seeds > rest:
            parts += [
                _Part(seeds / (runs * units), runs - 1),
                _Part(-rest / (runs * units), (runs - 1) * (units - 1)),
            ]
    variance = sum(part.variance for part in parts)
    degrees = variance**2 / sum(part.variance**2 / part.degrees for part in parts) if variance > 0 else 1.0
    half = t_quantile(plan.tail, degrees) * sqrt(variance)
    runs_named = " and ".join(str(len(side)) for side in reversed(sides))
    return AcrossSeeds(
        value=value,
        low=value - half,
        high=value + half,
        p_value=float("nan") if what == "mean" else _p_value(value, variance, degrees),
        seed_deviation=sqrt(float(np.mean(between))),
        example_error=sqrt(parts[0].variance),
        degrees=degrees,
        method=f"variance components of {runs_named} runs x {units:,} units, t, {degrees_named(degrees)}",
    )


def _p_value(value: float, variance: float, degrees: float) -> float:
    if variance == 0:
        return 1.0 if value == 0 else 0.0
    return t_two_sided(value / sqrt(variance), degrees)
