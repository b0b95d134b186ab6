"""Agreement of raters: Cohen's kappa with weights, Fleiss' kappa, Krippendorff's alpha.

Fleiss and Krippendorff are formulas over summed coincidences of items, so that intervals, slices and
merging follow from rows as for any other metric; the item is the unit.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import numpy as np

from truetune.errors import MetricError, nearest
from truetune.metric import Additive
from truetune.metrics.f_measures import quotient
from truetune.rows import Rows
from truetune.types import Bools, Column, Floats, Ints, Numbers

Level = Literal["nominal", "ordinal", "interval"]
Weights = Literal["none", "linear", "quadratic"]

Ratings = Sequence[Sequence[Any]]
"""One sequence of ratings an item; None (or NaN) where a rater gave none. Their order does not matter."""

_DIFFERENCE = {
    "nominal": "1 for different values",
    "ordinal": "the squared number of ratings between two values in rank",
    "interval": "the squared difference of two values",
}


@dataclass(frozen=True)
class Agreement:
    """The rows of rated items and the metrics that apply to them: give both to an interval."""

    rows: Rows
    """`[distinct, values, values]`: pairs of ratings within an item, each item weighing as its ratings do."""
    values: tuple[Any, ...]
    metrics: tuple[Additive, ...]

    def value(self, name: str) -> float:
        """Return one metric's value; raises `MetricError` for a metric that does not apply."""
        for metric in self.metrics:
            if metric.name == name:
                return float(metric.value(self.rows))
        raise MetricError(f"no metric {name!r} here; {nearest(name, [metric.name for metric in self.metrics])}")


def agreement(ratings: Ratings, level: Level = "nominal", values: Sequence[Any] | None = None) -> Agreement:
    """Return the agreement of any number of raters over items.

    `krippendorff_alpha` always applies. `fleiss_kappa` applies to nominal ratings where every item has
    equally many, at least two. `values` lists the possible values, in order for `ordinal`; by default they
    are those that occur, numbers by size and names by alphabet. Raises `MetricError` for a rating that is
    not among `values` and for `interval` values that are no numbers.
    """
    if level not in _DIFFERENCE:
        raise MetricError(f"unknown level of measurement {level!r}; {nearest(level, _DIFFERENCE)}")
    known = tuple(values) if values is not None else _values(ratings, level)
    counts = _counts(ratings, known)
    rows_of = partial(_coincidences, values=known)
    alpha = Additive(
        name="krippendorff_alpha",
        rows=rows_of,
        formula=_alpha(level, known),
        gold="ratings",
        predicted="ratings",
        definition=(
            "1 - observed / expected disagreement over pairs of ratings within items, disagreement being "
            f"{_DIFFERENCE[level]}; items with one rating left out (Krippendorff's alpha, {level}, 2011)"
        ),
        unit="item",
        undefined="no item has two ratings, or all ratings are equal",
        limits=(-1.0, 1.0),
    )
    metrics = [alpha]
    raters = set(counts.sum(axis=1).tolist())
    if level == "nominal" and len(raters) == 1 and min(raters) >= 2:
        metrics.append(
            Additive(
                name="fleiss_kappa",
                rows=rows_of,
                formula=_fleiss,
                gold="ratings",
                predicted="ratings",
                definition=(
                    "(observed - chance) / (1 - chance) agreement of pairs of ratings within items, chance from the "
                    "shares of values over all ratings (Fleiss 1971)"
                ),
                unit="item",
                undefined="all ratings are equal",
                limits=(-1.0, 1.0),
            )
        )
    return Agreement(_rows(counts), known, tuple(metrics))


def cohen_kappa(matrix: Numbers, weights: Weights = "none") -> Floats:
    """Return Cohen's kappa `[...]` of two raters from `[..., values, values]` counts; NaN where 0/0.

    Values must be in order for `linear` (weights |i - j|) and `quadratic` ((i - j)^2) weights (Cohen 1968).
    For unweighted kappa with an interval use the metric `kappa`.
    """
    place = np.arange(matrix.shape[-1])
    apart = np.abs(place[:, None] - place)
    cost = {"none": (apart > 0).astype(np.int64), "linear": apart, "quadratic": apart**2}
    if weights not in cost:
        raise MetricError(f"unknown weights {weights!r}; {nearest(weights, cost)}")
    exact = np.asarray(matrix, dtype=np.float64)
    observed = (exact * cost[weights]).sum(axis=(-2, -1))
    expected = exact.sum(axis=-1)[..., :, None] * exact.sum(axis=-2)[..., None, :] * cost[weights]
    return 1 - quotient(observed * exact.sum(axis=(-2, -1)), expected.sum(axis=(-2, -1)))


def _fleiss(sums: Numbers) -> Floats:
    number = sums.sum(axis=(-2, -1))
    observed = quotient(np.trace(sums, axis1=-2, axis2=-1), number)
    chance = (quotient(sums.sum(axis=-1), number[..., None]) ** 2).sum(axis=-1)
    return np.where(_only_one_value(sums), np.nan, quotient(observed - chance, 1 - chance))


def _alpha(level: Level, values: Sequence[Any]) -> Callable[[Numbers], Floats]:
    def alpha(sums: Numbers) -> Floats:
        each = sums.sum(axis=-1)
        number = each.sum(axis=-1)
        difference = _squared_differences(level, values, each)
        observed = (sums * difference).sum(axis=(-2, -1))
        expected = (each[..., :, None] * each[..., None, :] * difference).sum(axis=(-2, -1))
        found = 1 - quotient(observed * (number - 1), expected)
        return np.where(_only_one_value(sums), np.nan, found)

    return alpha


def _squared_differences(level: Level, values: Sequence[Any], each: Numbers) -> Floats:
    """Return the squared difference of two values, `[..., values, values]`."""
    if level == "nominal":
        apart: Floats = 1 - np.eye(len(values))
        return apart
    if level == "interval":
        numbers = np.array(values, dtype=np.float64)
        return np.square(numbers[:, None] - numbers)
    held = np.asarray(each, dtype=np.float64)
    middle: Floats = np.cumsum(held, axis=-1) - held / 2
    return np.square(middle[..., :, None] - middle[..., None, :])


def _only_one_value(sums: Numbers) -> Bools:
    standing = np.count_nonzero(sums.sum(axis=-1), axis=-1)
    return np.asarray(standing < 2)


def _coincidences(ratings: Column, _: Column, values: Sequence[Any]) -> Rows:
    return _rows(_counts(ratings, values))


def _rows(counts: Ints) -> Rows:
    """Return each item's pairs of ratings: n_c (n_k - [c = k]) / (m - 1) for m ratings, 0 for fewer than two."""
    distinct = Rows.of(counts)
    held = distinct.table
    pairs = held[:, :, None] * held[:, None, :] - held[:, :, None] * np.eye(held.shape[1])
    raters = held.sum(axis=1)[:, None, None]
    return Rows(np.where(raters > 1, pairs / np.maximum(raters - 1, 1), 0.0), distinct.index)


def _counts(ratings: Ratings, values: Sequence[Any]) -> Ints:
    """Return how many raters gave each item each value, `[items, values]`."""
    place = {value: position for position, value in enumerate(values)}
    counts = np.zeros((len(ratings), len(values)), dtype=np.int64)
    for item, given in enumerate(ratings):
        for rating in given:
            if _missing(rating):
                continue
            if rating not in place:
                raise MetricError(
                    f"rating {rating!r} of item {item} is not one of the values "
                    f"{', '.join(map(repr, values))}; correct it, or list it under `values`"
                )
            counts[item, place[rating]] += 1
    return counts


def _values(ratings: Ratings, level: Level) -> tuple[Any, ...]:
    found = {rating for given in ratings for rating in given if not _missing(rating)}
    numbers = all(isinstance(value, int | float | np.number) for value in found)
    if level == "interval" and not numbers:
        wrong = next(value for value in found if not isinstance(value, int | float | np.number))
        raise MetricError(f"interval ratings are numbers, found {wrong!r}; use the level nominal or ordinal")
    if level == "ordinal" and not numbers:
        raise MetricError("ordinal ratings that are no numbers need `values`: their names in order")
    return tuple(sorted(found, key=None if numbers else str))


def _missing(rating: Any) -> bool:
    return rating is None or (isinstance(rating, float) and bool(np.isnan(rating)))
