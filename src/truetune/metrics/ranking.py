"""Ranking and recommendation: what is relevant, and how far up the system put it.

A row is one query (or user): `[value, 1]`, or `[0, 0]` where the query has nothing relevant, which leaves
it out of the mean instead of counting it as 0. The ideal ranking is over all judged items, not only over
those that the system returned.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints, Numbers

Relevant = Mapping[str, float]
"""Item -> gain; items with a gain of 0 are judged and not relevant."""

TIES = "equal scores are ordered by item, descending, as trec_eval does"
UNJUDGED = "queries without a relevant item are left out"


def ranking_from_scores(scores: Mapping[str, float]) -> list[str]:
    """Return items by descending score; equal scores by item, descending, as trec_eval orders them."""
    return sorted(sorted(scores, reverse=True), key=lambda item: -scores[item])


def ranked_gains(relevant: Relevant, ranking: Sequence[str]) -> Floats:
    """Return the gain of each ranked item, `[ranked]`, 0 for unjudged ones; a doubled item is an error."""
    if len(set(ranking)) != len(ranking):
        doubled = next(item for item in ranking if list(ranking).count(item) > 1)
        raise MetricError(f"item {doubled!r} stands twice in a ranking; each item may be ranked once")
    return np.array([relevant.get(item, 0.0) for item in ranking], dtype=np.float64)


def dcg(gains: Floats, exponential: bool = False) -> Floats:
    """Return discounted cumulative gain over the last axis, discount `1/log2(rank + 1)`.

    Linear gain as in Järvelin and Kekäläinen (2002) and trec_eval; `exponential` takes `2^gain - 1`
    (Burges et al. 2005).
    """
    worth = np.exp2(gains) - 1 if exponential else gains
    discounts = 1 / np.log2(np.arange(2, gains.shape[-1] + 2))
    total: Floats = worth @ discounts
    return total


def ndcg(relevant: Relevant, ranking: Sequence[str], depth: int | None = None, exponential: bool = False) -> float:
    """Return DCG over the DCG of the ideal ranking of all judged items, both cut at `depth`."""
    ideal = np.sort(np.array([gain for gain in relevant.values() if gain > 0], dtype=np.float64))[::-1]
    best = dcg(ideal[:depth], exponential)
    if not best:
        return np.nan
    return float(dcg(np.maximum(ranked_gains(relevant, ranking)[:depth], 0), exponential) / best)


def reciprocal_rank(relevant: Relevant, ranking: Sequence[str]) -> float:
    """Return 1 / rank of the first relevant item, 0 where none is ranked."""
    if not _number_relevant(relevant):
        return np.nan
    hits = np.flatnonzero(ranked_gains(relevant, ranking) > 0)
    return 1 / (1 + int(hits[0])) if len(hits) else 0.0


def average_precision(relevant: Relevant, ranking: Sequence[str]) -> float:
    """Return the mean, over all relevant items, of the precision at their rank (0 where not ranked)."""
    number = _number_relevant(relevant)
    if not number:
        return np.nan
    hits = np.flatnonzero(ranked_gains(relevant, ranking) > 0)
    return float(((1 + np.arange(len(hits))) / (1 + hits)).sum() / number)


def recall(relevant: Relevant, ranking: Sequence[str], depth: int) -> float:
    """Return the share of the relevant items that stand in the first `depth`."""
    number = _number_relevant(relevant)
    return _hits(relevant, ranking, depth) / number if number else np.nan


def precision(relevant: Relevant, ranking: Sequence[str], depth: int) -> float:
    """Return relevant items in the first `depth`, over `depth` (also where fewer are ranked: as trec_eval)."""
    return _hits(relevant, ranking, depth) / depth if _number_relevant(relevant) else np.nan


def hit_rate(relevant: Relevant, ranking: Sequence[str], depth: int) -> float:
    """Return 1 where a relevant item stands in the first `depth`, else 0."""
    return float(_hits(relevant, ranking, depth) > 0) if _number_relevant(relevant) else np.nan


def user_auc(relevant: Relevant, scores: Mapping[str, float]) -> tuple[float, int]:
    """Return the area under the ROC curve over one user's scored items, and how many items there are.

    NaN where the items are all relevant or none is: such a user cannot be ranked wrongly.
    """
    items = list(scores)
    values = np.array([scores[item] for item in items], dtype=np.float64)
    positive = np.array([relevant.get(item, 0.0) > 0 for item in items], dtype=bool)
    above = int(positive.sum())
    below = len(items) - above
    if not above or not below:
        return np.nan, len(items)
    _, place, ties = np.unique(values, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(ties) - (ties - 1) / 2)[place]
    return float((ranks[positive].sum() - above * (above + 1) / 2) / (above * below)), len(items)


def _number_relevant(relevant: Relevant) -> int:
    return sum(gain > 0 for gain in relevant.values())


def _hits(relevant: Relevant, ranking: Sequence[str], depth: int) -> int:
    return int((ranked_gains(relevant, ranking[:depth]) > 0).sum())


# ------------------------------------------------------------------------------------------- rows and metrics


def query_rows(gold: Column, predicted: Column, measure: Callable[[Relevant, Any], float]) -> Rows:
    """Return rows `[distinct, 2]`: a measure of each query and 1, or 0 and 0 where it is undefined."""
    values = np.array(
        [measure(relevant, ranking) for relevant, ranking in zip(gold, predicted, strict=True)], dtype=np.float64
    )
    return _mean_rows(values, np.ones(len(values)))


def user_auc_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: a user's AUC times the user's number of items, and that number."""
    found = [user_auc(relevant, scores) for relevant, scores in zip(gold, predicted, strict=True)]
    pairs = np.array(found, dtype=np.float64).reshape(-1, 2)
    return _mean_rows(pairs[:, 0], pairs[:, 1])


def ndcg_rows(gains: Floats, scores: Floats, depth: int = 10) -> Rows:
    """Return the rows of nDCG from arrays `[queries, items]`: gain and score of each judged item.

    The fast way for many queries: every item is judged and scored. Equal scores are ordered by place.
    """
    return _mean_rows(ndcg_values(gains, scores, depth), np.ones(len(gains)))


def ndcg_values(gains: Floats, scores: Floats, depth: int = 10) -> Floats:
    """Return nDCG of each query from arrays `[queries, items]`; NaN where nothing is relevant."""
    items = gains.shape[1]
    depth = min(depth, items)
    discounts = 1 / np.log2(np.arange(2, depth + 2))
    first = _first(scores, depth)
    taken = np.take_along_axis(gains, first, axis=1)
    # Sorted whole: most gains are equal, which slows a partition down more than a sort.
    ideal = np.sort(gains, axis=1)[:, items - depth :][:, ::-1]
    with np.errstate(invalid="ignore", divide="ignore"):
        values: Floats = (taken @ discounts) / (ideal @ discounts)
    return values


def _first(scores: Floats, depth: int) -> Ints:
    """Return the places of the `depth` highest scores of each row, in order; equal ones by place."""
    queries, items = scores.shape
    if depth < items:
        edge = np.partition(scores, items - depth, axis=1)[:, items - depth]
        above = scores >= edge[:, None]
        tied = np.count_nonzero(above, axis=1) != depth
        above[tied] = False
        above[tied, :depth] = True
        top = np.flatnonzero(above).reshape(queries, depth) - items * np.arange(queries)[:, None]
        top[tied] = np.argsort(-scores[tied], axis=1, kind="stable")[:, :depth]
    else:
        top = np.broadcast_to(np.arange(items), scores.shape)
    order = np.argsort(-np.take_along_axis(scores, top, axis=1), axis=1, kind="stable")
    return np.take_along_axis(top, order, axis=1).astype(np.int64, copy=False)


def _mean_rows(values: Floats, weights: Floats) -> Rows:
    known = np.isfinite(values)
    return Rows.of(np.stack([np.where(known, values * weights, 0.0), np.where(known, weights, 0.0)], axis=1))


def _mean(sums: Numbers) -> Floats:
    value: Floats = sums[..., 0] / sums[..., 1]
    return value


def _parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0], sums[..., 1]


def _measured(name: str, measure: Callable[[Relevant, Any], float], definition: str) -> Additive:
    return Additive(
        name=name,
        rows=partial(query_rows, measure=measure),
        formula=_mean,
        gold="relevant",
        predicted="ranking",
        definition=f"{definition}; mean over queries; {UNJUDGED}; {TIES}",
        unit="query",
        interval="t",
        ratio=_parts,
        undefined="no query has a relevant item",
        limits=(0.0, 1.0),
    )


def at_depth(depth: int) -> tuple[Additive, ...]:
    """Return the metrics that look at the first `depth` ranks."""
    return (
        _measured(
            f"ndcg@{depth}",
            partial(ndcg, depth=depth),
            f"nDCG at {depth}, linear gain, discount 1/log2(rank + 1), ideal over all judged items "
            "(Järvelin and Kekäläinen 2002, trec_eval)",
        ),
        _measured(f"recall@{depth}", partial(recall, depth=depth), f"share of relevant items in the first {depth}"),
        _measured(
            f"precision@{depth}", partial(precision, depth=depth), f"relevant items in the first {depth} / {depth}"
        ),
        replace(
            _measured(f"hit_rate@{depth}", partial(hit_rate, depth=depth), f"any relevant item in the first {depth}"),
            interval="wilson",  # a query hits or does not: a proportion
        ),
    )


NDCG = _measured("ndcg", ndcg, "nDCG over the whole ranking, linear gain, ideal over all judged items (trec_eval)")
NDCG_EXPONENTIAL = _measured(
    "ndcg_exponential@10",
    partial(ndcg, depth=10, exponential=True),
    "nDCG at 10, gain 2^relevance - 1 (Burges et al. 2005), ideal over all judged items",
)
MRR = _measured("mrr", reciprocal_rank, "1 / rank of the first relevant item, 0 where none is ranked")
MAP = _measured("map", average_precision, "average precision over all relevant items (trec_eval)")
GAUC = Additive(
    name="gauc",
    rows=user_auc_rows,
    formula=_mean,
    gold="relevant",
    predicted="scores",
    definition="area under the ROC curve of each user, mean weighted by the user's items; "
    "users whose items are all relevant or all not are left out (Zhou et al. 2018)",
    unit="user",
    interval="t",
    ratio=_parts,
    undefined="no user has both relevant and other items among the scored ones",
    limits=(0.0, 1.0),
)

RANKING = (*at_depth(10), *at_depth(1)[1:2], *at_depth(5)[1:2], NDCG, NDCG_EXPONENTIAL, MRR, MAP, GAUC)
"""The metrics of the tasks `retrieval` and `recommendation`."""
