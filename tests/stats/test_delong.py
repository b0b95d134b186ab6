import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.delong import area, standard_error


def rows_of(positive, scores):
    return Rows.of(np.stack([positive, scores], axis=1).astype(float))


def compared(positive, scores):
    """DeLong's components by comparing every positive with every negative."""
    wins = np.array([[float(a > b) + float(a == b) / 2 for b in scores[positive == 0]] for a in scores[positive == 1]])
    return wins.mean(axis=1), wins.mean(axis=0)


cases = st.integers(5, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 1), min_size=n, max_size=n), st.lists(st.integers(0, 6), min_size=n, max_size=n)
    )
)


@settings(max_examples=60)
@given(cases)
def test_area_and_variance_equal_all_pairs(case):
    positive, scores = (np.array(part) for part in case)
    if min(positive.sum(), (1 - positive).sum()) < 2:
        return
    found = area(rows_of(positive, scores))
    up, down = compared(positive, scores)
    assert found.value == pytest.approx(roc_auc_score(positive, scores))
    np.testing.assert_allclose(found.components[positive == 1], up, atol=1e-12)
    np.testing.assert_allclose(found.components[positive == 0], down, atol=1e-12)
    expected = np.sqrt(np.var(up, ddof=1) / len(up) + np.var(down, ddof=1) / len(down))
    assert standard_error(found.components, found.positive) == pytest.approx(expected, abs=1e-12)


def test_groups_of_one_are_examples():
    rng = np.random.default_rng(0)
    positive = (rng.random(2000) < 0.3).astype(int)
    found = area(rows_of(positive, rng.normal(size=2000) + positive))
    alone = standard_error(found.components, found.positive, np.arange(2000))
    assert alone == pytest.approx(standard_error(found.components, found.positive), rel=1e-3)


def test_doubled_examples_count_once_by_group():
    rng = np.random.default_rng(0)
    positive = np.repeat((rng.random(500) < 0.3).astype(int), 2)
    scores = np.repeat(rng.normal(size=500), 2) + positive
    found = area(rows_of(positive, scores))
    once = area(rows_of(positive[::2], scores[::2]))
    by_group = standard_error(found.components, found.positive, np.repeat(np.arange(500), 2))
    assert by_group == pytest.approx(standard_error(once.components, once.positive), rel=5e-3)
    assert standard_error(found.components, found.positive) < 0.75 * by_group


def test_one_class_is_undefined_and_one_positive_shows_no_spread():
    missing = area(rows_of(np.zeros(4), np.arange(4.0)))
    assert np.isnan(missing.value)
    one = area(rows_of(np.array([1, 0, 0, 0]), np.arange(4.0)))
    assert one.value == 0.0
    assert np.isnan(standard_error(one.components, one.positive))


def test_other_rows_are_refused():
    with pytest.raises(MetricError, match="gold is positive"):
        area(Rows.of(np.array([[0.2, 0.5], [1.0, 0.3]])))
