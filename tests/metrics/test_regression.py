"""Regression: equal to scikit-learn and scipy, undefined where they guess, and the order of arguments."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy import stats as scipy_stats
from sklearn import metrics as sklearn_metrics

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.metrics.regression import (
    KAPPA_QUADRATIC,
    MAPE,
    METRICS,
    PEARSON,
    R2,
    SPEARMAN,
    STEPS_RIGHT,
    error_rows,
    value_rows,
)
from truetune.rows import joined

number = st.one_of(st.integers(-5, 5).map(float), st.floats(-1e3, 1e3).map(lambda value: round(value, 3)))
pairs = st.lists(st.tuples(number, number), min_size=2, max_size=30)


def columns(found: list) -> tuple[np.ndarray, np.ndarray]:
    array = np.array(found, dtype=np.float64).reshape(-1, 2)
    return array[:, 0], array[:, 1]


def values(found: list) -> dict[str, float]:
    return {metric.name: float(metric.value(metric.rows(*columns(found)))) for metric in METRICS}


@given(pairs)
def test_errors_equal_scikit_learn(found: list) -> None:
    gold, predicted = columns(found)
    ours = values(found)
    theirs = {
        "mae": sklearn_metrics.mean_absolute_error(gold, predicted),
        "mse": sklearn_metrics.mean_squared_error(gold, predicted),
        "rmse": sklearn_metrics.root_mean_squared_error(gold, predicted),
    }
    if gold.all():
        theirs["mape"] = sklearn_metrics.mean_absolute_percentage_error(gold, predicted)
    if len(set(gold)) > 1:
        theirs["r2"] = sklearn_metrics.r2_score(gold, predicted)
    for name, value in theirs.items():
        assert ours[name] == pytest.approx(value, rel=1e-9, abs=1e-9), name
    assert np.isnan(ours["mape"]) == (not gold.all())
    assert np.isnan(ours["r2"]) == (len(set(gold)) == 1)


@given(pairs)
def test_correlations_equal_scipy(found: list) -> None:
    gold, predicted = columns(found)
    ours = values(found)
    constant = len(set(gold)) == 1 or len(set(predicted)) == 1
    assert np.isnan(ours["pearson"]) == np.isnan(ours["spearman"]) == constant
    if not constant:
        assert ours["pearson"] == pytest.approx(np.corrcoef(gold, predicted)[0, 1], abs=1e-9)
        assert ours["pearson"] == pytest.approx(scipy_stats.pearsonr(gold, predicted).statistic, abs=1e-9)
        assert ours["spearman"] == pytest.approx(scipy_stats.spearmanr(gold, predicted).statistic, abs=1e-9)


def test_a_zero_in_gold_makes_relative_errors_undefined() -> None:
    """The reference divides by a tiny number instead, and prints 1.1e15."""
    assert np.isnan(MAPE.value(error_rows([0.0, 2.0], [1.0, 2.0])))
    assert "gold value is 0" in MAPE.undefined
    assert sklearn_metrics.mean_absolute_percentage_error([0.0, 2.0], [1.0, 2.0]) > 1e15
    assert MAPE.value(error_rows([0.01, 2.0], [1.01, 2.0])) == pytest.approx(50)  # one example near 0 rules
    assert MAPE.value(error_rows([-2.0], [-1.0])) == pytest.approx(0.5)


def test_the_order_of_arguments_matters() -> None:
    gold, predicted = [1.0, 2.0, 3.0, 6.0], [2.0, 2.0, 4.0, 4.0]
    assert R2.value(value_rows(gold, predicted)) == pytest.approx(1 - 6 / 14)
    assert R2.value(value_rows(predicted, gold)) == pytest.approx(1 - 6 / 4)
    assert MAPE.value(error_rows(gold, predicted)) == pytest.approx((1 + 0 + 1 / 3 + 1 / 3) / 4)
    assert MAPE.value(error_rows(predicted, gold)) == pytest.approx((1 / 2 + 0 + 1 / 4 + 1 / 2) / 4)


@given(pairs, st.lists(st.integers(0, 2), min_size=30, max_size=30))
def test_resamples_are_the_values_of_the_resample(found: list, times: list) -> None:
    drawn = np.repeat(np.arange(len(found)), times[: len(found)])
    assume(len(drawn))
    expected = values([found[place] for place in drawn])
    for metric in METRICS:
        rows = metric.rows(*columns(found))
        counts = np.bincount(rows.index[drawn], minlength=len(rows.table))
        both = metric.value(rows, np.stack([counts, rows.counts]))
        np.testing.assert_allclose(
            both, [expected[metric.name], metric.value(rows)], rtol=1e-9, atol=1e-9, err_msg=metric.name
        )


@given(pairs, pairs)
def test_shards_merge(first: list, second: list) -> None:
    whole = values(first + second)
    for metric in METRICS:
        merged = joined(metric.rows(*columns(first)), metric.rows(*columns(second)))
        np.testing.assert_allclose(metric.value(merged), whole[metric.name], rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("shift", [0.0, 1e3, 1e6, -1e8])
def test_a_far_mean_does_not_cancel(shift: float) -> None:
    rng = np.random.default_rng(3)
    gold = rng.integers(-50, 50, 200).astype(np.float64)
    predicted = gold + rng.integers(-20, 20, 200)
    for metric in (R2, PEARSON, SPEARMAN):
        near, far = value_rows(gold, predicted), value_rows(gold + shift, predicted + shift)
        assert metric.value(far) == pytest.approx(float(metric.value(near)), abs=1e-9)
        counts = rng.multinomial(200, np.full(200, 1 / 200), size=3)
        np.testing.assert_allclose(metric.value(far, counts), metric.value(near, counts), rtol=0, atol=1e-9)


def test_a_constant_is_seen_in_any_resample() -> None:
    rows = value_rows([0.1, 0.3, 0.1, 7.7], [1.0, 2.0, 3.0, 0.3])
    counts = np.array([[3, 0, 2, 0], [0, 4, 0, 0], [1, 1, 1, 1]])
    for metric in (R2, PEARSON, SPEARMAN):
        assert np.isnan(metric.value(rows, counts)).tolist() == [True, True, False]


def test_means_have_parts_for_their_interval() -> None:
    rows = error_rows([1.0, 2.0, 4.0], [2.0, 2.0, 1.0])
    for metric in METRICS:
        if metric.interval == "t":
            assert isinstance(metric, Additive)
            assert metric.ratio is not None
            above, below = metric.ratio(rows.totals())
            assert metric.value(rows) == pytest.approx(float(above / below))
    assert {metric.name for metric in METRICS if metric.interval == "t"} == {"mae", "mse", "mape"}


def test_what_is_no_number_is_named() -> None:
    with pytest.raises(MetricError, match="gold value of example 1 is nan"):
        error_rows([1.0, np.nan], [1.0, 2.0])
    with pytest.raises(MetricError, match="predicted value of example 0 is inf"):
        value_rows([1.0, 1.0], [np.inf, 2.0])
    with pytest.raises(MetricError, match="expected one of each"):
        value_rows([1.0], [1.0, 2.0])


def test_no_example_is_undefined() -> None:
    assert np.isnan(list(values([]).values())).all()


def test_quadratic_kappa_is_that_of_scikit_learn_and_lins_concordance() -> None:
    rng = np.random.default_rng(0)
    gold = rng.integers(1, 6, 200)
    said = np.clip(gold + rng.integers(-2, 3, 200), 1, 5)
    metric = KAPPA_QUADRATIC
    found = float(metric.value(metric.rows(gold.astype(float), said.astype(float))))
    assert found == pytest.approx(sklearn_metrics.cohen_kappa_score(gold, said, weights="quadratic"))
    # 2 cov / (var + var + (mean - mean)^2), of numbers that are no steps: 2 * 1.25 / (1.25 + 1.25 + 0.25).
    shifted = metric.rows([1.0, 2.0, 3.0, 4.0], [1.5, 2.5, 3.5, 4.5])
    assert float(metric.value(shifted)) == pytest.approx(2.5 / 2.75)
    assert np.isnan(float(metric.value(metric.rows([2.0, 2.0], [2.0, 2.0]))))
    resampled = metric.value(metric.rows([1.0, 2.0], [1.0, 2.0]), np.array([[1, 1], [2, 0]]))
    assert resampled.tolist() == pytest.approx([1.0, np.nan], nan_ok=True)


def test_a_step_is_right_where_the_rounded_number_is() -> None:
    metric = STEPS_RIGHT
    assert float(metric.value(metric.rows([1, 2, 3, 4], [1.4, 1.4, 3.0, 9.0]))) == 0.5
