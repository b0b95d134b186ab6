"""Two arms: an e-value for every common chance, by hand, with its rate of errors and its power."""

from __future__ import annotations

from math import comb, exp, log

import numpy as np
import pytest

from truetune.stats.two_arms import DIFFERENCES, TwoArms, guesses, log_e_value


@pytest.mark.parametrize("sizes", [(1, 1), (4, 1), (2, 3)])
def test_a_block_has_mean_one_at_most_whatever_the_common_chance(sizes: tuple[int, int]) -> None:
    for level in (0.1, 0.5, 0.9):
        for difference in DIFFERENCES:
            guessed = guesses(level, difference, *sizes)
            for chance in np.linspace(0, 1, 21).tolist():
                mean = sum(
                    comb(sizes[0], a)
                    * comb(sizes[1], b)
                    * chance ** (a + b)
                    * (1 - chance) ** (sum(sizes) - a - b)
                    * exp(log_e_value([a, sizes[0]], [b, sizes[1]], guessed))
                    for a in range(sizes[0] + 1)
                    for b in range(sizes[1] + 1)
                )
                assert mean <= 1 + 1e-9


def test_a_block_by_hand() -> None:
    """Three misses and one hit of the first arm, one hit of the second: 0.5 and 0.9 over their mean 0.58."""
    expected = (0.5 / 0.58) * (0.5 / 0.42) ** 3 * (0.9 / 0.58)
    assert exp(log_e_value([1, 4], [1, 1], (0.5, 0.9))) == pytest.approx(expected)
    assert guesses(0.58, 0.4, 4, 1) == pytest.approx((0.5, 0.9))
    assert guesses(0.99, 0.4, 1, 1) == pytest.approx((0.79, 0.999))


def test_nothing_is_said_before_both_arms_were_tried() -> None:
    found = TwoArms()
    assert [found.after(False, True) for _ in range(3)] == pytest.approx([0, 0, 0])
    assert found.after(True, False) != 0.0


@pytest.mark.parametrize(
    ("shares", "least", "most"), [((0.9, 0.9), 0.0, 0.125), ((0.6, 0.6), 0.0, 0.125), ((0.7, 0.9), 0.8, 1.0)]
)
def test_errors_are_rare_however_often_one_looks_and_differences_are_found(
    shares: tuple[float, float], least: float, most: float
) -> None:
    rng = np.random.default_rng(0)
    shown = 0
    for _ in range(80):
        found = TwoArms()
        second = rng.random(600) < 0.25
        hits = rng.random(600) < np.where(second, shares[1], shares[0])
        shown += any(found.after(arm, hit) >= log(20) for arm, hit in zip(second.tolist(), hits.tolist(), strict=True))
    assert least <= shown / 80 <= most
