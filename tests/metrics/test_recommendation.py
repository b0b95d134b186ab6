"""Coverage, novelty and diversity by hand, and their laws."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import truetune
from truetune.errors import DataError, MetricError
from truetune.metrics.recommendation import (
    BEYOND_ACCURACY,
    beyond_accuracy,
    diversity,
    diversity_of_vectors,
    novelty,
)
from truetune.rows import joined
from truetune.stats.plan import Plan

COVERAGE, NOVELTY, DIVERSITY = BEYOND_ACCURACY
lists = st.lists(st.lists(st.sampled_from("abcdefgh"), unique=True, max_size=6), min_size=1, max_size=8)


def test_coverage_by_hand() -> None:
    coverage = beyond_accuracy(2)[0]
    gold = [{"a": 1.0, "z": 0.0}, {"b": 1.0}]
    rankings = [["a", "b", "c"], ["a", "d"]]
    rows = coverage.rows(gold, rankings)
    assert float(coverage.value(rows)) == pytest.approx(3 / 5), "a, b, d of a, b, c, d, z"
    some = coverage.value(rows, np.array([[1, 0], [0, 3], [0, 0]]))
    assert some.tolist() == pytest.approx([2 / 4, 2 / 3, np.nan], nan_ok=True)


@given(lists, lists)
def test_coverage_of_shards_is_that_of_the_whole(first: list, second: list) -> None:
    coverage = beyond_accuracy(3)[0]
    gold = [dict.fromkeys("ab", 1.0)] * (len(first) + len(second))
    whole = coverage.rows(gold, first + second)
    parts = joined(coverage.rows(gold[: len(first)], first), coverage.rows(gold[: len(second)], second))
    assert float(coverage.value(parts)) == float(coverage.value(whole))


@given(lists)
def test_coverage_is_a_share_and_grows_with_depth(rankings: list) -> None:
    gold = [{"a": 1.0}] * len(rankings)
    values = []
    for depth in (1, 3, 6):
        metric = beyond_accuracy(depth)[0]
        values.append(float(metric.value(metric.rows(gold, rankings))))
    assert 0 <= values[0] <= values[1] <= values[2] <= 1


def test_novelty_by_hand() -> None:
    assert novelty([0.5, 0.25]) == pytest.approx(1.5)
    assert novelty([0.5, 0.25], depth=1) == 1
    assert np.isnan(novelty([]))
    for wrong in (0.0, 1.5, float("nan")):
        with pytest.raises(MetricError, match="popularity of a ranked item"):
            novelty([0.5, wrong])


def test_diversity_by_hand() -> None:
    assert diversity([["x"], ["x"], ["y"]]) == pytest.approx((0 + 1 + 1) / 3)
    assert diversity([["x", "y"], ["y", "z"]]) == pytest.approx(1 - 1 / 3)
    assert np.isnan(diversity([["x"]]))


@given(st.integers(0, 2**32 - 1), st.integers(2, 6))
def test_diversity_of_vectors_is_the_mean_over_pairs(seed: int, number: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(number, 3))
    unit = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    pairs = [1 - unit[i] @ unit[j] for i in range(number) for j in range(i)]
    assert diversity_of_vectors(vectors) == pytest.approx(np.mean(pairs))


def test_vectors_without_a_direction_are_refused() -> None:
    with pytest.raises(MetricError, match="item 1 is zero"):
        diversity_of_vectors(np.array([[1.0, 0.0], [0.0, 0.0]]))
    assert np.isnan(diversity_of_vectors(np.ones((1, 2))))


def test_the_task_scores_what_its_files_hold() -> None:
    gold = [{"relevant": {"a": 1}}, {"relevant": {"b": 1}}] * 10
    said = [
        {"ranking": ["a", "b"], "popularity": [0.5, 0.25], "categories": ["x", "y"]},
        {"ranking": ["c", "b"], "popularity": [0.5, 0.5], "categories": [["x"], ["x", "y"]]},
    ] * 10
    result = truetune.evaluate(task="recommendation", gold=gold, predicted=said, plan=Plan(resamples=200))
    assert result.score("coverage@10").value == 1.0
    assert "no interval" in result.score("coverage@10").reason
    novel = result.score("novelty@10")
    assert novel.value == pytest.approx((1.5 + 1.0) / 2)
    assert novel.low < novel.value < novel.high
    assert result.score("diversity@10").value == pytest.approx((1 + 0.5) / 2)
    plain = [{"ranking": one["ranking"]} for one in said]
    names = {score.metric for score in truetune.evaluate(task="recommendation", gold=gold, predicted=plain).scores}
    assert "coverage@10" in names
    assert "novelty@10" not in names


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"popularity": [0.5]}, "1 popularity for 2 ranked items"),
        ({"popularity": [0.5, 2]}, "above 0, at most 1"),
        ({"categories": ["x"]}, "1 categories for 2 ranked items"),
    ],
)
def test_lists_beside_the_ranking_must_fit_it(more: dict, message: str) -> None:
    with pytest.raises(DataError, match=message):
        truetune.evaluate(
            task="recommendation", gold=[{"relevant": ["a"]}], predicted=[{"ranking": ["a", "b"], **more}]
        )
