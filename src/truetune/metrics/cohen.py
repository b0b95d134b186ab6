"""Cohen's kappa of two raters as a metric over items, so that it gets an interval like any other."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.metrics.agreement import Agreement, Weights, cohen_kappa
from truetune.rows import Rows
from truetune.types import Column

_COSTS = {
    "none": "every disagreement counts 1",
    "linear": "a disagreement counts as the distance of its values in rank",
    "quadratic": "a disagreement counts as the squared distance of its values in rank",
}


def pair_rows(first: Column, second: Column, values: Sequence[Any]) -> Rows:
    """Return rows `[distinct, values, values]`: 1 where the first rater's value meets the second's."""
    if len(first) != len(second):
        raise MetricError(f"{len(first):,} and {len(second):,} ratings; expected one of each rater an item")
    place = {value: position for position, value in enumerate(values)}
    table = np.zeros((len(first), len(values), len(values)), dtype=np.int64)
    for row, one, other in zip(table, first, second, strict=True):
        row[place[one], place[other]] = 1
    return Rows.of(table)


def pair_agreement(
    first: Sequence[Any], second: Sequence[Any], values: Sequence[Any], weights: Weights = "none"
) -> Agreement:
    """Return Cohen's kappa of two raters who both rated every item; `values` are in order for weights.

    The metric is `cohen_kappa`, or `cohen_kappa_linear` and `cohen_kappa_quadratic`.
    """
    rows_of = partial(pair_rows, values=tuple(values))
    metric = Additive(
        name="cohen_kappa" if weights == "none" else f"cohen_kappa_{weights}",
        rows=rows_of,
        formula=partial(cohen_kappa, weights=weights),
        gold="first",
        predicted="second",
        definition=(
            "1 - observed / expected disagreement of two raters, expected from each one's own shares of values; "
            f"{_COSTS[weights]} (Cohen {1960 if weights == 'none' else 1968})"
        ),
        unit="item",
        undefined="both raters gave one and the same value only",
        limits=(-1.0, 1.0),
    )
    return Agreement(rows_of(first, second), tuple(values), (metric,))
