"""Many comparisons at once: p-values that hold for all of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from truetune.types import Floats


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's (1979) adjusted p-values: the chance of any false finding is kept, whatever depends on what.

    Undefined p-values (NaN) stay so and are not counted.
    """
    return _adjusted(p_values, lambda ordered: np.maximum.accumulate(ordered * np.arange(len(ordered), 0, -1)))


def bonferroni(p_values: Sequence[float], tests: int) -> list[float]:
    """Return p-values that hold for as many tests, or families of tests, of which these are one (Bonferroni).

    Undefined p-values (NaN) stay so.
    """
    return [min(p * tests, 1.0) if p == p else p for p in p_values]


def benjamini_hochberg(p_values: Sequence[float]) -> list[float]:
    """Return Benjamini and Hochberg's (1995) adjusted p-values: the share of false findings is kept.

    Undefined p-values (NaN) stay so and are not counted.
    """

    def step_up(ordered: Floats) -> Floats:
        scaled = ordered * len(ordered) / np.arange(1, len(ordered) + 1)
        return np.asarray(np.minimum.accumulate(scaled[::-1])[::-1])

    return _adjusted(p_values, step_up)


def max_t(observed: Sequence[float], null: Floats) -> list[float]:
    """Return the step-down max-T p-values of Westfall and Young (1993), which use how metrics go together.

    `observed` `[metrics]` are differences, `null` `[metrics, resamples]` those after random swaps, all
    metrics on the same swaps. Each is measured in its own standard deviations under swapping; an undefined
    swap counts against the metric itself. NaN for metrics that are undefined or that no swap moves; they are
    not counted.
    """
    real = np.asarray(observed, dtype=np.float64)
    found = np.full(len(real), np.nan)
    defined = np.isfinite(null)
    with np.errstate(invalid="ignore", divide="ignore"):
        scale = np.sqrt(np.where(defined, null, 0.0) ** 2 @ np.ones(null.shape[1]) / defined.sum(axis=1))
    known = np.flatnonzero(np.isfinite(real) & np.isfinite(scale) & (scale > 0))
    order = known[np.argsort(-np.abs(real[known] / scale[known]), kind="stable")]
    largest = np.zeros(null.shape[1])
    p_values = np.ones(len(order))
    for place in range(len(order) - 1, -1, -1):  # from the least: each sees the maximum over those below it
        metric = order[place]
        largest = np.fmax(largest, np.abs(null[metric]) / scale[metric])
        statistic = abs(real[metric]) / scale[metric]
        reached = np.sum((largest >= statistic * (1 - 1e-9)) | ~defined[metric])
        p_values[place] = (reached + 1) / (null.shape[1] + 1)
    found[order] = np.maximum.accumulate(p_values)
    return found.tolist()


def _adjusted(p_values: Sequence[float], step: Callable[[Floats], Floats]) -> list[float]:
    given = np.asarray(p_values, dtype=np.float64)
    known = np.flatnonzero(~np.isnan(given))
    order = known[np.argsort(given[known], kind="stable")]
    found = np.full(len(given), np.nan)
    found[order] = np.minimum(1.0, step(given[order]))
    return found.tolist()
