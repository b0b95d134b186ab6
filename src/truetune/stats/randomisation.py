"""The paired randomisation test: swap whole examples (or groups) between the systems, and look again.

If the systems are exchangeable, each example might as well have had its two outputs the other way round,
so the observed difference is one draw of the swapped ones (Fisher 1935; Noreen 1989). Equal pairs are
swapped together: how many of c equal pairs are swapped is one binomial draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from truetune.metric import Additive, Metric
from truetune.rows import Rows
from truetune.stats.pairs import Pairs
from truetune.stats.resampling import chunks, resamples_of, summing
from truetune.types import Floats, Ints

BITS = 8
"""Up to this many equal units are swapped by the bits of one random byte; more by a binomial draw."""


def swapped(weights: Ints, resamples: int, width: int, rng: np.random.Generator) -> Iterator[tuple[slice, Floats]]:
    """Yield chunks `[draws, distinct]` of how many of each kind of unit are swapped, one fair coin a unit."""
    distinct = len(weights)
    many = np.flatnonzero(weights > BITS)
    coins = ((1 << np.minimum(weights, BITS)) - 1).astype(np.uint8)
    for part in chunks(resamples, max(width, distinct)):
        size = part.stop - part.start
        if len(many) == distinct:
            yield part, rng.binomial(weights, 0.5, size=(size, distinct)).astype(np.float64)
            continue
        thrown = np.frombuffer(rng.bytes(size * distinct), dtype=np.uint8).reshape(size, distinct)
        counts = _set_bits(thrown & coins).astype(np.float64)
        if len(many):
            counts[:, many] = rng.binomial(weights[many], 0.5, size=(size, len(many)))
        yield part, counts


def _set_bits(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return how many bits of each byte are set: of each pair, then each four, then all eight."""
    pairs = codes - ((codes >> 1) & 0x55)
    fours = (pairs & 0x33) + ((pairs >> 2) & 0x33)
    eights: npt.NDArray[np.uint8] = (fours + (fours >> 4)) & 0x0F
    return eights


def swapped_differences(
    metrics: Sequence[Metric], pairs: Pairs, resamples: int, rng: np.random.Generator
) -> list[Floats]:
    """Return the difference (second less first) after each random swap, `[resamples]` for each metric.

    All additive metrics see the same swaps, so that theirs are a joint distribution under the null
    hypothesis. NaN where a swap leaves a metric undefined.
    """
    values = [np.full(number, np.nan) for number in resamples_of(metrics, pairs.sample, resamples)]
    added = {place: metric.formula for place, metric in enumerate(metrics) if isinstance(metric, Additive)}
    pooled = [place for place in range(len(metrics)) if place not in added]
    if added:
        units = pairs.sample.units
        first, second = units.totals().astype(np.float64)
        gaps = Rows.of(units.table[:, 1] - units.table[:, 0])  # what a swap moves; equal gaps are one kind
        moving = (gaps.table != 0).any(axis=tuple(range(1, gaps.table.ndim)))
        weights = np.bincount(gaps.index, weights=units.counts, minlength=len(gaps.table)).astype(np.int64)
        total = summing(gaps.table[moving])
        for part, swaps in swapped(weights[moving], resamples, first.size, rng):
            moved = total(swaps)
            with np.errstate(divide="ignore", invalid="ignore"):
                for place, formula in added.items():
                    values[place][part] = formula(second - moved) - formula(first + moved)
    if pooled:
        members = pairs.sample.members()
        whole, distinct = pairs.first.counts, len(pairs.first.table)
        rows = {place: _comparable(metrics[place], pairs) for place in pooled}
        for part, swaps in swapped(members.weights, len(values[pooled[0]]), 8 * distinct, rng):
            away = swaps if pairs.sample.groups is None else np.asarray(swaps @ members.counts)
            stay = whole - away
            first_has, second_has = np.hstack([stay, away]), np.hstack([away, stay])
            for place in pooled:
                metric, both = metrics[place], rows[place]
                values[place][part] = metric.value(both, second_has) - metric.value(both, first_has)
    return values


def randomisation_p(observed: float, swaps: Floats) -> float:
    """Return the two-sided p-value, counting the observed difference among the swapped ones.

    Undefined swaps count against the finding. Ties (up to rounding) count: p = 1 for identical systems.
    """
    at_least = ~(np.abs(swaps) < abs(observed) * (1 - 1e-9) - 1e-15)
    return float((np.sum(at_least) + 1) / (len(swaps) + 1))


def _comparable(metric: Metric, pairs: Pairs) -> Rows:
    """Return both systems' rows in one table, first then second, on a common scale where only ranks matter.

    Scores of two systems may have different scales, and mixing them would then break either ranking. A
    metric that reads (gold, score) and does not change when each system's scores become ranks is tested on
    the ranks.
    """
    sides = (pairs.first, pairs.second)
    if pairs.first.table.ndim == 2 and pairs.first.table.shape[1] == 2:
        ranked = [_ranked(side) for side in sides]
        if all(
            np.isclose(metric.value(side), metric.value(rank), rtol=0, atol=1e-12)
            for side, rank in zip(sides, ranked, strict=True)
        ):
            sides = (ranked[0], ranked[1])
    table = np.concatenate([side.table for side in sides])
    return Rows(table, pairs.first.index, pairs.first.labels)


def _ranked(rows: Rows) -> Rows:
    """Return rows of (gold, score) with each score replaced by the share of examples below it, ties half."""
    scores, place = np.unique(rows.table[:, 1], return_inverse=True)
    held = np.bincount(place, weights=rows.counts, minlength=len(scores))
    ranks = (np.cumsum(held) - held / 2) / held.sum()
    return Rows(np.stack([rows.table[:, 0], ranks[place]], axis=1), rows.index, rows.labels)
