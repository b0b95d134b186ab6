"""Rows of scores: for each example whether a label is gold, and the score that it got."""

from __future__ import annotations

import numpy as np

from truetune.errors import MetricError
from truetune.metric import RowsOf
from truetune.metrics.label_scores import LabelScores, gold_matrix, gold_places, probabilities
from truetune.rows import Rows
from truetune.types import Bools, Column, Floats

SCORE, GOLD = 0, 1
"""The statistics of rows by label; rows of one label are (gold, score), two columns."""


def binary_rows(positive: Bools, score: Floats) -> Rows:
    """Return rows `[distinct, 2]`: (gold is positive: 0 or 1, score), in ascending order of score.

    `positive` and `score` are `[examples]`; scores may be any finite numbers. Raises `MetricError` for
    unequal lengths and for a score that is not finite.
    """
    score = np.ascontiguousarray(score, dtype=np.float64)
    if positive.shape != score.shape or score.ndim != 1:
        raise MetricError(
            f"gold has shape {positive.shape}, scores have shape {score.shape}; expected one of each an example"
        )
    if not np.isfinite(score).all():
        position = int(np.argmin(np.isfinite(score)))
        raise MetricError(f"the score of example {position} is {score[position]}; expected a finite number")
    order = np.argsort(score)
    by_score = np.empty((2, len(score)))
    by_score[0], by_score[1] = positive[order], score[order]
    gold, ascending = by_score
    new = np.ones(len(score), dtype=np.bool_)
    np.not_equal(ascending[1:], ascending[:-1], out=new[1:])
    index = np.empty(len(score), dtype=np.int64)
    if new.all():
        index[order] = np.arange(len(score))
        return Rows(by_score.T, index, (), np.ones(len(score), dtype=np.int64))
    cell = 2 * np.cumsum(new) - 2 + gold.astype(np.int64)
    counts = np.bincount(cell)
    used = np.flatnonzero(counts)
    table = np.array((used & 1, ascending[new][used >> 1])).T
    index[order] = (np.cumsum(counts > 0) - 1)[cell]
    return Rows(table, index, (), counts[used].astype(np.int64))


def score_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows of the probabilities of labels of which each example has one.

    With two labels `[distinct, 2]`: (gold is the second label in sorted order, its score), and a note that
    names that label. With more
    `[examples, 2, labels]`: (score, gold or not: 0 or 1) of each label. Raises `MetricError` for scores
    that are no probabilities, do not sum to 1, or lack a gold label.
    """
    scores = probabilities(predicted, exclusive=True)
    places = gold_places(gold, scores)
    if not len(scores):
        return Rows(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
    if len(scores.labels) == 2:
        return binary_rows(places == 1, scores.values[:, 1]).noted(f"positive is {scores.labels[1]!r}")
    return _by_label(places[:, None] == np.arange(len(scores.labels)), scores)


def score_set_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[examples, 2, labels]` of probabilities of labels of which an example has any number."""
    scores = probabilities(predicted, exclusive=False)
    return _by_label(gold_matrix(gold, scores), scores)


def rows_of_label(label: str, multiple: bool) -> RowsOf:
    """Return the function that finds the rows `[distinct, 2]` of one label against all others."""

    def rows(gold: Column, predicted: Column) -> Rows:
        scores = probabilities(predicted, exclusive=not multiple)
        if not len(scores):
            return Rows(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
        place = scores.labels.index(label)
        positive = gold_matrix(gold, scores)[:, place] if multiple else gold_places(gold, scores) == place
        return binary_rows(positive, scores.values[:, place])

    return rows


def _by_label(gold: Bools, scores: LabelScores) -> Rows:
    table = np.stack([scores.values, gold.astype(np.float64)], axis=1)
    return Rows(table, np.arange(len(scores), dtype=np.int64), scores.labels)
