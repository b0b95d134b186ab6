"""The jackknife: the value without each unit in turn. It gives standard errors, and BCa its acceleration."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from truetune.metric import Additive, Metric
from truetune.stats.resampling import chunks
from truetune.stats.sample import Sample
from truetune.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class Jackknife:
    """What leaving units out says about each metric, `[metrics]` each."""

    standard_error: Floats
    acceleration: Floats
    """A sixth of the skewness of the value (Efron 1987, formula 6.6)."""


def jackknife(metrics: Sequence[Metric], sample: Sample, values: Floats, blocks: np.random.Generator) -> Jackknife:
    """Return standard error and acceleration of each metric; a leave-out that is undefined is passed over.

    `values` `[metrics]` are those of the whole sample; `blocks` merges units at random where a pooled
    metric has too many of them to leave out one by one.
    """
    error, acceleration = np.full(len(metrics), np.nan), np.zeros(len(metrics))
    added = [place for place, metric in enumerate(metrics) if isinstance(metric, Additive)]
    pooled = [place for place in range(len(metrics)) if place not in set(added)]
    for places, left_out in ((added, _without_row), (pooled, _without_members)):
        if places:
            chosen = [metrics[place] for place in places]
            error[places], acceleration[places] = _moments(left_out(chosen, sample, blocks), values[places])
    return Jackknife(error, acceleration)


def influences(metric: Metric, sample: Sample) -> Floats:
    """Return how much each unit lifts the value, `[units]`: (n - 1) * (value - value without it).

    Their mean is nearly 0, and their standard deviation over sqrt(n) the standard error of the value. A
    unit without which the value is undefined counts 0.
    """
    value = float(metric.value(sample.rows))
    if isinstance(metric, Additive):
        left_out, index = _without_row([metric], sample, None), sample.units.index
    else:
        index = sample.rows.index if sample.groups is None else np.arange(sample.size)
        left_out = _without_members([metric], sample, None)
    rest = np.concatenate([values[0] for _, values in left_out])[index]
    return np.where(np.isfinite(rest), (sample.size - 1) * (value - rest), 0.0)


def _moments(parts: Iterator[tuple[Ints, Floats]], values: Floats) -> tuple[Floats, Floats]:
    """Return standard errors and accelerations from (weights `[units]`, values `[metrics, units]`) parts.

    Powers of the change from the full sample's `values` `[metrics]` are summed part by part.
    """
    powers = np.zeros((4, len(values)))
    for weights, left_out in parts:
        known = np.isfinite(left_out)
        change = np.where(known, left_out - values[:, None], 0.0)
        for power in range(4):
            powers[power] += np.where(known, change**power, 0.0) @ weights
    units, first, second, third = powers
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = first / units
        square = second - units * mean**2
        cube = third - 3 * mean * second + 2 * units * mean**3
        square[square <= 1e-12 * second] = 0.0  # equal changes, up to rounding
        error = np.where(units >= 2, np.sqrt((units - 1) / units * square), np.nan)
        return error, np.where(square > 0, -cube / (6 * square**1.5), 0.0)


def _without_row(
    metrics: Sequence[Metric], sample: Sample, _: np.random.Generator | None
) -> Iterator[tuple[Ints, Floats]]:
    """Yield the values of additive metrics without one unit, for each distinct unit."""
    units = sample.units
    totals, weights = units.totals(), units.counts
    for part in chunks(len(units.table), max(totals.size, len(metrics))):
        rest = totals - units.table[part]
        with np.errstate(divide="ignore", invalid="ignore"):
            values = [metric.formula(rest) for metric in metrics if isinstance(metric, Additive)]
        yield weights[part], np.array(values)


def _without_members(
    metrics: Sequence[Metric], sample: Sample, blocks: np.random.Generator | None
) -> Iterator[tuple[Ints, Floats]]:
    """Yield the values of pooled metrics without one unit, for each distinct unit or block of units."""
    members, whole = sample.members(blocks), sample.rows.counts
    for part in chunks(len(members.weights), 4 * len(whole)):
        rest = whole - members.counts[part].toarray()
        yield members.weights[part], np.array([metric.value(sample.rows, rest) for metric in metrics])
