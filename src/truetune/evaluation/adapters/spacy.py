"""Scores of spaCy's `Doc`s: entities by characters, text categories by their scores."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from truetune.errors import MetricError, nearest
from truetune.evaluation.evaluate import EvaluationResult, evaluated
from truetune.evaluation.tables import aligned
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named

GOLD_CATEGORY = 0.5
"""From this score on a category of a gold `Doc` holds (spaCy writes 1 and 0)."""


class Entity(Protocol):
    """A stretch of a `Doc` (`spacy.tokens.Span`)."""

    start_char: int
    end_char: int
    label_: str


class Doc(Protocol):
    """What is read of `spacy.tokens.Doc`; iterated it gives tokens with `idx` and `text`."""

    text: str
    ents: Sequence[Entity]
    cats: Mapping[str, float]

    def __iter__(self) -> Iterator[Any]: ...


def spacy_scores(
    gold: Iterable[Doc],
    predicted: Iterable[Doc],
    *,
    task: str = "ner",
    threshold: float | None = None,
    group: Sequence[Any] | None = None,
    plan: Plan | None = None,
) -> EvaluationResult:
    """Return every score of predicted `Doc`s against gold ones, pairwise over the same texts.

    `ner` compares `doc.ents` by characters and type, so the tokenisers may differ; token scores count the
    tokens of gold. `classification` compares `doc.cats`: without `threshold` one label a text holds, the best
    (`textcat`); with it every label of at least that score is predicted (`textcat_multilabel`). Raises
    `MetricError` for unequal numbers of `Doc`s and for a pair of different texts.
    """
    if task not in ("ner", "classification"):
        raise MetricError(f"no annotation of a Doc is known for {task!r}; {nearest(task, ('ner', 'classification'))}")
    right, said = list(gold), list(predicted)
    _check_texts(right, said)
    if task == "ner":
        sides = [_located(doc) for doc in right], [{"spans": _spans(doc)} for doc in said]
    elif threshold is None:
        sides = [{"label": _only(doc, place)} for place, doc in enumerate(right)], [_best(doc) for doc in said]
    else:
        sides = [{"labels": _held(doc, GOLD_CATEGORY)} for doc in right], [_all(doc, threshold) for doc in said]
    known = task_named(task)
    return evaluated(known, aligned(known.scoring, sides[0], {"predicted": sides[1]}, group), plan=plan)


def _check_texts(right: Sequence[Doc], said: Sequence[Doc]) -> None:
    if len(right) != len(said):
        raise MetricError(f"{len(right):,} gold and {len(said):,} predicted Docs; expected one of each a text")
    for place, (one, other) in enumerate(zip(right, said, strict=True)):
        if one.text != other.text:
            raise MetricError(
                f"the texts of Doc {place} differ: {one.text[:40]!r} in gold, {other.text[:40]!r} in predicted"
            )


def _located(doc: Doc) -> dict[str, Any]:
    tokens = [[token.idx, token.idx + len(token.text)] for token in doc if token.text.strip()]
    return {"text": doc.text, "spans": _spans(doc), "tokens": tokens}


def _spans(doc: Doc) -> list[list[Any]]:
    return [[entity.start_char, entity.end_char, entity.label_] for entity in doc.ents]


def _only(doc: Doc, place: int) -> str:
    held = _held(doc, GOLD_CATEGORY)
    if len(held) != 1:
        raise MetricError(
            f"gold Doc {place} has {len(held)} categories; expected one, or `threshold` for several labels a text"
        )
    return held[0]


def _held(doc: Doc, threshold: float) -> list[str]:
    return [label for label, score in doc.cats.items() if score >= threshold]


def _best(doc: Doc) -> dict[str, Any]:
    if not doc.cats:
        raise MetricError(f"the predicted Doc {doc.text[:40]!r} has no `cats`; run the pipeline's textcat on it")
    scores = dict(doc.cats)
    return {"label": max(scores, key=lambda label: scores[label]), "scores": scores}


def _all(doc: Doc, threshold: float) -> dict[str, Any]:
    return {"labels": _held(doc, threshold), "scores": dict(doc.cats)}
