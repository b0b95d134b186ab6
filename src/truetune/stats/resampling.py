"""Drawing units with replacement, and summing what was drawn.

Drawing n units of which many are equal is one multinomial draw over the distinct ones; where nearly all
differ, counting drawn positions is cheaper. Both have exactly the distribution of the ordinary bootstrap.
Work goes in chunks, so that memory does not grow with the number of resamples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.metric import Additive, Metric
from truetune.rows import Rows
from truetune.stats.sample import Sample
from truetune.types import Floats, Ints

CELLS = 2_000_000
"""Numbers in one chunk of one array: 16 MB, and a few such arrays live at a time."""
MULTINOMIAL_COST = 10
"""One multinomial cell takes about as long as ten drawn positions (measured)."""
POOLED_WORK = 20_000_000
"""Examples that a pooled metric may go over in all its resamples together: some seconds."""
POOLED_LEAST = 1_000
"""It gets as many resamples all the same."""
SPARSE_ABOVE = 256
"""Tables wider than this and mostly zero (many labels) are summed as sparse matrices."""


def chunks(number: int, width: int) -> Iterator[slice]:
    """Yield slices of `range(number)` such that an array of `width` columns stays within `CELLS`."""
    size = max(1, CELLS // max(1, width))
    for start in range(0, number, size):
        yield slice(start, min(start + size, number))


def drawn(weights: Ints, resamples: int, width: int, rng: np.random.Generator) -> Iterator[tuple[slice, Floats]]:
    """Yield chunks `[draws, distinct]` of how often each distinct unit is drawn with replacement.

    `weights` `[distinct]` says how many units are equal; every draw is of `weights.sum()` units. `width`
    is how many numbers the caller makes of one draw.
    """
    distinct, units = len(weights), int(weights.sum())
    multinomial = MULTINOMIAL_COST * distinct < units
    owner = np.repeat(np.arange(distinct), weights)
    for part in chunks(resamples, max(width, distinct if multinomial else units)):
        size = part.stop - part.start
        if multinomial:
            yield part, rng.multinomial(units, weights / units, size=size).astype(np.float64)
        else:
            counts = np.empty((size, distinct))
            for draw, positions in enumerate(rng.integers(0, units, size=(size, units), dtype=np.int32)):
                counts[draw] = np.bincount(positions if distinct == units else owner[positions], minlength=distinct)
            yield part, counts


def summing(table: npt.NDArray[Any]) -> Callable[[Floats], Floats]:
    """Return the function that sums rows of `table` `[distinct, ...]` for counts `[draws, distinct]`."""
    shape = table.shape[1:]
    flat = table.reshape(len(table), int(np.prod(shape, dtype=int)))
    if flat.shape[1] > SPARSE_ABOVE and np.count_nonzero(flat) * 10 < flat.size:
        from scipy import sparse

        thin = sparse.csr_array(flat).astype(np.float64)
        return lambda counts: np.asarray(counts @ thin).reshape(len(counts), *shape)
    dense = np.ascontiguousarray(flat, dtype=np.float64)
    return lambda counts: (counts @ dense).reshape(len(counts), *shape)


def values(metrics: Sequence[Metric], rows: Rows) -> list[float]:
    """Return the value of each metric over `rows`, which additive metrics sum only once; NaN without rows."""
    if not len(rows):
        return [float("nan")] * len(metrics)
    totals = rows.totals() if any(isinstance(metric, Additive) for metric in metrics) else None
    with np.errstate(divide="ignore", invalid="ignore"):
        return [
            float(metric.formula(totals))
            if isinstance(metric, Additive) and totals is not None
            else float(metric.value(rows))
            for metric in metrics
        ]


def resamples_of(metrics: Sequence[Metric], sample: Sample, resamples: int) -> list[int]:
    """Return how many resamples each metric gets: fewer for a pooled metric of many examples.

    A pooled metric goes over all examples in every resample. What it saves in resamples costs its bounds
    little, and the signature states the number.
    """
    affordable = max(POOLED_LEAST, POOLED_WORK // max(1, len(sample.rows)))
    return [resamples if isinstance(metric, Additive) else min(resamples, affordable) for metric in metrics]


def resampled_values(
    metrics: Sequence[Metric], sample: Sample, resamples: int, rng: np.random.Generator
) -> list[Floats]:
    """Return the value of each metric in each bootstrap resample, `[resamples]` each.

    All additive metrics see the same draws, and all others do. Undefined values are NaN.
    """
    found = [np.full(number, np.nan) for number in resamples_of(metrics, sample, resamples)]
    added = {place: metric.formula for place, metric in enumerate(metrics) if isinstance(metric, Additive)}
    pooled = [place for place in range(len(metrics)) if place not in added]
    if added:
        units = sample.units
        total = summing(units.table)
        width = int(np.prod(units.table.shape[1:], dtype=int))
        for part, counts in drawn(units.counts, resamples, width, rng):
            totals = total(counts)
            with np.errstate(divide="ignore", invalid="ignore"):
                for place, formula in added.items():
                    found[place][part] = formula(totals)
    if pooled:
        members = sample.members()
        distinct = members.counts.shape[1]
        for part, counts in drawn(members.weights, len(found[pooled[0]]), 4 * distinct, rng):
            held = counts if sample.groups is None else np.asarray(counts @ members.counts)
            for place in pooled:
                found[place][part] = metrics[place].value(sample.rows, held)
    return found
