"""Text classification: one label a text, or any number of labels."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from typing import Any

from truetune.data.parse import Field
from truetune.metric import Metric, Seen
from truetune.metrics import areas, calibration, classification, hierarchy, probability
from truetune.metrics.label_scores import label_scores
from truetune.tasks.base import Inputs, Labels, Oddities, Scoring, Task, Training
from truetune.tasks.classify_encoding import decode, encode
from truetune.tasks.fields import as_distribution, as_label, as_labels, as_probabilities, as_text
from truetune.types import Column

MOST_LABELS = 20
"""Above so many labels the areas of single labels and the mean over pairs of labels are left out: hundreds of intervals
that nobody reads, thousands of pairs."""


def area_metrics_of(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> tuple[Metric, ...]:
    """Return the areas under curves for the labels that have scores: DeLong's way where there are two."""
    if "scores" not in predicted or not len(predicted["scores"]):
        return ()
    labels = label_scores(predicted["scores"]).labels
    found = areas.area_metrics(labels, multiple="labels" in gold)
    costly = ("/", areas.ROC_AUC_OVO.name)
    return tuple(
        metric for metric in found if len(labels) <= MOST_LABELS or not any(part in metric.name for part in costly)
    )


def _leveled(gold: Mapping[str, Column]) -> bool:
    one_each, several = gold.get("label", ()), gold.get("labels", ())
    return hierarchy.has_levels({*map(str, one_each), *(str(one) for some in several for one in some)})


def refined_of(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> tuple[Metric, ...]:
    """Return the metrics that depend on the labels: areas for those with scores, and those of labels with levels."""
    found = area_metrics_of(gold, predicted)
    field = "label" if "label" in gold else "labels"
    if field not in gold or field not in predicted or not _leveled(gold):
        return found
    return (*found, *hierarchy.metrics_of(field))


def labels_seen(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> Seen:
    """Count how often each label stands in gold and in predicted."""
    seen: Seen = Counter()
    for side, columns in ((True, gold), (False, predicted)):
        if "label" in gold and "label" in predicted:
            seen.update((side, label) for label in columns["label"])
        elif "labels" in gold and "labels" in predicted:
            seen.update((side, label) for labels in columns["labels"] for label in labels)
    return seen


def undefined_warnings(seen: Seen) -> tuple[str, ...]:
    """Name labels whose precision or recall is undefined and so left out of averages, and gold of one label."""
    pairs = [key for key in seen if isinstance(key, tuple)]
    gold, predicted = ({str(label) for of_gold, label in pairs if of_gold is side} for side in (True, False))
    return (*classification.undefined_of(gold, predicted), *_one_class(gold))


def _one_class(gold: Set[str]) -> list[str]:
    if len(gold) != 1:
        return []
    (label,) = gold
    return [
        f"gold holds one label only, {label}: nothing here shows that the system tells labels apart, and mcc, "
        "kappa and areas under curves are undefined or say nothing"
    ]


def score_labels(gold: Mapping[str, Column], predicted: Mapping[str, Column]) -> str:
    """Return for which labels there are scores, and whether gold labels have levels."""
    levels = " (gold has levels: a/b)" if {"label", "labels"} & set(gold) and _leveled(gold) else ""
    if "scores" not in predicted:
        return f"none{levels}"
    return ", ".join(label_scores(predicted["scores"]).labels) + levels


LABEL_SCORING = Scoring(
    gold=((Field("label", as_label),), (Field("labels", as_labels),)),
    predicted=(
        (Field("label", as_label), Field("scores", as_distribution, required=False)),
        (Field("labels", as_labels), Field("scores", as_probabilities, required=False)),
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
    refined=refined_of,
    sometimes=(areas.ROC_AUC_OVO, *hierarchy.metrics_of("label"), *hierarchy.metrics_of("labels")),
    oddities=Oddities(labels_seen, undefined_warnings),
    constant=score_labels,
)


def label_schema(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the labels of the training part, sorted; several an example where gold holds `labels`."""
    if "label" in gold:
        return Labels(tuple(sorted(set(gold["label"]))))
    return Labels(tuple(sorted({label for labels in gold["labels"] for label in labels})), multiple=True)


def _training(inputs: tuple[str, ...], *more: str) -> Training:
    fields = tuple(Field(name, as_text) for name in inputs)
    baselines = ("majority", "tfidf-linear", *more, "frozen-linear")
    return Training("classify", Inputs(fields), label_schema, encode, decode, baselines)


CLASSIFICATION = Task(
    name="classification",
    about="one label a text, or several: sentiment, topic, intent",
    about_zh="文本分类：情感、主题、意图，单标签或多标签",
    scoring=LABEL_SCORING,
    training=_training(("text",), "class-names"),
)

PAIR = Task(
    name="pair",
    about="one label for two texts: paraphrase, inference",
    about_zh="句对分类：相似、蕴含",
    scoring=LABEL_SCORING,
    training=_training(("first", "second")),
)
