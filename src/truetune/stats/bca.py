"""Bias-corrected and accelerated bootstrap bounds (Efron 1987)."""

from __future__ import annotations

import numpy as np

from truetune.stats.quantiles import normal_below, normal_quantile
from truetune.types import Floats


def bca_bounds(value: float, resampled: Floats, acceleration: float, reach: float) -> tuple[float, float] | None:
    """Return the bounds, or None where the resamples do not surround the value.

    `resampled` `[resamples]` are finite; resamples equal to the value count half. `reach` is the normal
    quantile to go out to on both sides: 1.96 for 95 % by Efron's formula, somewhat more with few units.
    """
    below = float(np.mean(resampled < value) + np.mean(resampled == value) / 2)
    if not 0 < below < 1:
        return None
    bias = normal_quantile(below)
    low, high = np.quantile(resampled, [_share(bias, side * reach, acceleration) for side in (-1, 1)])
    return float(low), float(high)


def _share(bias: float, quantile: float, acceleration: float) -> float:
    moved = bias + quantile
    slope = 1 - acceleration * moved
    if slope <= 0:  # beyond the pole of the correction: the extreme resample
        return float(quantile > 0)
    return normal_below(bias + moved / slope)
