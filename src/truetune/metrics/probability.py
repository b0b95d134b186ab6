"""Proper scores of probabilities: log loss and the Brier score. Fields `label`, `scores`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from truetune.metric import Additive
from truetune.metrics.f_measures import quotient
from truetune.metrics.label_scores import gold_places, probabilities
from truetune.rows import Rows
from truetune.types import Column

LOG_LOSS, BRIER, IMPOSSIBLE, EXAMPLES = 0, 1, 2, 3
"""The statistics of a row, in order."""

LEAST = float(np.finfo(np.float64).eps)
"""Probabilities are kept this far from 0 and 1 in the log loss, as scikit-learn does."""


def probability_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[examples, 4]`: log loss in nats, Brier score, gold label had probability 0, and 1.

    Raises `MetricError` for scores that are no probabilities, do not sum to 1, or lack a gold label.
    """
    scores = probabilities(predicted, exclusive=True)
    places = gold_places(gold, scores)
    table = np.empty((len(scores), 4))
    if len(scores):
        each = np.arange(len(scores))
        found = scores.values[each, places]
        table[:, LOG_LOSS] = -np.log(np.clip(found, LEAST, 1 - LEAST))
        squares = np.einsum("el,el->e", scores.values, scores.values)
        table[:, BRIER] = (squares - 2 * found + 1) / (2 if len(scores.labels) == 2 else 1)
        table[:, IMPOSSIBLE] = found == 0
        table[:, EXAMPLES] = 1
    return Rows(table, np.arange(len(scores), dtype=np.int64))


LOG_LOSS_METRIC = Additive(
    name="log_loss",
    rows=probability_rows,
    formula=lambda sums: quotient(sums[..., LOG_LOSS], sums[..., EXAMPLES]),
    gold="label",
    predicted="scores",
    definition=(
        "mean of -ln(probability of the gold label), nats; probabilities clipped to [2.2e-16, 1 - 2.2e-16], so "
        "that a gold label of probability 0 costs 36.04 (as scikit-learn)"
    ),
    unit="example",
    better="lower",
    interval="t",
    ratio=lambda sums: (sums[..., LOG_LOSS], sums[..., EXAMPLES]),
    undefined="there is no example",
    limits=(0.0, float("inf")),
)
BRIER_METRIC = replace(
    LOG_LOSS_METRIC,
    name="brier",
    formula=lambda sums: quotient(sums[..., BRIER], sums[..., EXAMPLES]),
    definition=(
        "mean of sum over labels of (probability - 1 if gold else probability)^2 (Brier 1950), 0 to 2; of two "
        "labels half of it, 0 to 1, which is (probability - gold)^2 of either (as scikit-learn)"
    ),
    ratio=lambda sums: (sums[..., BRIER], sums[..., EXAMPLES]),
    limits=(0.0, 2.0),
)
METRICS = (LOG_LOSS_METRIC, BRIER_METRIC)


def impossible_gold(rows: Rows) -> str:
    """Return a warning where gold labels had probability 0, empty where none had."""
    number = int(rows.totals()[IMPOSSIBLE])
    if not number:
        return ""
    share = number / len(rows)
    return (
        f"{number:,} gold labels ({share:.2%}) were given probability 0: their true log loss is infinite, "
        f"and the printed one counts {-np.log(LEAST):.2f} nats for each"
    )
