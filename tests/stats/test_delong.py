import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.delong import area, area_of_pairs


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
    expected = np.sqrt(np.var(up, ddof=1) / len(up) + np.var(down, ddof=1) / len(down))
    assert found.standard_error == pytest.approx(expected, abs=1e-12)


def test_groups_of_one_are_examples():
    rng = np.random.default_rng(0)
    positive = (rng.random(2000) < 0.3).astype(int)
    rows = rows_of(positive, rng.normal(size=2000) + positive)
    assert area(rows, np.arange(2000)).standard_error == pytest.approx(area(rows).standard_error, rel=1e-3)


def test_doubled_examples_count_once_by_group():
    rng = np.random.default_rng(0)
    positive = np.repeat((rng.random(500) < 0.3).astype(int), 2)
    scores = np.repeat(rng.normal(size=500), 2) + positive
    rows = rows_of(positive, scores)
    by_group = area(rows, np.repeat(np.arange(500), 2)).standard_error
    assert by_group == pytest.approx(area(rows_of(positive[::2], scores[::2])).standard_error, rel=5e-3)
    assert area(rows).standard_error < 0.75 * by_group


def test_one_class_is_undefined_and_one_positive_shows_no_spread():
    missing = area(rows_of(np.zeros(4), np.arange(4.0)))
    assert np.isnan(missing.value)
    one = area(rows_of(np.array([1, 0, 0, 0]), np.arange(4.0)))
    assert one.value == 0.0
    assert np.isnan(one.standard_error)


def by_label(gold, scores):
    """Rows of (score, gold) of each label."""
    dense = np.stack([scores, (gold[:, None] == np.arange(scores.shape[1])).astype(float)], axis=1)
    return Rows.of(dense, tuple("abcdefghij"[: scores.shape[1]]))


def drawn_classes(rng, examples, labels=4):
    gold = rng.choice(labels, examples, p=np.arange(1, labels + 1) / np.arange(1, labels + 1).sum())
    scores = rng.normal(size=(examples, labels))
    scores[np.arange(examples), gold] += 1.3
    return gold, np.round(scores, 2)


def test_the_mean_of_two_equal_areas_has_the_error_of_one():
    rng = np.random.default_rng(0)
    positive = rng.integers(0, 2, 300)
    score = rng.normal(size=300) + positive
    alone = area(rows_of(positive, score))
    both = area(by_label(positive, np.stack([-score, score], axis=1)))
    assert both.value == pytest.approx(alone.value)
    assert both.standard_error == pytest.approx(alone.standard_error)


def test_the_mean_over_labels_is_sklearns_and_its_error_that_of_the_covariances():
    gold, scores = drawn_classes(np.random.default_rng(1), 400)
    found = area(by_label(gold, scores))
    one_hot = gold[:, None] == np.arange(4)
    assert found.value == pytest.approx(roc_auc_score(one_hot, scores, average="macro"))
    jackknifed = np.array(
        [roc_auc_score(np.delete(one_hot, left, 0), np.delete(scores, left, 0), average="macro") for left in range(400)]
    )
    assert found.standard_error == pytest.approx(np.sqrt(399 * np.var(jackknifed)), rel=0.02)


def test_a_label_without_positives_is_left_out_and_one_positive_adds_no_spread():
    gold, scores = drawn_classes(np.random.default_rng(2), 200, 3)
    without = area(by_label(gold, np.column_stack([scores, np.zeros(200)])))
    assert without.value == area(by_label(gold, scores)).value
    single = gold.copy()
    single[np.flatnonzero(gold == 0)[1:]] = 1
    assert np.isfinite(area(by_label(single, scores)).standard_error)


def test_pairs_of_labels_are_sklearns_one_against_one_and_their_error_that_of_the_covariances():
    gold, scores = drawn_classes(np.random.default_rng(3), 300)
    scores = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    found = area_of_pairs(by_label(gold, scores))
    assert found.value == pytest.approx(roc_auc_score(gold, scores, multi_class="ovo"), abs=1e-12)
    left_out = [np.delete(np.arange(300), left) for left in range(300)]
    jackknifed = [area_of_pairs(by_label(gold[kept], scores[kept])).value for kept in left_out]
    assert found.standard_error == pytest.approx(np.sqrt(299 * np.var(jackknifed)), rel=0.02)


def test_pairs_of_equal_rows_weigh_as_often_as_they_stand():
    gold, scores = drawn_classes(np.random.default_rng(4), 60)
    rows = by_label(np.repeat(gold, 3), np.repeat(scores, 3, axis=0))
    alone = Rows(rows.dense(), np.arange(180), rows.labels)
    assert len(rows.table) < 180
    found, wanted = area_of_pairs(rows), area_of_pairs(alone)
    assert found.value == pytest.approx(wanted.value)
    assert found.standard_error == pytest.approx(wanted.standard_error)


def test_pairs_of_two_labels_are_one_area():
    rows = rows_of(np.array([1, 0, 1, 0, 1, 0]), np.array([3.0, 1.0, 2.0, 2.0, 0.0, 1.0]))
    assert area_of_pairs(rows).value == area(rows).value
    assert np.isnan(area_of_pairs(by_label(np.zeros(4, dtype=int), np.full((4, 3), 0.1))).value)


def test_other_rows_are_refused():
    with pytest.raises(MetricError, match="gold is positive"):
        area(Rows.of(np.array([[0.2, 0.5], [1.0, 0.3]])))
