"""Calibration errors, by hand: bins and their edges, ties, bias; and the reliability curve."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.metrics.calibration import (
    BINS,
    CALIBRATION_ERROR,
    ECE,
    ECE_EQUAL_MASS,
    METRICS,
    confidence_rows,
    equal_mass_bins,
    equal_width_bins,
    reliability_curve,
)
from truetune.metrics.label_scores import LabelScores
from truetune.metrics.score_rows import binary_rows
from truetune.rows import Rows, joined

predictions = st.lists(
    st.tuples(st.booleans(), st.one_of(st.floats(0.5, 1), st.sampled_from([0.6, 0.8, 1.0]))), min_size=1, max_size=40
)


def rows_of(found: list) -> Rows:
    return binary_rows(
        np.array([right for right, _ in found]), np.array([confidence for _, confidence in found], dtype=np.float64)
    )


def test_confidence_1_is_in_the_last_bin() -> None:
    """Some tools put it in a bin of its own, or in none: a model that is always sure then has no error."""
    assert equal_width_bins(np.array([1.0, 0.999, 14 / 15, 0.2, 1e-9, 0.0])).tolist() == [14, 14, 13, 2, 0, 0]
    sure = rows_of([(True, 1.0), (False, 1.0), (False, 1.0), (True, 1.0)])
    assert ECE.value(sure) == 0.5
    assert ECE_EQUAL_MASS.value(sure) == 0.5


def test_equal_width_by_hand() -> None:
    # bin (13/15, 14/15]: 0.9, 0.92 with one of two right; bin (8/15, 9/15]: 0.55, 0.6 with both right
    found = rows_of([(True, 0.9), (False, 0.92), (True, 0.55), (True, 0.6)])
    assert ECE.value(found) == pytest.approx((abs(1 - 1.82) + abs(2 - 1.15)) / 4)


def test_equal_mass_by_hand() -> None:
    confidence = np.linspace(0.5, 0.99, 2 * BINS)
    ones = np.ones(2 * BINS, dtype=np.int64)
    assert equal_mass_bins(confidence, ones).tolist() == np.repeat(np.arange(BINS), 2).tolist()
    assert equal_mass_bins(confidence[::-1], ones).tolist() == np.repeat(np.arange(BINS), 2).tolist()[::-1]
    right = np.tile([True, False], BINS)
    gaps = [abs(1 - pair.sum()) for pair in confidence.reshape(BINS, 2)]
    assert ECE_EQUAL_MASS.value(binary_rows(right, confidence)) == pytest.approx(sum(gaps) / (2 * BINS))


def test_equal_confidences_stay_together() -> None:
    """Cutting a tie would make the error depend on the order of examples."""
    bins = equal_mass_bins(np.array([0.5, 0.7, 0.9]), np.array([10, 10, 10]))
    assert bins.tolist() == [2, 7, 12]
    tied = [(True, 0.7)] * 20 + [(False, 0.7)] * 10
    assert ECE_EQUAL_MASS.value(rows_of(tied)) == pytest.approx(abs(20 / 30 - 0.7))


def test_debiased_by_hand() -> None:
    tied = rows_of([(True, 0.9)] * 6 + [(False, 0.9)] * 4)
    assert CALIBRATION_ERROR.value(tied) == pytest.approx(np.sqrt(0.3**2 - 0.6 * 0.4 / 9))
    near = rows_of([(True, 0.6)] * 5 + [(False, 0.6)] * 5)
    assert CALIBRATION_ERROR.value(near) == 0  # 0.1^2 is less than chance makes


@given(predictions, st.randoms(use_true_random=False))
def test_order_and_sharding_do_not_matter(found: list, random: object) -> None:
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    half = len(found) // 2
    for metric in METRICS:
        value = metric.value(rows_of(found))
        assert 0 <= value <= 1
        assert metric.value(rows_of(shuffled)) == pytest.approx(value)
        assert metric.value(joined(rows_of(shuffled[:half]), rows_of(shuffled[half:]))) == pytest.approx(value)


@given(predictions, st.lists(st.integers(0, 3), min_size=40, max_size=40))
def test_resamples_are_the_values_of_the_resample(found: list, times: list) -> None:
    rows = rows_of(found)
    drawn = np.repeat(np.arange(len(found)), times[: len(found)])
    counts = np.bincount(rows.index[drawn], minlength=len(rows.table))
    for metric in METRICS:
        both = metric.value(rows, np.stack([counts, rows.counts]))
        expected = metric.value(rows_of([found[place] for place in drawn])) if len(drawn) else np.nan
        np.testing.assert_allclose(both, [expected, metric.value(rows)], rtol=0, atol=1e-9)


def test_a_calibrated_model_is_not_at_0_but_the_debiased_error_nearly_is() -> None:
    rng = np.random.default_rng(7)
    plain, debiased = [], []
    for _ in range(60):
        confidence = rng.uniform(0.5, 1, 600)
        rows = binary_rows(rng.random(600) < confidence, confidence)
        plain.append(float(ECE_EQUAL_MASS.value(rows)))
        debiased.append(float(CALIBRATION_ERROR.value(rows)))
    assert np.mean(plain) > 0.04
    assert np.mean(debiased) < np.mean(plain) / 2
    assert np.mean(np.array(debiased) == 0) > 0.3


def test_the_prediction_is_the_label_of_the_highest_probability() -> None:
    scores = LabelScores(("a", "b", "c"), np.array([[0.2, 0.5, 0.3], [0.4, 0.4, 0.2], [0.0, 0.0, 1.0]]))
    rows = confidence_rows(["b", "b", "c"], scores)
    assert rows.dense().tolist() == [[1, 0.5], [0, 0.4], [1, 1.0]]  # of equal ones the first: a, not b


def test_reliability_curve_by_hand() -> None:
    rows = rows_of([(True, 0.9), (False, 0.92), (True, 0.55), (True, 0.6), (True, 0.58)])
    curve = reliability_curve(rows)
    assert curve.confidence.tolist() == pytest.approx([(0.55 + 0.6 + 0.58) / 3, 0.91])
    assert curve.accuracy.tolist() == [1, 0.5]
    assert curve.examples.tolist() == [3, 2]
    assert curve.right.tolist() == [3, 1]
    gaps = np.abs(curve.accuracy - curve.confidence) * curve.examples
    assert gaps.sum() / len(rows) == pytest.approx(float(ECE.value(rows)))
    assert reliability_curve(rows, equal_mass=True).examples.tolist() == [1, 1, 1, 1, 1]


def test_no_interval_is_claimed_and_no_example_is_undefined() -> None:
    for metric in METRICS:
        assert metric.interval == "none"
        assert np.isnan(metric.value(confidence_rows([], [])))
    assert len(reliability_curve(confidence_rows([], [])).examples) == 0
