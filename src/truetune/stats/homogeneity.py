"""Are two sets of counts of one kind? Exact permutation tests on counts alone.

Where all examples of both sets are exchangeable, which of the pooled ones are in the second set is a draw without
replacement: its counts are multivariate hypergeometric. So no example is needed, only how many fell into each bin, and
the level is kept whatever the sizes, however rare a bin (Fisher's idea; Monte Carlo p-values: Phipson and Smyth 2010).
"""

from __future__ import annotations

import numpy as np

from truetune.types import Floats, Ints

SAME = 1 - 1e-9
"""Statistics that differ by less are equal: the same counts added up in another order."""


def homogeneity_p(first: Ints, second: Ints, ordered: bool, draws: int, rng: np.random.Generator) -> float:
    """Return the p-value of "both are of one distribution" for counts `[bins]`; NaN where one set is empty.

    Ordered bins are compared by Anderson and Darling's statistic (Pettitt 1976), others by Pearson's chi-square.
    """
    pooled = first + second
    kept = pooled > 0
    pooled, size = pooled[kept], int(second.sum())
    if not size or not first.sum():
        return float("nan")
    null = rng.multivariate_hypergeometric(pooled, size, size=draws, method="marginals")
    statistic = _anderson_darling if ordered else _chi_square
    return _reached(statistic(null, pooled), statistic(second[kept][None], pooled)[0])


def strata_p(first: Ints, second: Ints, lower: bool, draws: int, rng: np.random.Generator) -> float:
    """Return the p-value of "in no bin is the share of hits another one" for `[bins, 2]` of examples and hits.

    Within each bin it is permuted which example is in which set, so the bins themselves may come more or less often.
    The statistic is how far the hits of the second set are from their mean under permutation: less than it with
    `lower`, else either way. NaN where no bin has examples of both.
    """
    examples, hits = (first + second).T
    inside = second[:, 0]
    both = (first[:, 0] > 0) & (inside > 0)
    if not both.any():
        return float("nan")
    examples, hits, inside, found = examples[both], hits[both], inside[both], second[both, 1]
    null = rng.hypergeometric(hits, examples - hits, inside, size=(draws, len(hits))).sum(axis=1)
    away = null - (inside * hits / examples).sum()
    seen = float(found.sum() - (inside * hits / examples).sum())
    return _reached(-away, -seen) if lower else _reached(np.abs(away), abs(seen))


def _reached(null: Floats, seen: float) -> float:
    least = seen * SAME if seen > 0 else seen - 1e-9
    return float((1 + np.sum(null >= least)) / (1 + len(null)))


def _chi_square(counts: Ints, pooled: Ints) -> Floats:
    expected = counts.sum(axis=1, keepdims=True) * pooled / pooled.sum()
    total: Floats = ((counts - expected) ** 2 / expected).sum(axis=1)
    return total


def _anderson_darling(counts: Ints, pooled: Ints) -> Floats:
    below = np.cumsum(pooled)[:-1] / pooled.sum()
    share = np.cumsum(counts, axis=1)[:, :-1] / counts.sum(axis=1, keepdims=True)
    total: Floats = (pooled[:-1] * (share - below) ** 2 / (below * (1 - below))).sum(axis=1)
    return total
