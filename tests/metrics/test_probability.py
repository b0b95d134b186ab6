"""Log loss and Brier score: equal to scikit-learn, additive, and open about probability 0."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import brier_score_loss, log_loss

from truetune.errors import MetricError
from truetune.metrics.label_scores import LabelScores
from truetune.metrics.probability import BRIER_METRIC, LOG_LOSS_METRIC, impossible_gold, probability_rows
from truetune.rows import joined


@st.composite
def predictions(draw: st.DrawFn, labels: int | None = None) -> tuple[np.ndarray, LabelScores]:
    number, labels = draw(st.integers(1, 20)), labels or draw(st.integers(2, 4))
    gold = draw(st.lists(st.integers(0, labels - 1), min_size=number, max_size=number))
    raw = draw(st.lists(st.integers(0, 5), min_size=number * labels, max_size=number * labels))
    values = np.array(raw, dtype=np.float64).reshape(number, labels)
    values[values.sum(axis=1) == 0] = 1
    names = tuple(str(label) for label in range(labels))
    return np.array(gold), LabelScores(names, values / values.sum(axis=1, keepdims=True))


@given(predictions())
def test_equal_to_scikit_learn(found: tuple) -> None:
    gold, scores = found
    rows = probability_rows(gold, scores)
    labels = list(range(len(scores.labels)))
    assert LOG_LOSS_METRIC.value(rows) == pytest.approx(log_loss(gold, scores.values, labels=labels), abs=1e-9)
    assert BRIER_METRIC.value(rows) == pytest.approx(brier_score_loss(gold, scores.values, labels=labels), abs=1e-9)
    if len(labels) == 2:
        squares = np.mean((scores.values[:, 1] - (gold == 1)) ** 2)
        assert BRIER_METRIC.value(rows) == pytest.approx(squares)


@given(predictions(3), predictions(3))
def test_shards_merge_and_parts_are_the_value(first: tuple, second: tuple) -> None:
    merged = joined(probability_rows(*first), probability_rows(*second))
    whole = LabelScores(first[1].labels, np.concatenate([first[1].values, second[1].values]))
    rows = probability_rows(np.concatenate([first[0], second[0]]), whole)
    for metric in (LOG_LOSS_METRIC, BRIER_METRIC):
        assert metric.value(merged) == pytest.approx(metric.value(rows))
        assert metric.ratio is not None
        above, below = metric.ratio(rows.totals())
        assert metric.value(rows) == pytest.approx(float(above / below))
        assert below == len(rows)


def test_by_hand() -> None:
    rows = probability_rows(["b", "a"], [{"a": 0.2, "b": 0.5, "c": 0.3}, {"a": 1.0, "b": 0.0, "c": 0.0}])
    assert LOG_LOSS_METRIC.value(rows) == pytest.approx(np.log(2) / 2)
    assert BRIER_METRIC.value(rows) == pytest.approx((0.04 + 0.25 + 0.09) / 2)


def test_probability_0_of_the_gold_label_is_counted_and_said() -> None:
    rows = probability_rows(["a", "b"], [{"a": 0.0, "b": 1.0}, {"a": 0.5, "b": 0.5}])
    assert LOG_LOSS_METRIC.value(rows) == pytest.approx((52 * np.log(2) + np.log(2)) / 2)
    assert "36.04" in LOG_LOSS_METRIC.definition
    assert impossible_gold(rows).startswith("1 gold labels (50.00%) were given probability 0")
    assert impossible_gold(rows.take(np.array([1]))) == ""


def test_what_is_no_probability_is_refused() -> None:
    with pytest.raises(MetricError, match="sum to"):
        probability_rows(["a"], [{"a": 0.5, "b": 0.6}])
    with pytest.raises(MetricError, match="gold label 'z' of example 0 has no scores"):
        probability_rows(["z"], [{"a": 0.5, "b": 0.5}])


def test_no_example_is_undefined() -> None:
    rows = probability_rows([], [])
    assert np.isnan(LOG_LOSS_METRIC.value(rows))
    assert np.isnan(BRIER_METRIC.value(rows))
