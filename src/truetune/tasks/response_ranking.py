"""Replies ranked for what was said, trained as one encoder of histories and replies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.data.parse import Field
from truetune.metrics.ranking import MRR
from truetune.tasks.base import Inputs, Labels, Scoring, Task, Training
from truetune.tasks.fields import as_number, as_text
from truetune.tasks.generation import HITS, as_turns, turns_as_text
from truetune.tasks.response_encoding import decode_responses, encode_responses
from truetune.tasks.retrieval import RANKED, as_documents, as_relevant
from truetune.tasks.retrieval_encoding import item_of


def as_candidates(value: object) -> tuple[str, ...]:
    """Return the replies of which one is to be chosen, two or more, each once."""
    candidates = as_documents(value)
    if len(candidates) < 2:
        raise ValueError(f"expected two or more different candidates, found {len(candidates)}")
    return candidates


def _pool(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row.get("candidates") or ()


def _documents(row: Mapping[str, Any]) -> tuple[str, ...]:
    candidates = row.get("candidates")
    if candidates and row["response"] not in candidates:
        raise ValueError("`response` is none of the `candidates`; add it to them, or leave the example out")
    return (row["response"],)


def _relevant(row: Mapping[str, Any]) -> dict[str, float]:
    return {item_of(row["response"]): 1.0}


def _source(pool: Sequence[str], history: Sequence[str], source: str) -> str:
    return source


def _nothing_yet(gold: Mapping[str, Any]) -> Labels:
    return Labels(())


RESPONSE_RANKING = Task(
    name="response-ranking",
    about="a ranking of replies",
    about_zh="回复排序：为对话选出合适的回复",
    scoring=Scoring(
        gold=(
            (Field("relevant", as_relevant),),
            (
                Field("response", as_text),
                Field("candidates", as_candidates, required=False),
                Field("documents", derive=_documents),
                Field("relevant", derive=_relevant),
            ),
        ),
        predicted=(
            (*RANKED[0], Field("response", as_text, required=False), Field("similarity", as_number, required=False)),
            RANKED[1],
        ),
        metrics=(*HITS, MRR),
        primary=("hits@1",),
    ),
    training=Training(
        "embed",
        Inputs(
            (
                Field("candidates", as_candidates, required=False),
                Field("pool", derive=_pool),
                Field("history", as_turns),
                Field("source", derive=turns_as_text),
            ),
            whole=_source,
            compared=(_source,),
        ),
        _nothing_yet,
        encode_responses,
        decode_responses,
        baselines=("tfidf-ranking", "bm25", "untuned"),
    ),
)
