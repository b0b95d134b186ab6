"""Bias-corrected and accelerated bootstrap bounds (Efron 1987)."""

from __future__ import annotations

import numpy as np

from truetune.stats.quantiles import normal_below, normal_quantile
from truetune.types import Floats


def bca_bounds(value: float, resampled: Floats, acceleration: float, reach: float) -> tuple[float, float] | None:
    """Return the bounds, or None where the value lies in the tail of the resamples, or outside of them.

    A bias of more than `reach` would correct the bounds to beyond the value that they are meant to surround:
    such resamples are no picture of how the value varies (groups that hold all examples of a label, say).
    `resampled` `[resamples]` are finite; resamples equal to the value count half. `reach` is the normal
    quantile to go out to on both sides: 1.96 for 95 % by Efron's formula, somewhat more with few units.
    """
    below = float(np.mean(resampled < value) + np.mean(resampled == value) / 2)
    if not 0 < below < 1:
        return None
    bias = normal_quantile(below)
    low, high = np.quantile(resampled, [_share(bias, side * reach, acceleration) for side in (-1, 1)])
    slack = 1e-12 * abs(value)
    return (float(low), float(high)) if low - slack <= value <= high + slack else None


def _share(bias: float, quantile: float, acceleration: float) -> float:
    moved = bias + quantile
    slope = 1 - acceleration * moved
    if slope <= 0:  # beyond the pole of the correction: the extreme resample
        return float(quantile > 0)
    return normal_below(bias + moved / slope)
