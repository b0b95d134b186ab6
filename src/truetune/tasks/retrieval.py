"""Retrieval, trained as one encoder for queries and documents; recommendation, scored here and trained elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from truetune.data.parse import Field
from truetune.metrics.ranking import RANKING, ranking_from_scores
from truetune.metrics.recommendation import BEYOND_ACCURACY
from truetune.tasks.base import Inputs, Labels, Scoring, Task, Training
from truetune.tasks.fields import as_label, as_labels, as_list, as_number, as_scores, as_text, as_texts
from truetune.tasks.retrieval_encoding import decode_ranking, encode_pairs, item_of


def as_ranking(value: object) -> list[str]:
    """Return items, best first; a doubled one is refused."""
    items = [as_label(item) for item in as_list(value)]
    if len(set(items)) != len(items):
        doubled = next(item for item in items if items.count(item) > 1)
        raise ValueError(f"expected each item once, found {doubled!r} twice")
    return items


def as_relevant(value: object) -> dict[str, float]:
    """Return gains by item from `{item: gain}`, or from a list of relevant items, whose gain is 1."""
    if isinstance(value, Mapping) and not value:
        return {}
    if isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip().startswith("{")):
        return as_scores(value)
    return dict.fromkeys(as_ranking(value), 1.0)


def _ranking(row: Mapping[str, Any]) -> list[str]:
    return ranking_from_scores(row["scores"])


RANKED = (
    (Field("ranking", as_ranking), Field("scores", as_scores, required=False)),
    (Field("scores", as_scores), Field("ranking", derive=_ranking)),
)


def as_popularity(value: object) -> list[float]:
    """Return the share of users who know each ranked item."""
    shares = [as_number(item) for item in as_list(value)]
    for share in shares:
        if not 0 < share <= 1:
            raise ValueError(f"expected shares of users above 0, at most 1, found {share:g}")
    return shares


def as_categories(value: object) -> list[tuple[str, ...]]:
    """Return the categories of each ranked item, from one or a list of them an item."""
    return [as_labels(item) if isinstance(item, list | tuple) else (as_label(item),) for item in as_list(value)]


def _ranked(row: Mapping[str, Any]) -> int:
    """Return how many items are ranked; raises ValueError for a list beside the ranking of another length."""
    number = len(row["ranking"])
    for name in BESIDE:
        if row.get(name) is not None and len(row[name]) != number:
            raise ValueError(f"{len(row[name])} {name} for {number} ranked items; expected one of each, in order")
    return number


BESIDE = ("popularity", "categories")
RANKED_WITH_ITEMS = (
    (
        *RANKED[0],
        Field("popularity", as_popularity, required=False),
        Field("categories", as_categories, required=False),
        Field("ranked", derive=_ranked),
    ),
    RANKED[1],
)

RANKING_SCORING = Scoring(
    gold=((Field("relevant", as_relevant),),),
    predicted=RANKED,
    metrics=RANKING,
    primary=("ndcg@10",),
)


def as_documents(value: object) -> tuple[str, ...]:
    """Return the documents that answer a query, each once; a single text is one."""
    documents = tuple(dict.fromkeys(as_text(one) for one in as_texts(value)))
    if not documents:
        raise ValueError("expected at least one document, found none")
    return documents


def _one_document(row: Mapping[str, Any]) -> tuple[str, ...]:
    return (row["document"],)


def _relevant(row: Mapping[str, Any]) -> dict[str, float]:
    return {item_of(document): 1.0 for document in row["documents"]}


def _nothing_yet(gold: Mapping[str, Any]) -> Labels:
    return Labels(())


RETRIEVAL = Task(
    name="retrieval",
    about="a ranking of documents for each query",
    about_zh="检索：每个查询的文档排序",
    scoring=replace(
        RANKING_SCORING,
        gold=(
            *RANKING_SCORING.gold,
            (Field("documents", as_documents), Field("relevant", derive=_relevant)),
            (
                Field("document", as_text),
                Field("documents", derive=_one_document),
                Field("relevant", derive=_relevant),
            ),
        ),
        predicted=(
            (
                *RANKED[0],
                Field("document", as_text, required=False),
                Field("similarity", as_number, required=False),
            ),
            RANKED[1],
        ),
    ),
    training=Training(
        "embed",
        Inputs((Field("query", as_text),)),
        _nothing_yet,
        encode_pairs,
        decode_ranking,
        baselines=("tfidf-ranking", "bm25", "untuned"),
    ),
)

RECOMMENDATION = Task(
    name="recommendation",
    about="a ranking of items for each user",
    about_zh="推荐：每个用户的物品排序",
    scoring=replace(RANKING_SCORING, predicted=RANKED_WITH_ITEMS, metrics=(*RANKING, *BEYOND_ACCURACY)),
)
