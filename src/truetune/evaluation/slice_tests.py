"""Is a slice worse than the rest? Tests of examples inside against those outside, which share none.

Shares of independent examples: Fisher's exact test with mid-p. Other means and ratios: each example's (or group's) part
in the difference of the two, as in `stats/linearised.py`, and Student's t.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.evaluation.support import SMALL
from truetune.stats.quantiles import t_quantile, t_two_sided
from truetune.types import Bools, Floats, Ints

NAN = float("nan")


@dataclass(frozen=True)
class Difference:
    """How a mean inside a slice differs from that of the rest."""

    inside: float
    rest: float
    difference: float
    low: float
    high: float
    p_value: float
    """Two-sided; NaN where the slice or the rest is too small to say."""
    p_greater: float
    """One-sided: of a mean inside the slice that is so much greater by chance."""


UNKNOWN = Difference(NAN, NAN, NAN, NAN, NAN, NAN, NAN)


@dataclass(frozen=True, eq=False)
class Parts:
    """Each example's numerator and denominator `[examples]` of a mean or ratio, and its group where there are some."""

    above: Floats
    below: Floats
    groups: Ints | None = None

    @property
    def shares(self) -> bool:
        """Whether every example is a hit or a miss, alone."""
        return self.groups is None and bool((self.below == 1).all() and np.isin(self.above, (0.0, 1.0)).all())


def against_rest(parts: Parts, inside: Bools, level: float) -> Difference:
    """Return the difference between the examples `inside` and all others, with its interval."""
    sums = [(float(parts.above[side].sum()), float(parts.below[side].sum())) for side in (inside, ~inside)]
    if not (sums[0][1] > 0 and sums[1][1] > 0):
        return UNKNOWN
    one, other = (above / below for above, below in sums)
    change = np.where(inside, (parts.above - one * parts.below) / sums[0][1], 0.0)
    change -= np.where(inside, 0.0, (parts.above - other * parts.below) / sums[1][1])
    if parts.groups is not None:
        number = int(parts.groups.max()) + 1
        change = np.bincount(parts.groups, weights=change, minlength=number)
        sizes = [len(np.unique(parts.groups[side])) for side in (inside, ~inside)]
    else:
        sizes = [int((parts.below[side] != 0).sum()) for side in (inside, ~inside)]
    units = len(change)
    error = float(np.sqrt(units / max(units - 1, 1) * (change**2).sum()))
    difference = one - other
    degrees = max(min(sizes) - 1, 1)
    half = t_quantile((1 + level) / 2, degrees) * error
    large = min(sizes) >= SMALL
    p_value = greater = NAN
    if parts.shares:
        p_value, greater = fisher_mid_p(int(sums[0][0]), int(sums[0][1]), int(sums[1][0]), int(sums[1][1]))
    elif large and error > 0:
        p_value = t_two_sided(difference / error, degrees)
        greater = p_value / 2 if difference > 0 else 1 - p_value / 2
    low, high = (difference - half, difference + half) if large and error > 0 else (NAN, NAN)
    return Difference(one, other, difference, low, high, p_value, greater)


def fisher_mid_p(hits: int, trials: int, other_hits: int, other_trials: int) -> tuple[float, float]:
    """Return Fisher's p-values of two independent shares: two-sided, and of the first being greater.

    Tables as probable as the one seen (one-sided: that one) count half. The one-sided value is no half of the other:
    of a rare kind the other side may hold no table that is as improbable.
    """
    from scipy import special

    total, all_hits = trials + other_trials, hits + other_hits
    possible = np.arange(max(0, all_hits - other_trials), min(trials, all_hits) + 1)

    def chosen(n: Floats | int, k: Floats | Ints) -> Floats:
        found: Floats = special.gammaln(n + 1) - special.gammaln(k + 1) - special.gammaln(n - k + 1)
        return found

    logs = chosen(trials, possible) + chosen(other_trials, all_hits - possible)
    logs -= float(chosen(total, np.array([all_hits]))[0])
    chance = np.exp(logs)
    place = hits - int(possible[0])
    seen = chance[place]
    rarer = chance < seen * (1 - 1e-9)
    alike = ~rarer & (chance <= seen * (1 + 1e-9))
    two_sided = float(min(chance[rarer].sum() + chance[alike].sum() / 2, 1.0))
    return two_sided, float(min(chance[place + 1 :].sum() + seen / 2, 1.0))
