"""Bets on p-values: by hand, their mean under the null, and that a martingale of them keeps its rate."""

from __future__ import annotations

from math import exp, inf, log, nan

import numpy as np
import pytest
from scipy import integrate

from truetune.stats.evidence import Evidence, bet, mean_evidence


@pytest.mark.parametrize("p", [1e-6, 0.001, 0.05, 0.5, 0.9, 0.9995, 1.0])
def test_a_bet_is_the_mean_over_all_powers(p: float) -> None:
    expected, _ = integrate.quad(lambda k: k * p ** (k - 1), 0, 1)
    assert bet(p) == pytest.approx(expected, rel=1e-6)


def test_a_bet_has_mean_one_where_p_is_uniform() -> None:
    inner, _ = integrate.quad(bet, 1e-12, 1, limit=400)
    left = 1 / -log(1e-12)  # the integral of 1 / (p ln(p)^2) from 0 on; the rest there is far smaller
    assert inner + left == pytest.approx(1, abs=1e-3)
    with pytest.raises(ValueError, match="no p-value"):
        bet(0.0)


def test_the_first_two_steps_by_hand() -> None:
    one = Evidence().after(0.01)
    assert exp(one.logarithm) == pytest.approx(bet(0.01) / 2 + 1 / 2)
    two = one.after(0.2)
    assert exp(two.logarithm) == pytest.approx((bet(0.01) / 2 + 1 / 6) * bet(0.2) + 1 / 3)
    assert two.after(nan) == two
    assert exp(Evidence().logarithm) == 1.0
    assert Evidence().started == -inf


def test_the_mean_of_several() -> None:
    several = [Evidence().after(0.01), Evidence().after(0.5)]
    assert mean_evidence(several) == pytest.approx(np.mean([exp(one.logarithm) for one in several]))
    assert mean_evidence([]) == 1.0


def test_an_alarm_is_ever_raised_in_at_most_one_stream_of_twenty() -> None:
    rng = np.random.default_rng(0)
    raised = 0
    for _ in range(400):
        evidence = Evidence()
        for p in rng.random(200):
            evidence = evidence.after(float(p))
            if evidence.logarithm >= log(20):
                raised += 1
                break
    assert raised / 400 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)


def test_a_change_after_a_long_quiet_is_found_soon() -> None:
    evidence = Evidence()
    for p in np.random.default_rng(1).random(500):
        evidence = evidence.after(float(p))
    steps = 0
    while evidence.logarithm < log(20):
        evidence, steps = evidence.after(0.001), steps + 1
    assert steps <= 7
