"""Synthetic evaluations that look like real ones: gold, a fair system, its scores. Nothing is taken from the checks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.evaluation.doctor.examine import examined
from truetune.evaluation.tables import aligned
from truetune.tasks.table import task_named
from truetune.types import Finding

SENTIMENT = ("negative", "neutral", "positive")


@dataclass
class Classified:
    """Labels with shares like those of reviews, a system of some accuracy, and its logits `[examples, labels]`."""

    gold: list[str]
    predicted: list[str]
    logits: np.ndarray
    labels: tuple[str, ...]

    @property
    def probabilities(self) -> np.ndarray:
        powers = np.exp(self.logits - self.logits.max(axis=1, keepdims=True))
        return powers / powers.sum(axis=1, keepdims=True)


def classified(seed: int, number: int = 400, labels: tuple[str, ...] = SENTIMENT, strength: float = 3.0) -> Classified:
    """A softmax system that gives the gold logit `strength` more than noise of one: about 0.93 of three labels."""
    rng = np.random.default_rng(seed)
    shares = rng.dirichlet(np.full(len(labels), 8.0))
    gold = rng.choice(len(labels), number, p=shares)
    logits = rng.normal(size=(number, len(labels))) + rng.normal(size=len(labels)) * 0.3
    logits[np.arange(number), gold] += strength
    said = logits.argmax(axis=1)
    return Classified([labels[one] for one in gold], [labels[one] for one in said], logits, labels)


def scored(labels: tuple[str, ...], predicted: list[str], values: np.ndarray) -> list[dict[str, Any]]:
    """Predictions as a file has them: the label, and the score of each label."""
    return [
        {"label": label, "scores": dict(zip(labels, row, strict=True))}
        for label, row in zip(predicted, values.tolist(), strict=True)
    ]


def found(task: str, gold: list[Any], predicted: list[Any]) -> dict[str, Finding]:
    """What the doctor finds, by check."""
    findings = examined(task, aligned(task_named(task).scoring, gold, {"system": predicted}))
    assert len({one.check for one in findings}) == len(findings)
    return {one.check: one for one in findings}
