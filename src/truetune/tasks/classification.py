"""Text classification: one label a text, or any number of labels."""

from __future__ import annotations

from truetune.metrics import areas, calibration, classification, probability
from truetune.tasks.base import Field, Scoring, Task
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

CLASSIFICATION = Task(
    name="classification",
    about="one label a text, or several: sentiment, topic, intent",
    about_zh="文本分类：情感、主题、意图，单标签或多标签",
    scoring=LABEL_SCORING,
)

PAIR = Task(
    name="pair",
    about="one label for two texts: paraphrase, inference",
    about_zh="句对分类：相似、蕴含",
    scoring=LABEL_SCORING,
)
