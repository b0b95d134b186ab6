"""What a user wants and the words that say with what: an intent and slots, one label and typed spans of one text."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from truetune.data.parse import Field
from truetune.metric import PerLabel, Seen
from truetune.metrics import areas, calibration, classification, probability
from truetune.metrics.exact import FRAMES
from truetune.metrics.spans import SPANS
from truetune.tasks import ner
from truetune.tasks.base import Inputs, Oddities, Scoring, Task, Training
from truetune.tasks.classification import labels_seen, refined_of, score_labels, undefined_warnings
from truetune.tasks.fields import as_distribution, as_label
from truetune.tasks.joint_encoding import decode, encode, joint_labels
from truetune.tasks.ner import SPANS_FIELD, TEXT
from truetune.tasks.span_fields import as_spans, check_inside
from truetune.types import Column, Span


def frame_of(label: str, spans: tuple[Span, ...] | list[Span]) -> str:
    """Return label and spans as one text, equal for equal ones in any order; a span that is doubled counts once."""
    return " ".join([label, *(f"[{start}, {end}, {kind}]" for start, end, kind in sorted(set(spans)))])


def _frame(record: Mapping[str, Any]) -> str:
    if "text" in record:
        check_inside(record["spans"], record["text"])
    return frame_of(record["label"], record["spans"])


def odd(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> Seen:
    """Count what is odd about labels, and about spans."""
    spans: Seen = Counter()
    spans.update({("spans", key): number for key, number in ner.odd(gold, predicted).items()})
    return labels_seen(gold, predicted) + spans


def odd_warnings(seen: Seen) -> tuple[str, ...]:
    """Name what `odd` counted."""
    spans = Counter({key[1]: number for key, number in seen.items() if isinstance(key, tuple) and key[0] == "spans"})
    labels = Counter({key: number for key, number in seen.items() if not isinstance(key, tuple) or key[0] != "spans"})
    return (*undefined_warnings(labels), *ner.odd_warnings(spans))


SLOTS = tuple(replace(one, name=f"slot_{one.name}") if isinstance(one, PerLabel) else one for one in SPANS)
"""Those of one type are named apart from those of one label."""
FRAME = Field("frame", derive=_frame)
"""Label and spans together, which is right or wrong as a whole."""

INTENT_SLOTS = Task(
    name="intent-slots",
    about="an intent and slots",
    about_zh="意图与槽位：一个文本的标签和其中的片段",
    scoring=Scoring(
        gold=((TEXT, Field("label", as_label), SPANS_FIELD, FRAME), (Field("label", as_label), SPANS_FIELD, FRAME)),
        predicted=(
            (
                Field("label", as_label),
                Field("spans", as_spans),
                Field("scores", as_distribution, required=False),
                FRAME,
            ),
        ),
        metrics=(
            FRAMES,
            *classification.SINGLE,
            *SLOTS,
            *areas.SINGLE,
            *probability.METRICS,
            *calibration.METRICS,
        ),
        primary=("frame_accuracy", "accuracy"),
        refined=refined_of,
        oddities=Oddities(odd, odd_warnings),
        constant=score_labels,
    ),
    training=Training(
        "joint",
        Inputs((TEXT,)),
        joint_labels,
        encode,
        decode,
        baselines=("majority", "tfidf-window", "frozen-linear"),
    ),
)
