"""Quantiles and tails of the normal and of the t distribution.

scipy is imported inside: the commands that need no interval should not wait for it.
"""

from __future__ import annotations

from math import erfc, inf, sqrt
from statistics import NormalDist

import numpy as np

from truetune.types import Floats

_NORMAL = NormalDist()


def normal_quantile(probability: float) -> float:
    """Return the standard normal quantile; probabilities of 0 and 1 give the infinities."""
    if not 0 < probability < 1:
        return -inf if probability <= 0 else inf
    return _NORMAL.inv_cdf(probability)


def normal_below(z: float) -> float:
    """Return P(Z <= z), accurate in the lower tail."""
    return erfc(-z / sqrt(2)) / 2


def t_quantile(probability: float, degrees: float) -> float:
    """Return the quantile of Student's t; infinite degrees of freedom give the normal."""
    from scipy import special

    return float(special.stdtrit(degrees, probability)) if np.isfinite(degrees) else normal_quantile(probability)


def t_two_sided(t: float, degrees: float) -> float:
    """Return P(|T| >= |t|)."""
    from scipy import special

    return float(2 * special.stdtr(degrees, -abs(t))) if np.isfinite(degrees) else 2 * normal_below(-abs(t))


def logistic(x: float | Floats) -> Floats:
    """Return 1 / (1 + exp(-x)), the inverse of the logit, without overflow."""
    return np.exp(-np.logaddexp(0.0, -np.asarray(x, dtype=np.float64)))


def degrees_named(degrees: float) -> str:
    """Return degrees of freedom as signatures print them: whole, or with one digit where few and not whole."""
    whole = degrees >= 100 or abs(degrees - round(degrees)) < 0.05
    return f"{degrees:,.0f} degrees of freedom" if whole else f"{degrees:.1f} degrees of freedom"
