import numpy as np
import pytest
from populations import ACCURACY, MACRO_F1, NDCG, SPAN_F1, population
from scipy import stats

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.jackknife import jackknife
from truetune.stats.linearised import effective_wilson, ratio, ratio_parts, t_bounds
from truetune.stats.sample import Sample

RNG = np.random.default_rng(0)


def test_mean_is_the_t_interval_of_scipy():
    values = RNG.random(40)
    found = ratio(NDCG, Rows.of(np.stack([values, np.ones(40)], axis=1)))
    expected = stats.t.interval(0.95, 39, loc=values.mean(), scale=stats.sem(values))
    assert found.degrees == pytest.approx(39)
    # Leaving out 1 of n inflates by n / (n - 1), and the jackknife takes it back.
    np.testing.assert_allclose(t_bounds(found, 0.975), expected, rtol=1e-9)


def test_ratio_of_sums_by_group_is_the_delete_one_group_jackknife():
    source = population("span F1", [0.0], np.random.default_rng(1), grouped=True)
    (rows,), groups = source.sample(30, np.random.default_rng(2))
    sample = Sample.of(rows, groups)
    found = ratio(SPAN_F1, sample.units)
    exact = jackknife([SPAN_F1], sample, np.array([found.value]), RNG).standard_error[0]
    assert found.standard_error == pytest.approx(exact, rel=1e-9)


def test_degrees_fall_where_one_unit_dominates():
    even = ratio(ACCURACY, Rows.of(np.array([[5, 10], [6, 10], [7, 10], [5, 10], [9, 10]])))
    uneven = ratio(ACCURACY, Rows.of(np.array([[50, 100], [6, 10], [7, 10], [5, 10], [9, 10]])))
    assert even.degrees == pytest.approx(4)
    assert uneven.degrees == 1.0


def test_units_without_denominator_have_no_say():
    useful = np.array([[1, 1], [0, 1], [1, 2], [2, 2]])
    empty = np.zeros((50, 2), dtype=int)
    assert ratio(ACCURACY, Rows.of(np.concatenate([useful, empty]))) == ratio(ACCURACY, Rows.of(useful))


def test_effective_trials():
    half = ratio(ACCURACY, Rows.of(np.array([[1, 2], [0, 2], [2, 2], [1, 2]] * 25)))
    low, high = effective_wilson(half, 200, 100, 0.975)
    assert low < 0.5 < high
    certain = ratio(ACCURACY, Rows.of(np.array([[2, 2]] * 20)))
    low, high = effective_wilson(certain, 40, 20, 0.975)  # 20 units, not 40 trials
    t = stats.t.ppf(0.975, 19)
    assert (low, high) == (pytest.approx(20 / (20 + t**2)), 1.0)


def test_a_metric_without_ratio_is_told():
    with pytest.raises(MetricError, match="macro-F1 asks for a bca interval but names no ratio"):
        ratio_parts(MACRO_F1, population("macro-F1", [0.0], RNG, grouped=False).systems[0])
