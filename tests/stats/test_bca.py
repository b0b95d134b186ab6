import numpy as np
import pytest
from scipy import stats

from truetune.stats.bca import bca_bounds
from truetune.stats.quantiles import normal_quantile

Z = normal_quantile(0.975)


@pytest.mark.parametrize("statistic", [np.mean, np.std, stats.skew])
def test_bounds_are_those_of_scipy_from_the_same_resamples(statistic):
    values = np.random.default_rng(1).exponential(size=45)
    expected = stats.bootstrap(
        (values,), statistic, n_resamples=2_000, method="BCa", rng=np.random.default_rng(2), vectorized=False
    )
    left = np.array([statistic(np.delete(values, place)) for place in range(len(values))])
    away = left.mean() - left
    acceleration = np.sum(away**3) / (6 * np.sum(away**2) ** 1.5)
    found = bca_bounds(statistic(values), expected.bootstrap_distribution, acceleration, Z)
    np.testing.assert_allclose(found, expected.confidence_interval, rtol=1e-6)


def test_without_bias_and_skew_it_is_the_percentile_interval():
    resampled = np.arange(-5_000, 5_001) / 1_000
    np.testing.assert_allclose(bca_bounds(0.0, resampled, 0.0, Z), np.quantile(resampled, [0.025, 0.975]))


def test_a_value_outside_its_resamples_has_no_bounds():
    assert bca_bounds(2.0, np.linspace(0, 1, 100), 0.0, Z) is None


@pytest.mark.parametrize("share", [0.02, 0.98])
def test_a_value_in_the_tail_of_its_resamples_has_no_bounds_that_leave_it_out(share):
    resampled = np.random.default_rng(0).normal(size=10_000)
    assert bca_bounds(np.quantile(resampled, share), resampled, 0.0, Z) is None
    value = np.quantile(resampled, 0.03 if share < 0.5 else 0.97)
    low, high = bca_bounds(value, resampled, 0.0, Z)
    assert low < value < high


def test_beyond_the_pole_the_extreme_resample_is_taken():
    low, high = bca_bounds(0.5, np.linspace(0, 1, 101), 0.9, Z)
    assert high == 1.0
    assert 0 <= low < high
