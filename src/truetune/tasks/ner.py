"""Named entities and other typed spans: gold and predicted as spans in characters, or as tags of tokens."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.data.parse import Field
from truetune.metrics.span_overlap import SPAN_OVERLAPS, TAG_OVERLAPS
from truetune.metrics.spans import SPANS, TAGS
from truetune.metrics.tokens import TOKENS_OF_SPANS, TOKENS_OF_TAGS, Marked
from truetune.tasks.base import Scoring, Task, Training
from truetune.tasks.fields import as_text
from truetune.tasks.span_fields import as_gold_spans, as_spans, as_tags, as_tokens, check_inside, located
from truetune.tasks.tag_encoding import decode, encode, tag_labels
from truetune.text import words


def marked(record: Mapping[str, Any]) -> Marked:
    """Return tokens and gold spans of a text: the tokens of the file, else those of `text.words`.

    Raises ValueError for spans and tokens outside the text.
    """
    text, tokens = record["text"], record.get("tokens")
    check_inside(record["spans"], text)
    return Marked(tuple(words(text)) if tokens is None else located(tokens, text), record["spans"])


TEXT, SPANS_FIELD, TAGS_FIELD = Field("text", as_text), Field("spans", as_gold_spans), Field("tags", as_tags)

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
    # Tags first: a file that has both was written as tags, and only tags tell the two readings apart.
    predicted=((TAGS_FIELD,), (Field("spans", as_spans),)),
    metrics=(*SPANS, *SPAN_OVERLAPS, *TOKENS_OF_SPANS, *TAGS, *TAG_OVERLAPS, *TOKENS_OF_TAGS),
    primary=("span_f1",),
)

NER = Task(
    name="ner",
    about="typed spans in a text: persons, places, organisations",
    about_zh="命名实体识别：文本中的实体及其类型",
    scoring=NER_SCORING,
    training=Training("tag", ("text",), tag_labels, encode, decode),
)
