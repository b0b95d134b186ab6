"""Slices against the rest: against scipy, and errors of the first kind in simulation."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.evaluation.derived import derived, length_slice
from truetune.evaluation.slice_tests import Parts, against_rest, fisher_mid_p


@pytest.mark.parametrize("table", [(3, 10, 30, 40), (0, 8, 20, 60), (5, 5, 1, 30), (50, 100, 52, 100)])
def test_mid_p_is_half_way_between_scipys_with_and_without_the_table(table: tuple[int, int, int, int]) -> None:
    from scipy import stats

    hits, trials, other_hits, other_trials = table
    whole = stats.fisher_exact([[hits, trials - hits], [other_hits, other_trials - other_hits]]).pvalue
    seen = stats.hypergeom(trials + other_trials, hits + other_hits, trials)
    alike = sum(p for k in range(trials + 1) if (p := seen.pmf(k)) == pytest.approx(seen.pmf(hits), rel=1e-7))
    greater = stats.fisher_exact([[hits, trials - hits], [other_hits, other_trials - other_hits]], "greater").pvalue
    assert fisher_mid_p(*table) == pytest.approx((whole - alike / 2, greater - seen.pmf(hits) / 2), rel=1e-6)


def test_one_side_of_a_rare_kind_is_more_than_half_of_both() -> None:
    """Of 15 examples 4 are wrong, of 485 others 21: no share of the 15 below the mean is as improbable as that."""
    two_sided, greater = fisher_mid_p(4, 15, 21, 485)
    assert greater == pytest.approx(two_sided)
    inside = np.arange(500) < 15
    wrong = np.isin(np.arange(500), [*range(4), *range(15, 36)]).astype(np.float64)
    assert against_rest(Parts(wrong, np.ones(500)), inside, 0.95).p_greater == pytest.approx(greater)


def test_a_difference_by_hand() -> None:
    above = np.array([1.0, 0, 1, 1, 0, 0])
    found = against_rest(Parts(above, np.ones(6)), np.array([True, True, True, False, False, False]), 0.95)
    assert (found.inside, found.rest) == (pytest.approx(2 / 3), pytest.approx(1 / 3))
    assert np.isnan(found.low), "six examples are too few for an interval"
    assert 0.3 < found.p_value < 1


def test_numbers_are_tested_as_welch_does() -> None:
    from scipy import stats

    rng = np.random.default_rng(0)
    values, inside = rng.normal(size=400), np.arange(400) < 80
    values[inside] += 0.5
    found = against_rest(Parts(values, np.ones(400)), inside, 0.95)
    welch = stats.ttest_ind(values[inside], values[~inside], equal_var=False)
    assert np.log(found.p_value) == pytest.approx(np.log(welch.pvalue), rel=0.15)
    assert found.p_greater == pytest.approx(found.p_value / 2)
    assert against_rest(Parts(-values, np.ones(400)), inside, 0.95).p_greater == pytest.approx(1 - found.p_value / 2)
    assert found.low < 0.5 < found.high


@pytest.mark.parametrize("grouped", [False, True])
def test_equal_slices_are_rarely_called_unlike(grouped: bool) -> None:
    """Of 400 slices that do not differ, 5 % ± 2.2 (two standard errors) are at most to have p < .05."""
    rng = np.random.default_rng(1)
    found = 0
    for _ in range(400):
        if grouped:
            groups = np.repeat(np.arange(100), 4)
            right = np.repeat(rng.random(100) < 0.7, 4).astype(np.float64)
            inside = np.repeat(rng.random(100) < 0.4, 4)
        else:
            groups, right = None, (rng.random(400) < 0.7).astype(np.float64)
            inside = rng.random(400) < 0.2
        found += against_rest(Parts(right, np.ones(400), groups), inside, 0.95).p_value < 0.05
    assert found <= 29


def test_columns_that_every_text_has() -> None:
    columns = {"text": ["a b", "这是中文", "x" * 1001], "label": ["a", "b", "a"]}
    assert derived("length", columns) == ["0000-0010", "0000-0010", "1001-"]
    assert derived("language", columns) == ["en", "zh", "en"]
    assert derived("length", {"label": ["a"]}) is None
    assert derived("colour", columns) is None
    names = [length_slice(length) for length in (5, 11, 21, 99, 150, 400, 900, 5000)]
    assert names == sorted(names)
