"""Relations: the label of a marked pair, or triples of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.data.parse import Field
from truetune.metrics import areas, calibration, probability
from truetune.metrics.classification import SINGLE
from truetune.metrics.relations import RELATION_LABELS, RELATION_TRIPLES, odd_triple_warnings, odd_triples
from truetune.tasks.base import Inputs, Oddities, Scoring, Task, Training
from truetune.tasks.classification import area_metrics_of, label_schema, score_labels
from truetune.tasks.classify_encoding import decode
from truetune.tasks.fields import as_distribution, as_label, as_text
from truetune.tasks.relation_encoding import encode_pairs, marked_pair, pair_sign
from truetune.tasks.span_fields import as_entity, as_gold_triples, as_triples
from truetune.types import Span

_ACCURACY = tuple(metric for metric in SINGLE if metric.name == "accuracy")
_OF_SCORES = tuple(
    metric
    for metric in (*areas.SINGLE, *probability.METRICS, *calibration.METRICS)
    if metric.gold == "label" and metric.predicted == "scores"
)

RELATIONS_SCORING = Scoring(
    gold=((Field("label", as_label),), (Field("triples", as_gold_triples),)),
    predicted=(
        (Field("label", as_label), Field("scores", as_distribution, required=False)),
        (Field("triples", as_triples),),
    ),
    metrics=(*RELATION_LABELS, *_ACCURACY, *_OF_SCORES, *RELATION_TRIPLES),
    primary=("relation_f1_micro",),
    refined=area_metrics_of,
    sometimes=(areas.ROC_AUC_OVO,),
    constant=score_labels,
    oddities=Oddities(lambda gold, predicted: odd_triples(predicted.get("triples", ())), odd_triple_warnings),
)


def marked(record: Mapping[str, Any]) -> str:
    """Return the text of an example with its head and tail marked; raises ValueError for ones outside the text."""
    return marked_pair(record["text"], record["head"], record["tail"]).text


def _text(text: str, head: Span, tail: Span, marked: str) -> str:
    return text


def _pair(text: str, head: Span, tail: Span, marked: str) -> str:
    return pair_sign(text, head, tail)


def _marked(text: str, head: Span, tail: Span, marked: str) -> str:
    return marked


MARKED_PAIR = Inputs(
    fields=(
        Field("text", as_text),
        Field("head", as_entity),
        Field("tail", as_entity),
        Field("marked", derive=marked),
    ),
    whole=_marked,
    compared=(_text, _pair),
    together=_text,
)

RELATIONS = Task(
    name="relations",
    about="the relation of two entities, or triples of a text",
    about_zh="关系抽取：实体对的关系，或三元组",
    scoring=RELATIONS_SCORING,
    training=Training("classify", MARKED_PAIR, label_schema, encode_pairs, decode, marks=True),
)
