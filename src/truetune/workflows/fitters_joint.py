"""Baselines of a label and spans together: one of labels and one of spans side by side, each tuned by itself."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from truetune.backbones.base import Backbone
from truetune.bundle.run_folder import PARTS
from truetune.tasks.intent_slots import frame_of
from truetune.training.baselines import Baseline, Columns, Part, majority
from truetune.training.baselines_frozen import frozen_linear
from truetune.training.baselines_lookup import all_outside
from truetune.training.baselines_text import tfidf_linear
from truetune.training.baselines_window import window_linear
from truetune.types import Floats
from truetune.workflows.features import text_features
from truetune.workflows.fitters_tags import frozen_tags
from truetune.workflows.stage import Stage, deciding_metric, score_of


def joint_fitters(stage: Stage, backbone: Backbone) -> dict[str, Callable[[], Baseline]]:
    """Return what fits each baseline; nothing is read or computed before it is called."""
    task, labels, say = stage.data.task, stage.labels, stage.progress.say
    of_labels, of_spans = score_of(task, "label", "accuracy"), score_of(task, "spans", "span_f1")
    texts = {part: list(stage.data.texts(part)) for part in PARTS}

    @cache
    def gold(part: str, field: str) -> list[Any]:
        return [tuple(one) if isinstance(one, list) else one for one in stage.data.parts[part].stored(field)]

    def parts(field: str) -> tuple[Part, Part]:
        return Part(texts["train"], gold("train", field)), Part(texts["validation"], gold("validation", field))

    def features(part: str) -> Floats:
        return text_features(backbone, stage.training, [texts[part]], f"features of {part}", stage.progress)

    def together(name: str, label: Baseline, spans: Baseline) -> Baseline:
        predicted, said = (
            {**label_side, **spans_side}
            for label_side, spans_side in (
                (label.predicted, spans.predicted),
                (label.said, spans.said),
            )
        )
        settings = {
            f"{side}.{key}": value
            for side, one in (("label", label), ("spans", spans))
            for key, value in one.settings.items()
        }
        return Baseline(name, predicted, settings, decided(said), (*label.notes, *spans.notes), said)

    def decided(said: Columns) -> float:
        """Return the metric that decides, of both sides on the validation part, turned so that higher is better."""
        whole = {**said, "frame": list(map(frame_of, said["label"], said["spans"]))}
        right = {name: gold("validation", name) for name in ("frame", "label", "spans")}
        metric = deciding_metric(task, right, whole, stage.config.evaluate.metric)
        value = float(metric.value(metric.rows(right[metric.gold], whole[metric.predicted])))
        return value if metric.better == "higher" else -value

    def most_frequent() -> Baseline:
        label = majority(*parts("label"), len(texts["test"]), labels, of_labels)
        return together("majority", label, all_outside(parts("spans")[1], len(texts["test"]), of_spans))

    def words() -> Baseline:
        label = tfidf_linear(*parts("label"), texts["test"], labels, of_labels, say)
        return together("tfidf-window", label, window_linear(*parts("spans"), texts["test"], of_spans, say))

    def frozen() -> Baseline:
        train, validation = (Part({"mean": features(part)}, gold(part, "label")) for part in ("train", "validation"))
        label = frozen_linear(train, validation, {"mean": features("test")}, labels, of_labels, say)
        spans = frozen_tags(stage, backbone, (gold("train", "spans"), gold("validation", "spans")), of_spans)
        return together("frozen-linear", label, spans)

    return {"majority": most_frequent, "tfidf-window": words, "frozen-linear": frozen}
