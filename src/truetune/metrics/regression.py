"""Metrics of numbers: errors, explained variance, correlations. Fields `value`, `value`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, Pooled
from truetune.metrics.f_measures import quotient
from truetune.metrics.ranks import middle_ranks
from truetune.rows import Rows
from truetune.types import Column, Floats, Numbers

ABSOLUTE, SQUARED, RELATIVE, ZEROS, EXAMPLES = 0, 1, 2, 3, 4
"""The statistics of an error row, in order."""

ROUNDING = 1e-14
"""A variance below this share of the mean square, about a value within the data, is rounding: it is 0."""


def error_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[examples, 5]`: |error|, error^2, |error / gold|, gold is 0, and 1.

    The relative error of a gold value of 0 is entered as 0 and counted. Raises `MetricError` for unequal
    lengths and for values that are not finite.
    """
    true, found = _values(gold, predicted)
    error = np.abs(found - true)
    zero = true == 0
    relative = np.divide(error, np.abs(true), out=np.zeros_like(error), where=~zero)
    table = np.stack([error, error**2, relative, zero, np.ones(len(error))], axis=1)
    return Rows(table, np.arange(len(error), dtype=np.int64))


def value_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[examples, 2]`: gold value, predicted value. Raises as `error_rows`."""
    true, found = _values(gold, predicted)
    return Rows(np.stack([true, found], axis=1), np.arange(len(true), dtype=np.int64))


def _values(gold: Column, predicted: Column) -> tuple[Floats, Floats]:
    true, found = (np.asarray(column, dtype=np.float64) for column in (gold, predicted))
    if true.shape != found.shape or true.ndim != 1:
        raise MetricError(
            f"gold values have shape {true.shape}, predicted ones {found.shape}; expected one of each an example"
        )
    for what, values in (("gold", true), ("predicted", found)):
        finite = np.isfinite(values)
        if not finite.all():
            position = int(np.argmin(finite))
            raise MetricError(f"the {what} value of example {position} is {values[position]}; expected a finite number")
    return true, found


def _mape(sums: Numbers) -> Floats:
    return np.where(sums[..., ZEROS] > 0, np.nan, quotient(sums[..., RELATIVE], sums[..., EXAMPLES]))


def _r2(rows: Rows, counts: Numbers) -> Floats:
    gold, predicted = rows.table.T
    errors = _summed(counts, gold - predicted, gold - predicted)
    return 1 - quotient(errors, _scatter(_centred(gold, counts), counts))


def _pearson(rows: Rows, counts: Numbers) -> Floats:
    gold, predicted = rows.table.T
    return _correlation(_centred(gold, counts), _centred(predicted, counts), counts)


def _spearman(rows: Rows, counts: Numbers) -> Floats:
    half = counts.sum(axis=-1, keepdims=True) / 2
    gold, predicted = (middle_ranks(values, counts) - half for values in rows.table.T)
    return _correlation(gold, predicted, counts)


def _correlation(first: Floats, second: Floats, counts: Numbers) -> Floats:
    """Return Pearson's correlation `[...]` of values `[distinct]` or `[..., distinct]`."""
    number = counts.sum(axis=-1)
    chance = quotient(_summed(counts, first) * _summed(counts, second), number)
    both = _summed(counts, first, second) - chance
    spread = np.sqrt(_scatter(first, counts)) * np.sqrt(_scatter(second, counts))
    return np.clip(quotient(both, spread), -1.0, 1.0)


def _scatter(values: Floats, counts: Numbers) -> Floats:
    """Return the sum of squares about the mean; exactly 0 for constants, in any resample."""
    square = _summed(counts, values, values)
    spread = square - quotient(_summed(counts, values) ** 2, counts.sum(axis=-1))
    return np.where(spread <= ROUNDING * square, 0.0, spread)


def _summed(counts: Numbers, *factors: Floats) -> Floats:
    """Return the sums over examples of the products of `factors`, `[...]`."""
    operands = (counts, *factors)
    summed: Floats = np.einsum(",".join(["...d"] * len(operands)) + "->...", *operands)
    return summed


def _centred(values: Floats, counts: Numbers) -> Floats:
    """Return values less their mean over all resamples, so that squares and products stay exact."""
    weights = counts.sum(axis=tuple(range(counts.ndim - 1)))
    total = weights.sum()
    return values - (weights @ values) / total if total else values


def _mean(place: int) -> Callable[[Numbers], Floats]:
    return lambda sums: quotient(sums[..., place], sums[..., EXAMPLES])


def _mean_parts(place: int) -> Callable[[Numbers], tuple[Numbers, Numbers]]:
    return lambda sums: (sums[..., place], sums[..., EXAMPLES])


MAE = Additive(
    name="mae",
    rows=error_rows,
    formula=_mean(ABSOLUTE),
    gold="value",
    predicted="value",
    definition="mean of |predicted - gold|",
    unit="example",
    better="lower",
    interval="t",
    ratio=_mean_parts(ABSOLUTE),
    undefined="there is no example",
    limits=(0.0, float("inf")),
)
MSE = replace(
    MAE,
    name="mse",
    formula=_mean(SQUARED),
    definition="mean of (predicted - gold)^2",
    ratio=_mean_parts(SQUARED),
)
RMSE = replace(
    MSE,
    name="rmse",
    formula=lambda sums: np.sqrt(_mean(SQUARED)(sums)),
    definition="square root of the mean of (predicted - gold)^2",
    interval="bca",
    ratio=None,
)
MAPE = replace(
    MAE,
    name="mape",
    formula=_mape,
    definition=(
        "mean of |predicted - gold| / |gold|, a share and not a percentage; undefined with any gold value of 0, "
        "and ruled by the gold values nearest to 0"
    ),
    ratio=_mean_parts(RELATIVE),
    undefined="a gold value is 0 (or there is no example): relative errors have no meaning here, use mae",
)
R2 = Pooled(
    name="r2",
    rows=value_rows,
    pooled=_r2,
    gold="value",
    predicted="value",
    definition=(
        "1 - sum (predicted - gold)^2 / sum (gold - mean gold)^2: coefficient of determination of the predictions as "
        "they are, not a squared correlation; below 0 it is worse than predicting the mean"
    ),
    unit="example",
    undefined="all gold values are equal, or there is no example",
    limits=(-float("inf"), 1.0),
)
PEARSON = replace(
    R2,
    name="pearson",
    pooled=_pearson,
    definition="Pearson's linear correlation of gold and predicted values",
    undefined="all gold values, or all predicted ones, are equal",
    limits=(-1.0, 1.0),
)
SPEARMAN = replace(
    PEARSON,
    name="spearman",
    pooled=_spearman,
    definition="Spearman's rank correlation of gold and predicted values; equal values share their middle rank",
)


def _quadratic_kappa(rows: Rows, counts: Numbers) -> Floats:
    number = counts.sum(axis=-1)
    gold, predicted = rows.table.T
    middle = (gold.mean() + predicted.mean()) / 2 if len(gold) else 0.0
    gold, predicted = gold - middle, predicted - middle
    apart = quotient(_summed(counts, gold) - _summed(counts, predicted), number)
    by_chance = quotient(_scatter(gold, counts) + _scatter(predicted, counts), number) + apart**2
    return 1 - quotient(quotient(_summed(counts, gold - predicted, gold - predicted), number), by_chance)


KAPPA_QUADRATIC = replace(
    R2,
    name="kappa_quadratic",
    pooled=_quadratic_kappa,
    definition=(
        "1 - mean (predicted - gold)^2 / the same of all pairs of a gold with a predicted value: Cohen's kappa with "
        "quadratic weights (Cohen 1968), and Lin's concordance correlation (1989)"
    ),
    undefined="all values, gold and predicted, are equal",
    limits=(-1.0, 1.0),
)


def step_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: whether the predicted value, rounded, is the gold one, and 1."""
    true, found = _values(gold, predicted)
    return Rows.of(np.stack([np.round(found) == true, np.ones(len(true))], axis=1).astype(np.int64))


STEPS_RIGHT = replace(
    MAE,
    name="accuracy",
    rows=step_rows,
    formula=lambda sums: quotient(sums[..., 0], sums[..., 1]),
    definition="examples whose predicted value, rounded, is the gold one / examples",
    better="higher",
    interval="wilson",
    ratio=lambda sums: (sums[..., 0], sums[..., 1]),
    limits=(0.0, 1.0),
)
METRICS = (MAE, MSE, RMSE, MAPE, R2, PEARSON, SPEARMAN)
