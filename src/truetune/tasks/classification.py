"""Text classification: one label a text, or any number of labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.data.parse import Field
from truetune.metrics import areas, calibration, classification, probability
from truetune.tasks.base import Labels, Scoring, Task, Training
from truetune.tasks.classify_encoding import decode, encode
from truetune.tasks.fields import as_label, as_labels, as_scores

LABEL_SCORING = Scoring(
    gold=((Field("label", as_label),), (Field("labels", as_labels),)),
    predicted=(
        (Field("label", as_label), Field("scores", as_scores, required=False)),
        (Field("labels", as_labels), Field("scores", as_scores, required=False)),
    ),
    metrics=(
        *classification.SINGLE,
        *classification.MULTIPLE,
        *areas.SINGLE,
        *areas.MULTIPLE,
        *probability.METRICS,
        *calibration.METRICS,
    ),
    primary=("accuracy",),
)


def label_schema(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the labels of the training part, sorted; several an example where gold holds `labels`."""
    if "label" in gold:
        return Labels(tuple(sorted(set(gold["label"]))))
    return Labels(tuple(sorted({label for labels in gold["labels"] for label in labels})), multiple=True)


def _training(*inputs: str) -> Training:
    return Training("classify", inputs, label_schema, encode, decode)


CLASSIFICATION = Task(
    name="classification",
    about="one label a text, or several: sentiment, topic, intent",
    about_zh="文本分类：情感、主题、意图，单标签或多标签",
    scoring=LABEL_SCORING,
    training=_training("text"),
)

PAIR = Task(
    name="pair",
    about="one label for two texts: paraphrase, inference",
    about_zh="句对分类：相似、蕴含",
    scoring=LABEL_SCORING,
    training=_training("first", "second"),
)
