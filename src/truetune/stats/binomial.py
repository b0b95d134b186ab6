"""Intervals and tests for counts of hits among trials.

Sources: Wilson (1927); Clopper and Pearson (1934); Tango (1998, Statistics in Medicine 17:891) for the
difference of paired proportions; Lancaster (1961) and Fagerland et al. (2013) for the mid-p McNemar test.
"""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite, sqrt

from truetune.errors import MetricError


def wilson(hits: float, trials: float, quantile: float) -> tuple[float, float]:
    """Return Wilson's score bounds for `hits` of `trials`; `quantile` is 1.96 for 95 %.

    Trials may be an effective number (not whole), and the quantile one of Student's t. The bounds are
    never equal: 0 of 10 and 10 of 10 keep the room that ten trials leave.
    """
    if not (trials > 0 and 0 <= hits <= trials and isfinite(trials)):
        raise MetricError(f"{hits} hits of {trials} trials; expected 0 <= hits <= trials, and trials above 0")
    share, shrink = hits / trials, quantile**2 / trials
    centre = (share + shrink / 2) / (1 + shrink)
    half = sqrt(shrink * (share * (1 - share) + shrink / 4)) / (1 + shrink)
    return (0.0 if hits == 0 else centre - half), (1.0 if hits == trials else centre + half)


def clopper_pearson(hits: int, trials: int, level: float) -> tuple[float, float]:
    """Return the exact bounds: coverage is never below `level`, and for most shares well above it."""
    from scipy import special

    if not (trials > 0 and 0 <= hits <= trials):
        raise MetricError(f"{hits} hits of {trials} trials; expected 0 <= hits <= trials, and trials above 0")
    tail = (1 - level) / 2
    low = 0.0 if hits == 0 else float(special.betaincinv(hits, trials - hits + 1, tail))
    high = 1.0 if hits == trials else float(special.betaincinv(hits + 1, trials - hits, 1 - tail))
    return low, high


def mcnemar_mid_p(gained: int, lost: int) -> float:
    """Return the two-sided exact McNemar mid-p value of the discordant pairs; 1 where there is none."""
    from scipy import special

    pairs, fewer = gained + lost, min(gained, lost)
    if pairs == 0:
        return 1.0
    at_most = float(special.bdtr(fewer, pairs, 0.5))
    below = float(special.bdtr(fewer - 1, pairs, 0.5)) if fewer else 0.0
    return min(1.0, at_most + below)  # 2 * (P(X < k) + P(X = k) / 2)


def paired_difference(gained: int, lost: int, trials: int, quantile: float) -> tuple[float, float]:
    """Return Tango's score bounds for the difference of two paired proportions, (gained - lost) / trials.

    They cover also where few pairs or none are discordant, where mean and standard error do not.
    """
    estimate = (gained - lost) / trials

    def inside(difference: float) -> bool:
        # The variance at a supposed difference, with the maximum likelihood share of lost pairs.
        a = 2 * trials
        b = -gained - lost + (2 * trials - gained + lost) * difference
        c = -lost * difference * (1 - difference)
        share = (sqrt(max(0.0, b * b - 4 * a * c)) - b) / (2 * a)
        variance = trials * (2 * share + difference * (1 - difference))
        return (gained - lost - trials * difference) ** 2 <= quantile**2 * variance

    return _edge(inside, estimate, -1.0), _edge(inside, estimate, 1.0)


def _edge(inside: Callable[[float], bool], start: float, limit: float) -> float:
    """Return by bisection where `inside` ends between `start`, which is inside, and `limit`."""
    if inside(limit):
        return limit
    within, beyond = start, limit
    for _ in range(60):
        middle = (within + beyond) / 2
        within, beyond = (middle, beyond) if inside(middle) else (within, middle)
    return within
