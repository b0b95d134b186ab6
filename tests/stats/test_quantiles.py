import numpy as np
import pytest
from scipy import stats

from truetune.stats.quantiles import degrees_named, logistic, normal_below, normal_quantile, t_quantile, t_two_sided


@pytest.mark.parametrize("p", [1e-12, 0.001, 0.025, 0.5, 0.8, 0.975, 1 - 1e-9])
def test_quantiles_are_those_of_scipy(p):
    assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-12, abs=1e-12)
    assert t_quantile(p, 7.5) == pytest.approx(stats.t.ppf(p, 7.5), rel=1e-9, abs=1e-12)
    assert t_quantile(p, np.inf) == pytest.approx(stats.norm.ppf(p), rel=1e-12, abs=1e-12)


def test_tails_keep_their_digits_far_out():
    assert normal_below(-30.0) == pytest.approx(stats.norm.cdf(-30.0), rel=1e-10)
    assert t_two_sided(9.0, 4) == pytest.approx(2 * stats.t.sf(9.0, 4), rel=1e-10)
    assert t_two_sided(-9.0, np.inf) == pytest.approx(2 * stats.norm.sf(9.0), rel=1e-10)


def test_ends():
    assert normal_quantile(0.0) == -np.inf
    assert normal_quantile(1.0) == np.inf
    np.testing.assert_allclose(logistic(np.array([-1000.0, 0.0, 1000.0])), [0.0, 0.5, 1.0])


def test_degrees_are_printed_to_be_read():
    assert degrees_named(299.0) == "299 degrees of freedom"
    assert degrees_named(27.1863) == "27.2 degrees of freedom"
    assert degrees_named(49_999.3) == "49,999 degrees of freedom"
