"""Typed spans that may lie in each other: a place in the name of an organisation, a disease in that of a gene."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from truetune.data.parse import Field
from truetune.metric import Seen
from truetune.metrics.spans import SPANS, odd_span_warnings, odd_spans, overlaps
from truetune.tasks.base import Inputs, Oddities, Scoring, Task, Training
from truetune.tasks.ner import SPANS_FIELD, TEXT, marked
from truetune.tasks.nested_encoding import decode, encode, type_labels
from truetune.tasks.span_fields import as_spans, as_tokens
from truetune.types import Column


def odd(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> Seen:
    """Count predicted spans that are doubled or lie beyond their text, and texts whose gold spans overlap."""
    seen: Seen = Counter()
    if "spans" in predicted:
        seen += odd_spans(predicted["spans"], [len(text) for text in gold["text"]] if "text" in gold else None)
        del seen["overlapping"]
    if "spans" in gold:
        seen["gold texts"] += len(gold["spans"])
        seen["gold overlapping"] += overlaps(gold["spans"])
    return seen


def odd_warnings(seen: Seen) -> tuple[str, ...]:
    """Name what `odd` counted."""
    flat = (
        "no gold span lies in another, so nothing here shows that spans within spans are found; the task ner is simpler"
    )
    return (*([flat] if seen["gold texts"] and not seen["gold overlapping"] else []), *odd_span_warnings(seen))


NESTED_NER = Task(
    name="nested-ner",
    about="typed spans within spans",
    about_zh="嵌套命名实体识别：实体可以包含实体",
    scoring=Scoring(
        gold=(
            (TEXT, SPANS_FIELD, Field("tokens", as_tokens, required=False), Field("marked", derive=marked)),
            (SPANS_FIELD,),
        ),
        predicted=((Field("spans", as_spans),),),
        metrics=SPANS,
        primary=("span_f1",),
        oddities=Oddities(odd, odd_warnings),
    ),
    training=Training(
        "nested",
        Inputs((TEXT,)),
        type_labels,
        encode,
        decode,
        baselines=("all-O", "lookup", "window-linear", "frozen-linear"),
    ),
)
