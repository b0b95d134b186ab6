"""Scores of repeated k-fold cross-validation: an interval that knows that the folds share training data.

The scores of the folds are not independent, so their standard error is too small; Nadeau and Bengio
(2003, Machine Learning 52:239) add the share of test to training examples to 1/n, and Bouckaert and Frank
(2004) carry that over to repeated k-fold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import sqrt

import numpy as np

from truetune.errors import MetricError
from truetune.stats.plan import Plan
from truetune.stats.quantiles import t_quantile, t_two_sided


@dataclass(frozen=True, slots=True)
class CrossValidated:
    """The mean score of a recipe over folds, or of the difference between two recipes."""

    value: float
    low: float
    high: float
    p_value: float
    """Two-sided, of a mean of 0: it has a meaning for differences of two recipes on the same folds."""
    method: str
    reason: str = ""
    """Why the bounds are NaN; empty otherwise."""


def cross_validated(scores: Sequence[float], *, folds: int, plan: Plan | None = None) -> CrossValidated:
    """Return the mean of the folds' scores with the corrected interval.

    `scores` holds one score a fold, of one or more repetitions of `folds`-fold cross-validation. For the
    comparison of two recipes give the differences of their scores on the same folds.
    """
    if folds < 2 or not len(scores) or len(scores) % folds:
        raise MetricError(f"{len(scores)} scores of {folds}-fold cross-validation; expected a multiple of the folds")
    return _corrected(scores, 1 / folds, f"corrected {len(scores) // folds} x {folds}-fold t", plan or Plan())


def split_repeatedly(scores: Sequence[float], *, test_share: float, plan: Plan | None = None) -> CrossValidated:
    """Return the mean over random splits, of which each tests on the same share of the examples, corrected alike."""
    if not 0 < test_share < 1:
        raise MetricError(f"test_share is {test_share}; expected the share of examples in a test part, such as 0.2")
    if len(scores) < 2:
        raise MetricError(f"{len(scores)} scores of random splits; expected two or more")
    return _corrected(scores, test_share, f"corrected t of {len(scores)} splits, {test_share:g} tested", plan or Plan())


def _corrected(scores: Sequence[float], test_share: float, method: str, plan: Plan) -> CrossValidated:
    given = np.asarray(scores, dtype=np.float64)
    if given.ndim != 1:
        raise MetricError(f"scores have shape {list(given.shape)}; expected one number a fold")
    method += f", {len(given) - 1} degrees of freedom"
    value, nan = float(given.mean()), float("nan")
    if not np.isfinite(given).all():
        return CrossValidated(nan, nan, nan, nan, method, "the score of a fold is undefined")
    spread = float(given.std(ddof=1))
    if spread <= 1e-12 * abs(value):
        equal = "all folds score alike: they show no spread to build bounds from"
        return CrossValidated(value, nan, nan, 1.0 if value == 0 else nan, method, equal)
    error = spread * sqrt(1 / len(given) + test_share / (1 - test_share))
    half = t_quantile(plan.tail, len(given) - 1) * error
    p_value = t_two_sided(value / error, len(given) - 1)
    return CrossValidated(value, value - half, value + half, p_value, method)
