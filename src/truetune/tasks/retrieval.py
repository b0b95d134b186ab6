"""Retrieval and recommendation: scored here, trained elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.data.parse import Field
from truetune.metrics.ranking import RANKING, ranking_from_scores
from truetune.tasks.base import Scoring, Task
from truetune.tasks.fields import as_label, as_list, as_scores


def as_ranking(value: object) -> list[str]:
    """Return items, best first; a doubled one is refused."""
    items = [as_label(item) for item in as_list(value)]
    if len(set(items)) != len(items):
        doubled = next(item for item in items if items.count(item) > 1)
        raise ValueError(f"expected each item once, found {doubled!r} twice")
    return items


def as_relevant(value: object) -> dict[str, float]:
    """Return gains by item from `{item: gain}`, or from a list of relevant items, whose gain is 1."""
    if isinstance(value, Mapping) or (isinstance(value, str) and value.lstrip().startswith("{")):
        return as_scores(value)
    return dict.fromkeys(as_ranking(value), 1.0)


def _ranking(row: Mapping[str, Any]) -> list[str]:
    return ranking_from_scores(row["scores"])


RANKED = (
    (Field("ranking", as_ranking), Field("scores", as_scores, required=False)),
    (Field("scores", as_scores), Field("ranking", derive=_ranking)),
)

RANKING_SCORING = Scoring(
    gold=((Field("relevant", as_relevant),),),
    predicted=RANKED,
    metrics=RANKING,
    primary=("ndcg@10",),
)

RETRIEVAL = Task(
    name="retrieval",
    about="a ranking of documents for each query",
    about_zh="检索：每个查询的文档排序",
    scoring=RANKING_SCORING,
)

RECOMMENDATION = Task(
    name="recommendation",
    about="a ranking of items for each user",
    about_zh="推荐：每个用户的物品排序",
    scoring=RANKING_SCORING,
)
