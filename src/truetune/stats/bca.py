"""Bias-corrected and accelerated bootstrap bounds (Efron 1987), widened for the number of units.

The bootstrap draws from n units as if they were the population: its spread is too small by (n-1)/n and
its quantiles are normal where t is right. Hesterberg (2015, The American Statistician 69:371) moves the
quantiles out accordingly; with many units the change vanishes.
"""

from __future__ import annotations

import numpy as np

from truetune.stats.quantiles import normal_below, normal_quantile, t_quantile
from truetune.types import Floats


def bca_bounds(
    value: float, resampled: Floats, acceleration: float, units: int, tail: float
) -> tuple[float, float] | None:
    """Return the bounds, or None where the resamples do not surround the value.

    `resampled` `[resamples]` are finite; resamples equal to the value count half. `tail` is 0.975 for 95 %.
    """
    below = float(np.mean(resampled < value) + np.mean(resampled == value) / 2)
    if not 0 < below < 1:
        return None
    bias = normal_quantile(below)
    reach = t_quantile(tail, units - 1) * np.sqrt(units / (units - 1))
    shares = [_share(bias, sign * reach, acceleration) for sign in (-1, 1)]
    low, high = np.quantile(resampled, shares)
    return float(low), float(high)


def _share(bias: float, quantile: float, acceleration: float) -> float:
    moved = bias + quantile
    slope = 1 - acceleration * moved
    if slope <= 0:  # beyond the pole of the correction: the extreme resample
        return float(quantile > 0)
    return normal_below(bias + moved / slope)
