"""The paired randomisation test: swap whole examples (or groups) between the systems, and look again.

If the systems are exchangeable, each example might as well have had its two outputs the other way round,
so the observed difference is one draw of the swapped ones (Fisher 1935; Noreen 1989). Equal pairs are
swapped together: how many of c equal pairs are swapped is one binomial draw.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from truetune.metric import Additive, Metric
from truetune.rows import Rows
from truetune.stats.coins import Coins, swapped
from truetune.stats.pairs import Pairs
from truetune.stats.plan import Plan
from truetune.stats.resampling import resamples_of, summing
from truetune.types import Floats, Ints

POOLED_WIDTH = 4
"""Numbers that a pooled metric makes of one example and draw."""


def swapped_differences(
    metrics: Sequence[Metric], pairs: Pairs, resamples: int, coins: np.random.Generator | Coins
) -> list[Floats]:
    """Return the difference (second less first) after each random swap, `[resamples]` for each metric.

    All additive metrics see the same swaps, so that theirs are a joint distribution under the null
    hypothesis; with `Coins`, all metrics and all that is compared with these coins. NaN where a swap leaves
    a metric undefined.
    """
    values = [np.full(number, np.nan) for number in resamples_of(metrics, pairs.sample, resamples)]
    if pairs.alike:
        return [np.zeros_like(found) for found in values]
    added = {place: metric.formula for place, metric in enumerate(metrics) if isinstance(metric, Additive)}
    pooled = [place for place in range(len(metrics)) if place not in added]
    if added:
        first, second = pairs.sample.units.totals().astype(np.float64)
        total = summing(pairs.gaps)
        for part, swaps in _tossed(pairs.moved, resamples, first.size, coins):
            moved = total(swaps)
            with np.errstate(divide="ignore", invalid="ignore"):
                for place, formula in added.items():
                    values[place][part] = formula(second - moved) - formula(first + moved)
    if pooled:
        members, units = pairs.sample.members(), pairs.owners
        whole, distinct = pairs.first.counts, len(pairs.first.table)
        rows = {place: _comparable(metrics[place], pairs) for place in pooled}
        for part, swaps in _tossed(units, len(values[pooled[0]]), POOLED_WIDTH * distinct, coins):
            away = swaps if pairs.sample.groups is None else np.asarray(swaps @ members.counts)
            stay, draws = whole - away, len(away)
            held = np.block([[stay, away], [away, stay]])
            for place in pooled:
                reached = metrics[place].value(rows[place], held)
                values[place][part] = reached[draws:] - reached[:draws]
    return values


def signed_sums(moves: Floats, pairs: Pairs, resamples: int, coins: np.random.Generator | Coins) -> Floats:
    """Return the sum of what units add to a difference, with a random sign each, `[resamples]`.

    `moves` are those of DeLong's difference, `[distinct]` or `[groups]`; their squares sum to its variance.
    Swapping the scores themselves would be wrong where two systems have different scales.
    """
    weights = np.bincount(pairs.owners, minlength=len(moves))
    sums = np.full(resamples, np.nan)
    for part, swaps in _tossed(pairs.owners, resamples, len(moves), coins):
        sums[part] = weights @ moves - 2 * (swaps @ moves)
    return sums


def joint_coins(tests: Sequence[tuple[Sequence[Metric], Pairs]], plan: Plan) -> Coins:
    """Return coins for several comparisons on the same units: each metric and candidate sees the same swaps."""
    codes, width = [], 1
    for metrics, pairs in tests:
        added = all(isinstance(metric, Additive) for metric in metrics)
        codes.append(pairs.moved if added else pairs.owners)
        width = max(width, pairs.first.table[0].size if added else POOLED_WIDTH * len(pairs.first.table))
    return Coins.of(codes, width, plan)


def _tossed(
    kinds: Ints, resamples: int, width: int, coins: np.random.Generator | Coins
) -> Iterator[tuple[slice, Floats]]:
    """Yield chunks of how many units of each of `kinds` `[units]` are swapped; -1 is a unit that moves nothing."""
    number = int(kinds.max(initial=-1)) + 1
    if isinstance(coins, Coins):
        return coins.swaps(kinds, number, resamples)
    return swapped(np.bincount(kinds[kinds >= 0], minlength=number), resamples, width, coins)


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
