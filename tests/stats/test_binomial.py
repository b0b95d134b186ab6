import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import optimize, stats
from statsmodels.stats.contingency_tables import mcnemar
from statsmodels.stats.proportion import proportion_confint

from truetune.errors import MetricError
from truetune.stats.binomial import clopper_pearson, mcnemar_mid_p, paired_difference, wilson

Z = stats.norm.ppf(0.975)
counts = st.integers(1, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


@given(counts)
def test_wilson_and_exact_are_those_of_statsmodels(case):
    hits, trials = case
    np.testing.assert_allclose(
        wilson(hits, trials, Z), proportion_confint(hits, trials, method="wilson"), rtol=1e-9, atol=1e-12
    )
    np.testing.assert_allclose(
        clopper_pearson(hits, trials, 0.95), proportion_confint(hits, trials, method="beta"), rtol=1e-8, atol=1e-12
    )


def test_wilson_by_hand():
    # 8 of 10 with z = 2: centre (0.8 + 4/20) / 1.4, half sqrt(0.4 * (0.16 + 0.1)) / 1.4
    low, high = wilson(8, 10, 2.0)
    assert (low + high) / 2 == pytest.approx(1.0 / 1.4)
    assert (high - low) / 2 == pytest.approx(np.sqrt(0.4 * 0.26) / 1.4)


def test_all_right_and_all_wrong_keep_room():
    assert wilson(10, 10, Z)[0] < 0.75
    assert wilson(10, 10, Z)[1] == 1.0
    assert wilson(0, 10, Z) == (0.0, pytest.approx(1 - wilson(10, 10, Z)[0]))


@pytest.mark.parametrize("case", [(3, 0), (-1, 5), (6, 5), (float("nan"), 5), (1, float("inf"))])
def test_impossible_counts_are_refused(case):
    with pytest.raises(MetricError, match="expected"):
        wilson(*case, Z)


@given(st.integers(0, 60), st.integers(0, 60))
def test_mid_p_is_the_exact_p_less_the_probability_of_the_outcome(gained, lost):
    table = [[0, gained], [lost, 0]]
    if gained + lost == 0 or gained == lost:
        expected = 1.0
    else:
        expected = mcnemar(table, exact=True).pvalue - stats.binom.pmf(gained, gained + lost, 0.5)
    assert mcnemar_mid_p(gained, lost) == pytest.approx(expected, abs=1e-12)
    assert mcnemar_mid_p(gained, lost) == mcnemar_mid_p(lost, gained)


def test_mid_p_by_hand():
    # 5 gained, 0 lost: 2 * (0 + (1/2)**5 / 2)
    assert mcnemar_mid_p(5, 0) == pytest.approx(1 / 32)


def test_tango_on_published_data():
    # Airway hyper-responsiveness before and after stem cell transplantation, 21 children, discordant 1 and 7:
    # -0.286 (-0.517 to -0.026) by Tango's method in Fagerland, Lydersen and Laake (2014, Stat Med 33:2850).
    low, high = paired_difference(1, 7, 21, Z)
    assert (round(low, 3), round(high, 3)) == (-0.517, -0.026)


@given(st.integers(0, 25), st.integers(0, 25), st.integers(0, 50))
def test_tango_bounds_solve_the_score_equation(gained, lost, same):
    trials = gained + lost + same
    if trials == 0:
        return
    low, high = paired_difference(gained, lost, trials, Z)
    assert -1 <= low <= (gained - lost) / trials <= high <= 1
    assert low < high
    assert paired_difference(lost, gained, trials, Z) == (pytest.approx(-high), pytest.approx(-low))
    for bound in (low, high):
        if abs(bound) < 0.999:
            score = (gained - lost - trials * bound) ** 2 / (trials * _variance(gained, lost, same, bound))
            assert score == pytest.approx(Z**2, rel=1e-4)


def _variance(gained, lost, same, difference):
    """The variance of a change at the share of lost pairs that maximises the likelihood, found numerically."""

    def unlikely(share):
        shares = np.array([share + difference, share, 1 - 2 * share - difference])
        with np.errstate(divide="ignore", invalid="ignore"):
            terms = np.where(np.array([gained, lost, same]) > 0, np.array([gained, lost, same]) * np.log(shares), 0.0)
        return -terms.sum() if (shares >= 0).all() else np.inf

    low, high = max(0.0, -difference), (1 - difference) / 2
    share = optimize.minimize_scalar(unlikely, bounds=(low, high), method="bounded", options={"xatol": 1e-12}).x
    return 2 * share + difference - difference**2


def test_systems_that_agree_everywhere_may_still_differ():
    low, high = paired_difference(0, 0, 100, Z)
    assert low == pytest.approx(-(Z**2) / (100 + Z**2))
    assert high == pytest.approx(-low)
