import numpy as np
import pytest
from statsmodels.stats.weightstats import ttost_paired

from truetune.errors import MetricError
from truetune.stats.plan import Plan
from truetune.stats.power import detectable, least_detectable, margin_test, verdict

PLAN = Plan()
NAN = float("nan")


def test_detectable_is_about_2_8_standard_errors():
    assert detectable(0.01, PLAN) == pytest.approx(0.02802, abs=1e-5)
    assert detectable(0.01, PLAN, 10) > 0.03


def test_detectable_is_found_four_times_in_five():
    rng = np.random.default_rng(0)
    estimates = rng.normal(detectable(0.01, PLAN), 0.01, 20_000)
    assert np.mean(np.abs(estimates) > 1.96 * 0.01) == pytest.approx(0.8, abs=0.01)


def test_some_examples_must_change_for_a_difference_to_show():
    assert least_detectable(1_000, PLAN) == pytest.approx(7.849 / 1_000, rel=1e-3)
    assert least_detectable(2, PLAN) == 1.0


def test_margin_test_is_tost_for_a_symmetric_interval():
    changes = np.random.default_rng(0).normal(0.002, 0.1, 5_000)
    error = changes.std(ddof=1) / np.sqrt(5_000)
    mean, half = changes.mean(), 1.959964 * error
    found = margin_test(mean, mean - half, mean + half, margin=0.004, better="higher", plan=PLAN)
    p_value, (_, above, _), (_, below, _) = ttost_paired(changes, np.zeros(5_000), -0.004, 0.004)
    assert found.not_worse == pytest.approx(above, rel=0.02)
    assert found.equivalent == pytest.approx(p_value, rel=0.02)
    lower = margin_test(mean, mean - half, mean + half, margin=0.004, better="lower", plan=PLAN)
    assert lower.not_worse == pytest.approx(below, rel=0.02)
    assert lower.equivalent == found.equivalent


def test_margin_at_a_bound_has_a_p_value_of_one_tail():
    found = margin_test(0.01, -0.03, 0.02, margin=0.03, better="higher", plan=PLAN)
    assert found.not_worse == pytest.approx(0.025)


def test_agreement_on_few_examples_shows_no_equivalence():
    # Identical predictions on 20 examples: the bounds are -+0.16, a margin of 0.01 is far from shown.
    assert margin_test(0.0, -0.16, 0.16, margin=0.01, better="higher", plan=PLAN).not_worse > 0.4


def test_no_interval_shows_nothing_and_a_margin_must_be_positive():
    found = margin_test(0.0, NAN, NAN, margin=0.1, better="higher", plan=PLAN)
    assert verdict(0.0, 1.0, better="higher", plan=PLAN, margin=found) == "not shown"
    with pytest.raises(MetricError, match="margin is 0"):
        margin_test(0.0, -1.0, 1.0, margin=0.0, better="higher", plan=PLAN)


@pytest.mark.parametrize(
    ("difference", "p_value", "better", "expected"),
    [
        (0.02, 0.04, "higher", "better"),
        (0.02, 0.06, "higher", "no difference found"),
        (-0.02, 0.04, "higher", "worse"),
        (-0.02, 0.04, "lower", "better"),
        (0.02, 0.04, "lower", "worse"),
        (0.0, 0.01, "higher", "no difference found"),
        (0.02, NAN, "higher", "no difference found"),
    ],
)
def test_verdict(difference, p_value, better, expected):
    assert verdict(difference, p_value, better=better, plan=PLAN) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [(-0.01, 0.01, "equivalent"), (-0.01, 0.05, "not worse"), (-0.05, 0.01, "not shown"), (-0.2, 0.2, "not shown")],
)
def test_verdict_with_a_margin(low, high, expected):
    middle = (low + high) / 2
    found = margin_test(middle, low, high, margin=0.03, better="higher", plan=PLAN)
    assert verdict(middle, 0.01, better="higher", plan=PLAN, margin=found) == expected
