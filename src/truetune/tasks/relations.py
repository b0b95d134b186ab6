"""Relations: the label of a marked pair, or triples of a text."""

from __future__ import annotations

from truetune.data.parse import Field
from truetune.metrics.classification import SINGLE
from truetune.metrics.relations import RELATION_LABELS, RELATION_TRIPLES, odd_triple_warnings, odd_triples
from truetune.tasks.base import Oddities, Scoring, Task
from truetune.tasks.fields import as_label, as_scores
from truetune.tasks.span_fields import as_gold_triples, as_triples

_ACCURACY = tuple(metric for metric in SINGLE if metric.name == "accuracy")

RELATIONS_SCORING = Scoring(
    gold=((Field("label", as_label),), (Field("triples", as_gold_triples),)),
    predicted=(
        (Field("label", as_label), Field("scores", as_scores, required=False)),
        (Field("triples", as_triples),),
    ),
    metrics=(*RELATION_LABELS, *_ACCURACY, *RELATION_TRIPLES),
    primary=("relation_f1_micro",),
    oddities=Oddities(lambda gold, predicted: odd_triples(predicted.get("triples", ())), odd_triple_warnings),
)

RELATIONS = Task(
    name="relations",
    about="the relation of two entities, or triples of a text",
    about_zh="关系抽取：实体对的关系，或三元组",
    scoring=RELATIONS_SCORING,
)
