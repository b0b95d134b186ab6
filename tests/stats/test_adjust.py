import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.multitest import multipletests

from truetune.stats.adjust import benjamini_hochberg, bonferroni, holm, max_t
from truetune.stats.randomisation import randomisation_p

p_lists = st.lists(st.floats(0, 1), min_size=1, max_size=20)


@settings(max_examples=25, deadline=None)
@given(p_lists)
def test_adjusted_values_are_those_of_statsmodels(p_values):
    np.testing.assert_allclose(holm(p_values), multipletests(p_values, method="holm")[1], atol=1e-12)
    np.testing.assert_allclose(benjamini_hochberg(p_values), multipletests(p_values, method="fdr_bh")[1], atol=1e-12)


def test_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert benjamini_hochberg([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.04, 0.04])
    assert bonferroni([0.01, 0.04, 0.3], 4) == pytest.approx([0.04, 0.16, 1.0])
    assert bonferroni([0.3], 1) == [0.3]


def test_undefined_values_stay_and_do_not_count():
    assert holm([0.01, float("nan"), 0.03]) == pytest.approx([0.02, float("nan"), 0.03], nan_ok=True)
    assert holm([]) == []
    assert bonferroni([0.01, float("nan")], 3) == pytest.approx([0.03, float("nan")], nan_ok=True)


def null_of(rng, metrics, together, resamples=2_000):
    shared = rng.normal(size=resamples)
    return np.sqrt(together) * shared + np.sqrt(1 - together) * rng.normal(size=(metrics, resamples))


def test_max_t_of_one_metric_is_its_own_p_value():
    null = null_of(np.random.default_rng(0), 1, 0.0)
    assert max_t([2.0], null) == [randomisation_p(2.0, null[0])]


def test_max_t_of_one_metric_thrice_costs_nothing_and_holm_does():
    rng = np.random.default_rng(0)
    null = np.repeat(null_of(rng, 1, 0.0), 3, axis=0)
    alone = randomisation_p(2.3, null[0])
    assert max_t([2.3] * 3, null) == pytest.approx([alone] * 3)
    assert holm([alone] * 3) == pytest.approx([3 * alone] * 3)


def test_max_t_keeps_the_family_error():
    rng = np.random.default_rng(1)
    false = 0
    for _ in range(400):
        null = null_of(rng, 5, 0.6, resamples=400)
        observed = null_of(rng, 5, 0.6, resamples=1)[:, 0] * [1, 10, 0.1, 3, 5]
        false += min(max_t(observed, null * np.array([[1], [10], [0.1], [3], [5]]))) <= 0.05
    assert 0.025 <= false / 400 <= 0.08


def test_max_t_is_monotone_and_leaves_out_what_is_undefined():
    null = null_of(np.random.default_rng(0), 4, 0.5)
    null[3] = 0.0
    found = max_t([3.0, 1.0, float("nan"), 0.0], null)
    assert found[0] < found[1]
    assert np.isnan(found[2])
    assert np.isnan(found[3])
