"""Permutation tests on counts, against exact enumeration, SciPy and their own level."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy import stats

from truetune.stats.homogeneity import homogeneity_p, strata_p


def counts(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def test_two_bins_are_fishers_exact_test() -> None:
    first, second = counts(18, 2), counts(9, 11)
    exact = stats.fisher_exact([[18, 2], [9, 11]]).pvalue
    found = homogeneity_p(first, second, False, 40_000, np.random.default_rng(0))
    assert found == pytest.approx(exact, abs=0.002)


def test_ordered_bins_are_the_permutation_test_over_all_choices() -> None:
    """Seven values in three bins: all 35 choices of the second set's three, by hand."""
    values = [0, 0, 0, 1, 1, 2, 2]
    chosen = [1, 2, 2]

    def statistic(second: list[int]) -> float:
        pooled = np.bincount(values, minlength=3)
        below = np.cumsum(pooled)[:2] / 7
        share = np.cumsum(np.bincount(second, minlength=3))[:2] / 3
        return float((pooled[:2] * (share - below) ** 2 / (below * (1 - below))).sum())

    every = [statistic([values[place] for place in one]) for one in itertools.combinations(range(7), 3)]
    exact = np.mean([one >= statistic(chosen) - 1e-12 for one in every])
    found = homogeneity_p(counts(3, 1, 0), counts(0, 1, 2), True, 40_000, np.random.default_rng(0))
    assert found == pytest.approx(exact, abs=0.01)


def test_order_matters_only_to_ordered_bins() -> None:
    first, second = counts(25, 25, 25, 25), counts(10, 20, 30, 40)
    shuffled = [1, 3, 0, 2]
    plain = [
        homogeneity_p(a, b, False, 4000, np.random.default_rng(1))
        for a, b in ((first, second), (first[shuffled], second[shuffled]))
    ]
    trend = [
        homogeneity_p(a, b, True, 4000, np.random.default_rng(1))
        for a, b in ((first, second), (first[shuffled], second[shuffled]))
    ]
    assert plain[0] == pytest.approx(plain[1], abs=0.01)
    assert 10 * trend[0] < 0.05 < trend[1]


@pytest.mark.parametrize("ordered", [True, False])
def test_the_level_is_kept_with_rare_bins_and_unequal_sizes(ordered: bool) -> None:
    rng = np.random.default_rng(2)
    shares = np.array([0.6, 0.3, 0.05, 0.03, 0.01, 0.01])
    found = [
        homogeneity_p(rng.multinomial(300, shares), rng.multinomial(40, shares), ordered, 199, rng) for _ in range(1500)
    ]
    for level in (0.05, 0.2):
        share = np.mean(np.array(found) <= level)
        assert share <= level + 3 * np.sqrt(level * (1 - level) / 1500)
    assert np.mean(np.array(found) <= 0.2) > 0.15


def test_what_cannot_be_compared_is_undefined_and_one_bin_shows_nothing() -> None:
    rng = np.random.default_rng(0)
    assert np.isnan(homogeneity_p(counts(0, 0), counts(1, 2), False, 99, rng))
    assert np.isnan(homogeneity_p(counts(1, 2), counts(0, 0), True, 99, rng))
    assert homogeneity_p(counts(5, 0), counts(7, 0), True, 99, rng) == 1.0
    assert homogeneity_p(counts(5, 0), counts(7, 0), False, 99, rng) == 1.0


def test_hits_within_one_bin_are_fishers_one_sided_test() -> None:
    first, second = np.array([[20, 18]]), np.array([[20, 11]])
    exact = stats.fisher_exact([[11, 9], [18, 2]], alternative="less").pvalue
    assert strata_p(first, second, True, 40_000, np.random.default_rng(0)) == pytest.approx(exact, abs=0.002)
    assert strata_p(second, first, True, 999, np.random.default_rng(0)) > 0.95, "better is not worse"


def test_more_examples_in_hard_bins_are_no_change_of_hits_within_bins() -> None:
    """Half right in the first bin, nearly all in the second; only how many come to each changes."""
    first, second = np.array([[100, 50], [400, 380]]), np.array([[400, 200], [100, 95]])
    rng = np.random.default_rng(0)
    assert strata_p(first, second, False, 999, rng) > 0.5
    pooled = [one.sum(axis=0)[None] for one in (first, second)]
    assert strata_p(*pooled, True, 999, rng) == 0.001
    assert np.isnan(strata_p(np.array([[5, 3], [0, 0]]), np.array([[0, 0], [5, 3]]), False, 99, rng))
