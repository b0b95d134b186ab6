"""The column of scores: how it is read, and what is refused, with the first example and its value."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.errors import MetricError
from truetune.metrics.label_scores import (
    LabelScores,
    gold_matrix,
    gold_places,
    label_scores,
    probabilities,
)


def test_mappings_and_arrays_are_one_column() -> None:
    mappings = [{"no": 0.75, "yes": 0.25}, {"yes": 1, "no": 0}]
    array = LabelScores(("yes", "no"), np.array([[0.25, 0.75], [1, 0]], dtype=np.float32))
    for column in (mappings, array):
        scores = label_scores(column)
        assert scores.labels == ("no", "yes")
        assert scores.values.dtype == np.float64
        assert scores.values.tolist() == [[0.75, 0.25], [0, 1]]
    assert label_scores(scores) is scores
    assert scores.take(np.array([1])).values.tolist() == [[0, 1]]
    assert len(label_scores([])) == 0


@pytest.mark.parametrize(
    ("column", "message"),
    [
        ([{"a": 0.5, "b": 0.5}, {"a": 1.0}], "example 1 lack 'b'; .* labels of example 0: a, b"),
        ([{"a": 0.5, "b": 0.5}, {"a": 1.0, "c": 0.0}], "example 1 lack 'b' and have also 'c'"),
        ([{"a": 0.5}, {"a": 0.5, "b": 0.5}], "example 1 have also 'b'"),
        ([{"a": 0.5, "b": "high"}], "score of label 'b' of example 0 is 'high'; expected a number"),
        (np.array([[0.5, 0.5]]), "scores are a ndarray; .*LabelScores"),
        ([[0.5, 0.5]], "expected one mapping"),
    ],
)
def test_what_is_no_column_of_scores_is_named(column: object, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        label_scores(column)


def test_shapes_and_labels_must_fit() -> None:
    with pytest.raises(MetricError, match=r"scores of 3 labels have shape \(1, 2\)"):
        LabelScores(("a", "b", "c"), np.zeros((1, 2)))
    with pytest.raises(MetricError, match="not distinct: a, a"):
        LabelScores(("a", "a"), np.zeros((1, 2)))


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ([np.nan, 1.0], "label 'a' of example 1 is nan"),
        ([-0.1, 1.1], "label 'a' of example 1 is -0.1; .*raw logit"),
        ([0.0, 1.5], "label 'b' of example 1 is 1.5"),
        ([0.0, np.inf], "label 'b' of example 1 is inf"),
        ([0.6, 0.6], "scores of example 1 sum to 1.2; .*softmax"),
        ([0.3, 0.3], "scores of example 1 sum to 0.6"),
    ],
)
def test_scores_that_are_no_probabilities_are_refused(row: list, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        probabilities(LabelScores(("a", "b"), np.array([[0.5, 0.5], row, [1.0, 1.0]])), exclusive=True)


def test_a_missing_score_is_refused() -> None:
    with pytest.raises(MetricError, match="label 'a' of example 0 is nan"):
        probabilities([{"a": None, "b": 1.0}], exclusive=True)


def test_rounded_probabilities_and_independent_ones_pass() -> None:
    rounded = LabelScores(("a", "b", "c"), np.array([[0.333, 0.333, 0.3331]]))
    assert probabilities(rounded, exclusive=True) is rounded
    independent = LabelScores(("a", "b"), np.array([[1.0, 1.0], [0.0, 0.0]]))
    assert probabilities(independent, exclusive=False) is independent


def test_gold_labels_find_their_column() -> None:
    scores = LabelScores(("0", "1", "2"), np.zeros((3, 3)))
    assert gold_places(np.array([2, 0, 2]), scores).tolist() == [2, 0, 2]
    assert gold_places(["2", "0", "2"], scores).tolist() == [2, 0, 2]
    assert gold_places(np.array(["1", "1", "0"]), scores).tolist() == [1, 1, 0]
    assert gold_matrix([["1"], [], ("0", "2")], scores).tolist() == [[0, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_gold_labels_without_scores_are_named() -> None:
    scores = LabelScores(("0", "1"), np.zeros((3, 2)))
    for gold in (["0", "1", "5"], np.array([0, 1, 5]), np.array([0, 10**9, 5])):
        with pytest.raises(MetricError, match=r"gold label '(5|1000000000)' of example (2|1) has no scores"):
            gold_places(gold, scores)
    with pytest.raises(MetricError, match="gold label '7' of example 1 has no scores"):
        gold_matrix([[], ["7"], []], scores)
    with pytest.raises(MetricError, match="2 gold labels and the scores of 3 examples"):
        gold_places(["0", "1"], scores)
