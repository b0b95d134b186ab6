"""Ranking metrics: trec_eval's own published figures, values worked by hand, laws."""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from math import log2
from pathlib import Path

import numpy as np
import pytest
import pytrec_eval
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import MetricError
from truetune.metrics import ranking as rank
from truetune.stats.intervals import intervals

TREC = Path(__file__).parent.parent / "fixtures" / "trec_eval"
"""Test files of trec_eval (NIST, public domain): judgements, a run, and what trec_eval prints for them."""


@cache
def judged() -> dict[str, dict[str, float]]:
    relevant: dict[str, dict[str, float]] = defaultdict(dict)
    for line in (TREC / "qrels.test").read_text(encoding="utf-8").splitlines():
        query, _, item, gain = line.split()
        relevant[query][item] = float(gain)
    return relevant


@cache
def retrieved() -> dict[str, dict[str, float]]:
    scores: dict[str, dict[str, float]] = defaultdict(dict)
    for line in (TREC / "results.test").read_text(encoding="utf-8").splitlines():
        query, _, item, _, score, _ = line.split()
        scores[query][item] = float(np.float32(score))
    return scores


def published() -> list[tuple[str, str, float]]:
    names = {"map": "map", "recip_rank": "mrr", "ndcg": "ndcg", "ndcg_cut_10": "ndcg@10"}
    names |= {"P_10": "precision@10", "recall_10": "recall@10", "success_10": "hit_rate@10"}
    found = []
    for line in (TREC / "out.test.aq").read_text(encoding="utf-8").splitlines():
        measure, query, value = line.split()
        if measure in names:
            found.append((names[measure], query, float(value)))
    return found


METRICS = {metric.name: metric for metric in rank.RANKING}


@pytest.mark.parametrize(("name", "query", "value"), published())
def test_trec_eval_prints_the_same(name: str, query: str, value: float) -> None:
    queries = sorted(retrieved()) if query == "all" else [query]
    gold = [judged()[one] for one in queries]
    rankings = [rank.ranking_from_scores(retrieved()[one]) for one in queries]
    metric = METRICS[name]
    assert round(float(metric.value(metric.rows(gold, rankings))), 4) == pytest.approx(value, abs=1e-9)


def test_all_published_measures_were_found() -> None:
    assert len({name for name, _, _ in published()}) == 7


OF_TREC_EVAL = {
    "map": "map",
    "recip_rank": "mrr",
    "ndcg": "ndcg",
    "ndcg_cut_10": "ndcg@10",
    "P_10": "precision@10",
    "recall_1": "recall@1",
    "recall_5": "recall@5",
    "recall_10": "recall@10",
    "success_10": "hit_rate@10",
}
ITEMS = st.sampled_from([f"d{number}" for number in range(14)])
JUDGED = st.dictionaries(ITEMS, st.integers(0, 3), min_size=1).filter(lambda judged: any(judged.values()))
SCORED = st.dictionaries(ITEMS, st.integers(0, 5), min_size=1)


@given(st.lists(st.tuples(JUDGED, SCORED), min_size=1, max_size=4))
def test_it_equals_trec_eval(queries: list[tuple[dict[str, int], dict[str, int]]]) -> None:
    """With ties, items that nobody judged, and judged ones that were not returned."""
    measures = {"map", "recip_rank", "ndcg", "ndcg_cut.10", "P.10", "recall.1,5,10", "success.10"}
    names = [f"q{number}" for number in range(len(queries))]
    relevant = dict(zip(names, (judged for judged, _ in queries), strict=True))
    scored = {
        name: {item: float(score) for item, score in of.items()} for name, (_, of) in zip(names, queries, strict=True)
    }
    theirs = pytrec_eval.RelevanceEvaluator(relevant, measures).evaluate(scored)
    gold, said = [relevant[name] for name in names], [rank.ranking_from_scores(scored[name]) for name in names]
    for measure, name in OF_TREC_EVAL.items():
        wanted = np.mean([theirs[query][measure] for query in names])
        assert float(METRICS[name].value(METRICS[name].rows(gold, said))) == pytest.approx(wanted, abs=1e-9), measure


GOLD = {"a": 2.0, "b": 1.0, "c": 0.0, "never returned": 1.0}
RANKING = ["c", "a", "unjudged", "b"]


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        (rank.reciprocal_rank(GOLD, RANKING), 1 / 2),
        (rank.average_precision(GOLD, RANKING), (1 / 2 + 2 / 4) / 3),
        (rank.recall(GOLD, RANKING, 2), 1 / 3),
        (rank.precision(GOLD, RANKING, 10), 2 / 10),
        (rank.hit_rate(GOLD, RANKING, 1), 0.0),
        (rank.hit_rate(GOLD, RANKING, 2), 1.0),
        (rank.ndcg(GOLD, RANKING), (2 / log2(3) + 1 / log2(5)) / (2 + 1 / log2(3) + 1 / 2)),
        (rank.ndcg(GOLD, RANKING, 2), (2 / log2(3)) / (2 + 1 / log2(3))),
        (rank.ndcg(GOLD, RANKING, 2, exponential=True), (3 / log2(3)) / (3 + 1 / log2(3))),
    ],
)
def test_values_worked_by_hand(value: float, wanted: float) -> None:
    assert value == pytest.approx(wanted, abs=1e-12)


def test_the_ideal_ranking_is_over_all_judged_items() -> None:
    assert rank.ndcg({"a": 1.0, "missed": 1.0}, ["a"]) == pytest.approx(1 / (1 + 1 / log2(3)))


def test_a_query_without_a_relevant_item_is_left_out_of_the_mean() -> None:
    metric = METRICS["mrr"]
    rows = metric.rows([{"a": 1.0}, {"a": 0.0}, {}], [["b", "a"], ["a"], ["a"]])
    assert float(metric.value(rows)) == 0.5
    assert np.isnan(metric.value(metric.rows([{}], [["a"]])))


def test_equal_scores_are_ordered_by_item_descending() -> None:
    assert rank.ranking_from_scores({"a": 1.0, "c": 1.0, "b": 2.0}) == ["b", "c", "a"]


def test_a_doubled_item_is_refused() -> None:
    with pytest.raises(MetricError, match="'a' stands twice"):
        rank.ndcg({"a": 1.0}, ["a", "b", "a"])


def test_user_auc_counts_ties_half() -> None:
    assert rank.user_auc({"a": 1.0}, {"a": 0.5, "b": 0.5, "c": 0.1}) == (0.75, 3)


def test_gauc_weights_users_by_items_and_leaves_out_the_one_sided() -> None:
    gold = [{"a": 1.0}, {"a": 1.0}, {"a": 1.0}]
    scores = [{"a": 1.0, "b": 0.0}, {"a": 0.0, "b": 1.0, "c": 2.0}, {"a": 1.0}]
    assert float(METRICS["gauc"].value(METRICS["gauc"].rows(gold, scores))) == pytest.approx((1.0 * 2 + 0 * 3) / 5)


queries = st.integers(2, 12).flatmap(
    lambda items: st.tuples(
        st.lists(st.integers(0, 3), min_size=items, max_size=items),
        st.lists(st.integers(0, 5), min_size=items, max_size=items, unique=False),
    )
)


@given(queries, st.integers(1, 15))
def test_the_array_way_gives_the_same(query: tuple[list[int], list[int]], depth: int) -> None:
    gains, scores = (np.array([side], dtype=np.float64) for side in query)
    order = np.argsort(-scores[0], kind="stable")
    relevant = {str(place): gain for place, gain in enumerate(gains[0])}
    slow = rank.ndcg(relevant, [str(place) for place in order], depth)
    assert rank.ndcg_values(gains, scores, depth)[0] == pytest.approx(slow, nan_ok=True)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), st.integers(0, 3), min_size=1), st.randoms())
def test_every_measure_lies_between_0_and_1_and_the_ideal_ranking_is_1(relevant, random) -> None:
    items = sorted(relevant)
    random.shuffle(items)
    ideal = sorted(items, key=lambda item: -relevant[item])
    for name in ("ndcg", "mrr", "map", "ndcg@10", "recall@10", "hit_rate@10"):
        metric = METRICS[name]
        value = float(metric.value(metric.rows([relevant], [items])))
        assert np.isnan(value) or 0 <= value <= 1
        best = float(metric.value(metric.rows([relevant], [ideal])))
        if not np.isnan(best) and len(items) <= 10:
            assert best == pytest.approx(1)


def test_a_hit_rate_is_a_proportion() -> None:
    """Of 50 queries 49 hit: Wilson's bounds, as of any share; t would go to 1.018."""
    gold, predicted = [{"a": 1.0}] * 50, [["a"]] * 49 + [["b"]]
    (metric,) = (metric for metric in rank.at_depth(10) if metric.name == "hit_rate@10")
    (found,) = intervals([metric], metric.rows(gold, predicted))
    assert (found.low, found.high) == pytest.approx((0.8950, 0.9965), abs=1e-4)
