"""Named entities and other typed spans: gold and predicted as spans in characters, or as tags of tokens."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from truetune.data.parse import Field
from truetune.metric import Seen
from truetune.metrics.span_overlap import SPAN_OVERLAPS, TAG_OVERLAPS
from truetune.metrics.spans import SPANS, TAGS, odd_span_warnings, odd_spans, overlaps
from truetune.metrics.tag_readings import improper_warnings, tags_seen
from truetune.metrics.tokens import TOKENS_OF_SPANS, TOKENS_OF_TAGS, Marked
from truetune.tasks.base import Inputs, Oddities, Scoring, Task, Training
from truetune.tasks.fields import as_text
from truetune.tasks.span_fields import as_gold_spans, as_spans, as_tags, as_tokens, check_inside, located
from truetune.tasks.tag_encoding import decode, encode, tag_labels
from truetune.text import words
from truetune.types import Column


def marked(record: Mapping[str, Any]) -> Marked:
    """Return tokens and gold spans of a text: the tokens of the file, else those of `text.words`.

    Raises ValueError for spans and tokens outside the text.
    """
    text, tokens = record["text"], record.get("tokens")
    check_inside(record["spans"], text)
    return Marked(tuple(words(text)) if tokens is None else located(tokens, text), record["spans"])


TEXT, SPANS_FIELD, TAGS_FIELD = Field("text", as_text), Field("spans", as_gold_spans), Field("tags", as_tags)

CONLL_OF_SPANS = replace(
    SPANS[0],
    name="span_f1_conll",
    definition=f"{SPANS[0].definition}; given as spans, where conlleval has no tags to repair: equal to span_f1",
)


def odd(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> Seen:
    """Count improper tags, overlapping spans, and predicted spans that are doubled or lie beyond their text."""
    seen: Seen = Counter()
    if "tags" in gold and "tags" in predicted:
        seen += tags_seen(gold["tags"], predicted["tags"])
    if "spans" in predicted:
        seen += odd_spans(predicted["spans"], [len(text) for text in gold["text"]] if "text" in gold else None)
    if "spans" in gold:
        seen["gold overlapping"] += overlaps(gold["spans"])
    return seen


def odd_warnings(seen: Seen) -> tuple[str, ...]:
    """Name what `odd` counted."""
    number = seen["gold overlapping"]
    nested = f"gold spans overlap in {number:,} examples; they are scored as given, and tags can find only one of two"
    return (*improper_warnings(seen), *([nested] if number else []), *odd_span_warnings(seen))


NER_SCORING = Scoring(
    gold=(
        (
            TEXT,
            SPANS_FIELD,
            Field("tokens", as_tokens, required=False),
            Field("tags", as_tags, required=False),
            Field("marked", derive=marked),
        ),
        (SPANS_FIELD,),
        (TAGS_FIELD,),
    ),
    # A file that has tags was written as tags, and only tags tell the two readings apart: they come first.
    predicted=((TAGS_FIELD, Field("spans", as_spans, required=False)), (Field("spans", as_spans),)),
    metrics=(*TAGS, *TAG_OVERLAPS, *TOKENS_OF_TAGS, *SPANS, CONLL_OF_SPANS, *SPAN_OVERLAPS, *TOKENS_OF_SPANS),
    primary=("span_f1",),
    oddities=Oddities(odd, odd_warnings),
)

NER = Task(
    name="ner",
    about="typed spans in a text: persons, places, organisations",
    about_zh="命名实体识别：文本中的实体及其类型",
    scoring=NER_SCORING,
    training=Training(
        "tag",
        Inputs((TEXT,)),
        tag_labels,
        encode,
        decode,
        baselines=("all-O", "lookup", "window-linear", "frozen-linear"),
    ),
)
