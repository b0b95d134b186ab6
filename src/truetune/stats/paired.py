"""Paired comparison of two systems on the same examples: difference, interval, p-value, power."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats import delong
from truetune.stats.adjust import max_t
from truetune.stats.binomial import mcnemar_mid_p, paired_difference, wilson
from truetune.stats.coins import Coins
from truetune.stats.edge import NAN, effective_trials, limits_of
from truetune.stats.pairs import Flips, Pairs, flips
from truetune.stats.plan import Plan
from truetune.stats.power import detectable, least_detectable
from truetune.stats.quantiles import normal_quantile, t_quantile, t_two_sided
from truetune.stats.randomisation import joint_coins, randomisation_p, signed_sums, swapped_differences
from truetune.stats.resampling import values
from truetune.stats.sample import Sample
from truetune.stats.spread import spreads
from truetune.types import Floats, Ints


@dataclass(frozen=True, slots=True)
class Paired:
    """What the same examples say of the difference between two systems in one metric."""

    difference: float
    """The second system's value less the first's, whichever direction is better."""
    low: float
    high: float
    p_value: float
    """Two-sided, of no difference; 1 for identical systems."""
    detectable: float
    """The smallest true difference that this many examples would show with 80 % power."""
    gained: int | None
    """Examples right by the second system only; None where an example is more than right or wrong."""
    lost: int | None
    method: str
    """The test, then the interval."""
    reason: str = ""
    """Why a number is undefined (NaN); empty otherwise."""
    swaps: Floats | None = field(default=None, repr=False, compare=False)
    """Where several tests were made jointly: differences after random swaps, the same ones for all of them."""


@dataclass(frozen=True, slots=True)
class PairedTest:
    """Two systems to be compared in some metrics that read the same rows; `plan` is what these can afford."""

    metrics: Sequence[Metric]
    first: Rows
    second: Rows
    plan: Plan


def paired(
    metrics: Sequence[Metric],
    first: Rows,
    second: Rows,
    *,
    groups: Ints | None = None,
    plan: Plan | None = None,
) -> list[Paired]:
    """Return the paired comparison of two systems in each metric; the rows are of the same examples in order.

    Shares of right answers without `groups` `[examples]` are tested by the exact McNemar test (mid-p), areas
    under the ROC curve by DeLong's, everything else by swapping whole examples or groups at random. Swaps and
    resamples are drawn once for all metrics.
    """
    plan = plan or Plan()
    pairs = Pairs.of(first, second, groups)
    return _compared(metrics, pairs, plan, None)


def paired_jointly(
    tests: Sequence[PairedTest], *, groups: Ints | None = None, plan: Plan | None = None
) -> list[list[Paired]]:
    """Return the comparisons of several tests on the same examples, all made with the same swaps.

    Each comparison is that of `paired`, up to the random swaps, and holds its `swaps` for
    `stats.adjust.max_t`: it may have fewer of them than another, the first ones.
    """
    plan = plan or Plan()
    pairs = [Pairs.of(test.first, test.second, groups) for test in tests]
    coins = joint_coins([(test.metrics, pair) for test, pair in zip(tests, pairs, strict=True)], plan)
    return [_compared(test.metrics, pair, test.plan, coins) for test, pair in zip(tests, pairs, strict=True)]


def together(found: Sequence[Paired]) -> tuple[list[float], int]:
    """Return the p-values of a family of joint comparisons adjusted by max-T, and on how many swaps.

    None is below its own test's p-value. Comparisons without swaps count as never found.
    """
    drawn = [one.swaps for one in found]
    draws = min((len(swaps) for swaps in drawn if swaps is not None), default=1)
    null = np.array([np.full(draws, np.nan) if swaps is None else swaps[:draws] for swaps in drawn])
    joint = max_t([one.difference for one in found], null)
    return np.fmax([one.p_value for one in found], joint).tolist(), draws


def _compared(metrics: Sequence[Metric], pairs: Pairs, plan: Plan, joint: Coins | None) -> list[Paired]:
    groups = pairs.sample.groups
    observed = list(zip(values(metrics, pairs.first), values(metrics, pairs.second), strict=True))
    defined = [place for place, value in enumerate(observed) if np.isfinite(value).all()]
    found: dict[int, Paired] = {}
    for place in defined:
        metric, gap = metrics[place], observed[place][1] - observed[place][0]
        flipped = flips(metric, pairs)
        if groups is None and flipped is not None and np.isclose(abs(gap), flipped.share, rtol=0, atol=1e-9):
            found[place] = _mcnemar(gap, flipped, metric, plan)
        elif metric.interval in delong.AREAS:
            compared = _delong(gap, delong.AREAS[metric.interval], pairs, plan, joint)
            if compared is not None:
                found[place] = compared
    rest = [place for place in defined if place not in found]
    swapping = [place for place in defined if place in rest or (joint and found[place].swaps is None)]
    coins = joint or plan.generator("randomisation")
    drawn = swapped_differences([metrics[place] for place in swapping], pairs, plan.resamples, coins)
    swaps = dict(zip(swapping, drawn, strict=True))
    chosen, gaps = [metrics[place] for place in rest], [observed[place][1] - observed[place][0] for place in rest]
    found.update(zip(rest, _randomised(chosen, gaps, [swaps[place] for place in rest], pairs, plan), strict=True))
    if joint:
        found |= {place: replace(found[place], swaps=some) for place, some in swaps.items()}
    return [
        found[place] if place in found else _undefined(metrics[place], observed[place]) for place in range(len(metrics))
    ]


def _undefined(metric: Metric, observed: tuple[float, float]) -> Paired:
    who = " and ".join(
        name for name, value in zip(("first", "second"), observed, strict=True) if not np.isfinite(value)
    )
    return Paired(NAN, NAN, NAN, NAN, NAN, None, None, "", f"{who} system: {metric.undefined}")


def _mcnemar(gap: float, flipped: Flips, metric: Metric, plan: Plan) -> Paired:
    """Right or wrong: the exact test of the discordant pairs, Tango's interval."""
    up, down = (flipped.gained, flipped.lost)[:: 1 if metric.better == "higher" else -1]
    low, high = paired_difference(up, down, flipped.trials, normal_quantile(plan.tail))
    spread = np.sqrt(up + down - (up - down) ** 2 / flipped.trials) / flipped.trials
    return Paired(
        difference=gap,
        low=low,
        high=high,
        p_value=mcnemar_mid_p(up, down),
        detectable=max(detectable(spread, plan), least_detectable(flipped.trials, plan)),
        gained=flipped.gained,
        lost=flipped.lost,
        method="exact McNemar test (mid-p); Tango score interval",
    )


def _delong(gap: float, area: delong.AreaOf, pairs: Pairs, plan: Plan, joint: Coins | None) -> Paired | None:
    """Areas under the ROC curve; None where the difference shows no spread."""
    sides, sample = (pairs.first, pairs.second), pairs.sample
    golds = zip(*(delong.binary(side) for side in sides), strict=True)
    if not all(np.array_equal(gold, same) for (gold, _), (same, _) in golds):
        raise MetricError("the two systems were scored on different gold; compare them on the same examples")
    one, other = (area(side, sample.groups) for side in sides)
    moves = other.moves - one.moves
    error = delong.standard_error(moves, one.weights)
    if not error > 0:
        return None
    degrees = np.inf if sample.groups is None else sample.degrees
    half = t_quantile(plan.tail, degrees) * error
    return Paired(
        difference=gap,
        low=max(-1.0, gap - half),
        high=min(1.0, gap + half),
        p_value=t_two_sided(gap / error, degrees),
        detectable=detectable(error, plan, degrees),
        gained=None,
        lost=None,
        method=f"paired DeLong test and interval{sample.units_named}",
        swaps=signed_sums(moves, pairs, plan.resamples, joint) if joint else None,
    )


def _randomised(
    metrics: Sequence[Metric], gaps: Sequence[float], swaps: Sequence[Floats], pairs: Pairs, plan: Plan
) -> list[Paired]:
    """Any metric: swaps for the p-value; the interval of the difference as its metric's."""
    if not metrics:
        return []
    found = spreads(metrics, gaps, swaps, pairs, plan)
    test = f"paired randomisation test{pairs.sample.units_named}"
    compared = []
    for metric, gap, swap, spread in zip(metrics, gaps, swaps, found, strict=True):
        flipped = flips(metric, pairs)
        result = Paired(
            difference=gap,
            low=spread.low,
            high=spread.high,
            p_value=randomisation_p(gap, swap),
            detectable=detectable(spread.standard_error, plan, spread.degrees),
            gained=flipped.gained if flipped else None,
            lost=flipped.lost if flipped else None,
            method=f"{plan.resampling(test, len(swap))}; {spread.method}",
            reason=spread.reason,
        )
        moves = spread.standard_error != 0 or spread.reason
        compared.append(result if moves else _without_spread(result, metric, pairs, plan))
    return compared


def _without_spread(found: Paired, metric: Metric, pairs: Pairs, plan: Plan) -> Paired:
    """Where no resample moves the difference: a bound for systems that answer alike, else none."""
    bottom, top = limits_of(metric)
    trials = effective_trials(metric, Sample(pairs.first, pairs.sample.groups))
    if found.difference != 0 or not np.isfinite(top - bottom) or trials <= 0:
        return replace(found, detectable=NAN, reason=f"no {pairs.sample.unit} differs from the others in its change")
    reach = (top - bottom) * wilson(0, trials, normal_quantile(plan.tail))[1]
    return replace(
        found,
        low=-reach,
        high=reach,
        detectable=(top - bottom) * least_detectable(trials, plan),
        method=f"{found.method.partition(';')[0]}; Wilson bound on {trials:.6g} effective trials without change",
    )
