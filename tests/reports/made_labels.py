"""Simulated runs whose texts have one label, or any number of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from truetune.files import write_json
from truetune.metric import Metric, PerLabel
from truetune.metrics import areas, calibration, classification, probability
from truetune.metrics.label_scores import label_scores

from .made_files import common_files, write_system
from .made_scores import compared, scored, verdict_lines
from .made_texts import NASTY, texts

FEW = (
    "fewer than 10 gold examples of a (9), b (not in gold: misspelt?) and 3 more: their scores and macro averages are "
    "unreliable, and their intervals cover less often than they say"
)


@dataclass(frozen=True)
class Setting:
    """What to simulate."""

    labels: tuple[str, ...]
    language: str = "en"
    examples: int = 400
    skill: tuple[float, float] = (1.6, 3.0)
    """How far gold's logit stands out, before and after."""
    scores: bool = True
    nasty: bool = True
    seed: int = 0


MANY = Setting(
    tuple(f"{verb}_{noun}" for verb in ("card", "cash", "top_up", "transfer", "exchange", "refund", "pin") for noun in (
        "not_working", "declined", "fee_charged", "pending", "arrival", "limit", "delivery_estimate",
        "lost_or_stolen", "about_to_expire", "unrecognised_charge_on_statement", "swallowed",
    )),
    examples=400, skill=(3.4, 5.0), seed=3,
)  # fmt: skip


def drawn_scores(gold: np.ndarray, labels: int, skill: float, rng: np.random.Generator) -> np.ndarray:
    near = rng.normal(size=(labels, labels)) * 0.7
    logits = rng.normal(size=(len(gold), labels)) * 1.4 + near[gold]
    logits[np.arange(len(gold)), gold] += skill
    raised = np.exp(logits - logits.max(axis=1, keepdims=True))
    return raised / raised.sum(axis=1, keepdims=True)


def metrics_of(labels: Sequence[str], with_scores: bool) -> list[Metric | PerLabel]:
    found: list[Metric | PerLabel] = list(classification.SINGLE)
    if with_scores:
        found += [*areas.area_metrics(labels), *probability.METRICS, *calibration.METRICS]
    return found


def classification_run(folder: Path, setting: Setting) -> Path:
    rng = np.random.default_rng(setting.seed)
    labels = setting.labels
    number = setting.examples
    weights = 1 / np.arange(1, len(labels) + 1) ** 0.3
    gold = rng.choice(len(labels), size=number, p=weights / weights.sum())
    inputs = texts(setting.language, number, rng)
    if setting.nasty:
        for place, text in enumerate(NASTY):
            inputs[place] = text
    gold_labels = [labels[place] for place in gold]
    systems = {"before": ("tfidf-linear", setting.skill[0]), "after": ("minilm fine-tuned", setting.skill[1])}
    systems |= {
        "baselines/majority": ("majority", -1.0),
        "baselines/frozen": ("frozen-linear", setting.skill[0] * 0.8),
        "baselines/tfidf": systems["before"],
    }
    written: dict[str, dict[str, Any]] = {}
    right: dict[str, np.ndarray] = {}
    for where, (name, skill) in systems.items():
        drawn = drawn_scores(gold, len(labels), skill, np.random.default_rng(setting.seed + 1))
        if setting.nasty and where == "after":  # the nasty texts are the hardest errors
            for place in range(len(NASTY)):
                wrong = (gold[place] + 1) % len(labels)
                drawn[place] = 0.001 / (len(labels) - 1)
                drawn[place, wrong] = 0.999 - place * 1e-4
                drawn[place] /= drawn[place].sum()
        predicted = [labels[place] for place in drawn.argmax(axis=1)]
        right[where] = drawn.argmax(axis=1) == gold
        columns: dict[str, Any] = {
            "id": [f"test-{place}" for place in range(number)],
            "group": [f"user-{place // 2}" if place % 3 else None for place in range(number)],
            "text": inputs,
            "gold.label": gold_labels,
            "predicted.label": predicted,
        }
        fields: dict[str, Any] = {"label": predicted}
        if setting.scores:
            mappings = [dict(zip(labels, row, strict=True)) for row in drawn.tolist()]
            columns["predicted.scores"] = pa.array(
                mappings, type=pa.struct([(label, pa.float64()) for label in labels])
            )
            fields["scores"] = label_scores(mappings)
        metrics = metrics_of(labels, setting.scores)
        if where.startswith("baselines"):
            metrics = [metric for metric in metrics if not isinstance(metric, PerLabel) and "/" not in metric.name]
        evaluation = {
            "system": name,
            "task": "classification",
            "examples": number,
            "primary": "accuracy",
            "scores": scored(metrics, {"label": gold_labels}, fields),
            "warnings": [FEW] if where == "after" and len(labels) > 50 else [],
        }
        write_system(folder / where, pa.table(columns), evaluation)
        written[where] = evaluation
    counts = {label: gold_labels.count(label) for label in labels}
    common_files(folder, "classification", setting.language, counts, "accuracy")
    flips = int((~right["before"] & right["after"]).sum()), int((right["before"] & ~right["after"]).sum())
    comparison = compared(written["before"], written["after"], flips)
    write_json(folder / "comparison.json", comparison)
    write_json(folder / "verdict.json", verdict_lines(comparison, [written["before"], written["after"]]))
    return folder


def label_sets_run(folder: Path) -> Path:
    """A run that is done but for its baselines: pairs of texts, each with any number of labels."""
    rng = np.random.default_rng(4)
    labels, number = ("angry", "glad", "ironic"), 120
    scores = rng.random((number, 3))
    truth = rng.random((number, 3)) < scores
    gold = [sorted(label for label, here in zip(labels, row, strict=True) if here) for row in truth]
    predicted = [sorted(label for label, here in zip(labels, row > 0.5, strict=True) if here) for row in scores]
    mappings = [dict(zip(labels, row, strict=True)) for row in scores.tolist()]
    kind = pa.map_(pa.string(), pa.float64())
    table = pa.table(
        {
            "id": [str(place) for place in range(number)],
            "first": texts("en", number, rng),
            "second": texts("zh", number, rng),
            "gold.labels": pa.array(gold, type=pa.list_(pa.string())),
            "predicted.labels": pa.array(predicted, type=pa.list_(pa.string())),
            "predicted.scores": pa.array([list(row.items()) for row in mappings], type=kind),
        }
    )
    metrics = [*classification.MULTIPLE, *areas.area_metrics(labels, multiple=True)]
    fields = {"labels": predicted, "scores": label_scores(mappings)}
    evaluation = {
        "system": "multi",
        "task": "pair",
        "examples": number,
        "primary": "f1_macro",
        "scores": scored(metrics, {"labels": gold}, fields),
        "warnings": [],
    }
    write_system(folder / "after", table, evaluation)
    common_files(folder, "pair", "en", {label: sum(label in row for row in gold) for label in labels}, "f1_macro")
    return folder
