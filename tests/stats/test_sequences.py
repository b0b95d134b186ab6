"""Confidence sequences: by hand, against brute force, and covered at all times together."""

from __future__ import annotations

from math import comb, exp, log

import numpy as np
import pytest

from truetune.stats.sequences import (
    BoundedMean,
    bernoulli_log_e,
    bernoulli_sequence,
    discordant_log_e,
    paired_log_e,
    paired_sequence,
    unpaired_log_e,
    unpaired_sequence,
)


def test_by_hand() -> None:
    """The mean of p^3 (1 - p)^1 over p is 3! 1! / 5! = 1 / 20; at one half it is 1 / 16."""
    assert exp(bernoulli_log_e(3, 4, 0.5)) == pytest.approx(16 / 20)
    assert exp(discordant_log_e(10, 0)) == pytest.approx(2**10 / 11)
    assert discordant_log_e(0, 10) == discordant_log_e(10, 0)
    assert discordant_log_e(0, 0) == 0.0


def test_the_mean_of_the_evidence_is_one_under_the_hypothesis() -> None:
    for share in (0.5, 0.1):
        mean = sum(
            comb(12, hits) * share**hits * (1 - share) ** (12 - hits) * exp(bernoulli_log_e(hits, 12, share))
            for hits in range(13)
        )
        assert mean == pytest.approx(1)


def test_bounds_are_where_the_evidence_reaches_the_limit() -> None:
    low, high = bernoulli_sequence(30, 40, 0.05)
    assert low < 0.75 < high
    for end in (low, high):
        assert bernoulli_log_e(30, 40, end) == pytest.approx(log(20), abs=1e-6)
    assert bernoulli_sequence(0, 40, 0.05)[0] == 0.0
    assert bernoulli_sequence(40, 40, 0.05)[1] == 1.0
    assert bernoulli_sequence(0, 0, 0.05) == (0.0, 1.0)


@pytest.mark.parametrize("difference", [-0.4, -0.01, 0.0, 0.05, 0.3])
def test_the_likelihood_of_pairs_is_taken_at_its_largest(difference: float) -> None:
    gained, lost, same = 9, 4, 30
    chances = np.linspace(max(0, -difference), (1 - difference) / 2, 200_001)[1:-1]
    table = gained * np.log(chances + difference) + lost * np.log(chances)
    best = (table + same * np.log(1 - difference - 2 * chances)).max()
    mixture = log(2) + sum(np.log(np.arange(1, one + 1)).sum() for one in (gained, lost, same))
    mixture -= np.log(np.arange(1, 46)).sum()
    assert paired_log_e(gained, lost, same, difference) == pytest.approx(mixture - best, abs=1e-6)


@pytest.mark.parametrize("difference", [-0.3, 0.0, 0.2])
def test_the_likelihood_of_two_arms_is_taken_at_its_largest(difference: float) -> None:
    shares = np.linspace(max(0, -difference), min(1, 1 - difference), 200_001)[1:-1]
    best = (
        40 * np.log(shares)
        + 10 * np.log(1 - shares)
        + 12 * np.log(shares + difference)
        + 8 * np.log(1 - shares - difference)
    ).max()
    own = bernoulli_log_e(40, 50, 0.5) + 50 * log(0.5) + bernoulli_log_e(12, 20, 0.5) + 20 * log(0.5)
    assert unpaired_log_e((40, 50), (12, 20), difference) == pytest.approx(own - best, abs=1e-5)


def test_pairs_and_arms_are_covered_at_all_looks_together() -> None:
    """The truth lies outside of the bounds exactly where the evidence against it reaches 20."""
    rng = np.random.default_rng(0)
    outside = np.zeros(3)
    looks = range(9, 300, 10)
    for _ in range(150):
        gained, lost, same = np.cumsum(rng.multinomial(1, [0.1, 0.05, 0.85], 300), axis=0).T.tolist()
        outside[0] += any(paired_log_e(gained[n], lost[n], same[n], 0.05) >= log(20) for n in looks)
        one, other = (np.cumsum(rng.random(300) < share).tolist() for share in (0.8, 0.7))
        arms = [((one[n], n + 1), (other[n // 3], n // 3 + 1)) for n in looks]
        outside[1] += any(unpaired_log_e(*arm, -0.1) >= log(20) for arm in arms)
        outside[2] += any(discordant_log_e(sum_, n - sum_) >= log(20) for n, sum_ in _coins(rng))
    assert (outside / 150 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)).all()


def _coins(rng: np.random.Generator) -> list[tuple[int, int]]:
    return list(enumerate(np.cumsum(rng.random(200) < 0.5).tolist(), start=1))


def test_bounds_of_pairs_and_arms_get_narrow_and_hold_what_was_seen() -> None:
    assert paired_sequence(0, 0, 0, 0.05) == unpaired_sequence((0, 0), (1, 2), 0.05) == (-1.0, 1.0)
    low, high = paired_sequence(80, 30, 890, 0.05)
    assert 0 < low < 0.05 < high < 0.11
    for end in (low, high):
        assert paired_log_e(80, 30, 890, end) == pytest.approx(log(20), abs=1e-5)
    assert paired_sequence(30, 80, 890, 0.05) == pytest.approx((-high, -low), abs=1e-8)
    low, high = unpaired_sequence((900, 1000), (80, 100), 0.05)
    assert -0.31 < low < -0.1 < high < 0.05
    for end in (low, high):
        assert unpaired_log_e((900, 1000), (80, 100), end) == pytest.approx(log(20), abs=1e-4)


def test_a_bounded_mean_is_covered_at_all_times_and_gets_narrow() -> None:
    rng = np.random.default_rng(1)
    outside = 0
    for _ in range(150):
        sequence, out = BoundedMean(0.05), False
        for value in rng.beta(8, 2, 400):
            sequence = sequence.after(float(value))
            low, high = sequence.bounds
            out = out or not low <= 0.8 <= high
        outside += out
    assert outside / 150 <= 0.1
    assert high - low < 0.12
    with pytest.raises(ValueError, match="outside of 0 to 1"):
        sequence.after(1.5)


def test_an_empirical_bernstein_step_by_hand() -> None:
    """The first weight is at most one half; then log(40) and the spent part are divided by it."""
    found = BoundedMean(0.05).after(1.0)
    assert found.weights == 0.5
    assert found.spent == pytest.approx(0.25 * (log(2) - 0.5))
    assert found.bounds == (0.0, 1.0)
