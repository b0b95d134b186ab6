"""ROC and precision-recall curves: scikit-learn's points, without those that lie on a line."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn import metrics as sklearn_metrics

from truetune.metrics.areas import ROC_AUC
from truetune.metrics.curves import plotted_points, precision_recall_curve, roc_curve
from truetune.metrics.score_rows import binary_rows

scored = st.lists(
    st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.4, 0.5, 0.8, 0.9, 1.0])), min_size=2, max_size=40
)


def both(found: list) -> tuple[np.ndarray, np.ndarray]:
    positive, score = np.array([one for one, _ in found]), np.array([score for _, score in found])
    assume(positive.any() and not positive.all())
    return positive, score


@given(scored)
def test_roc_curve_passes_through_all_points_of_scikit_learn(found: list) -> None:
    positive, score = both(found)
    curve = roc_curve(positive, score)
    false, true, thresholds = sklearn_metrics.roc_curve(positive, score, drop_intermediate=False)
    for rates, theirs in ((curve.false_positive_rate, false), (curve.true_positive_rate, true)):
        kept = np.isin(thresholds, curve.thresholds)
        np.testing.assert_allclose(rates, theirs[kept], rtol=0, atol=1e-12)
    assert curve.thresholds[0] == np.inf
    corners = np.stack([curve.false_positive_rate, curve.true_positive_rate], axis=1)
    for point in np.stack([false, true], axis=1):
        steps = corners[1:] - corners[:-1]
        along = np.clip(((point - corners[:-1]) * steps).sum(axis=1) / (steps**2).sum(axis=1), 0, 1)
        nearest = np.abs(corners[:-1] + along[:, None] * steps - point).max(axis=1).min()
        assert nearest < 1e-12
    area = np.trapezoid(curve.true_positive_rate, curve.false_positive_rate)
    assert area == pytest.approx(float(ROC_AUC.value(binary_rows(positive, score))))


def test_points_on_a_line_are_dropped() -> None:
    curve = roc_curve(np.array([1, 1, 1, 0, 0], dtype=bool), np.array([0.9, 0.8, 0.7, 0.2, 0.1]))
    assert curve.false_positive_rate.tolist() == [0, 0, 1]
    assert curve.true_positive_rate.tolist() == [0, 1, 1]
    assert curve.thresholds.tolist() == [np.inf, 0.7, 0.1]


@given(scored)
def test_precision_recall_curve_equals_scikit_learn(found: list) -> None:
    positive, score = both(found)
    curve = precision_recall_curve(positive, score)
    precision, recall, thresholds = sklearn_metrics.precision_recall_curve(positive, score, drop_intermediate=True)
    np.testing.assert_allclose(curve.precision, precision[:-1][::-1], rtol=0, atol=1e-12)
    np.testing.assert_allclose(curve.recall, recall[:-1][::-1], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(curve.thresholds, thresholds[::-1])


def test_curves_without_a_class_are_undefined() -> None:
    assert np.isnan(roc_curve(np.array([False]), np.array([0.5])).true_positive_rate).all()
    assert np.isnan(precision_recall_curve(np.array([False]), np.array([0.5])).recall).all()
    assert np.isnan(roc_curve(np.zeros(0, dtype=bool), np.zeros(0)).true_positive_rate).all()
    assert len(precision_recall_curve(np.zeros(0, dtype=bool), np.zeros(0)).recall) == 0


def test_plotted_points_keep_the_ends_and_the_shape() -> None:
    rng = np.random.default_rng(0)
    score = rng.random(20_000)
    curve = roc_curve(rng.random(20_000) < score, score)
    kept = plotted_points(curve.false_positive_rate, curve.true_positive_rate, most=200)
    assert len(kept) <= 200 < len(curve.thresholds)
    assert kept[0] == 0
    assert kept[-1] == len(curve.thresholds) - 1
    x, y = curve.false_positive_rate, curve.true_positive_rate
    assert np.trapezoid(y[kept], x[kept]) == pytest.approx(np.trapezoid(y, x), abs=1e-3)
    assert plotted_points(x[:5], y[:5]).tolist() == [0, 1, 2, 3, 4]
