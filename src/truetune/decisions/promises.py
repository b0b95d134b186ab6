"""What is promised of new texts, from validation examples on which nothing else was fitted: abstention and sets."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from truetune.config import Decide
from truetune.decisions.choosing import chosen
from truetune.decisions.conformal import Conformal, limit_of, limit_of_all, limit_of_share, limits_by_label
from truetune.decisions.decision import Decision, all_right
from truetune.decisions.known import Known
from truetune.decisions.selective import risk_coverage
from truetune.decisions.thresholds import Rule
from truetune.stats.plan import Plan
from truetune.types import Bools, Floats

ANSWERS = "answers"
"""What the choice of an abstention is of, in the place of a label."""


def abstention(
    settings: Decide, known: Known, partial: Decision, plan: Plan
) -> tuple[float | None, dict[str, Any] | None]:
    """Return from which confidence a text is answered, and the record of how that was chosen; None where all are."""
    if settings.abstain == "none":
        return None, None
    right, confidence = _answers(known, partial)
    if settings.abstain == "risk":
        rule = Rule("precision", 1 - float(settings.risk or 0), settings.sure)
        choice = chosen(ANSWERS, right, confidence, rule, plan, known.groups)
        reason = "no confidence is high enough for the risk, so that every text is left to people"
        told = {"by": "risk", "risk": settings.risk, "reason": reason if choice.reason else None}
        return choice.threshold, {**choice.to_dict(), **told}
    curve = risk_coverage(right, confidence)
    point = curve.at(float(settings.coverage or 1))
    last = point + 1 == len(curve.confidence)
    cut = 0.0 if last else float(curve.confidence[point] + curve.confidence[point + 1]) / 2
    found = {"coverage": float(curve.coverage[point]), "risk": float(curve.risk[point])}
    return cut, {"by": "coverage", "asked": settings.coverage, "threshold": cut, "examples": len(right), **found}


def _answers(known: Known, partial: Decision) -> tuple[Bools, Floats]:
    """Return whether what is said of each text is right (of several labels: all of them), and how sure it is."""
    probabilities = partial.probabilities(known.probabilities)
    if known.multiple:
        labels = partial.chosen(probabilities, known.labels, ())
        return (labels == known.gold).all(axis=1) & (known.strangers == 0), all_right(probabilities, labels)
    said = partial.said(probabilities, known.probabilities, known.labels)
    return said == known.gold_places, probabilities[np.arange(len(said)), said]


def prediction_sets(
    settings: Decide, known: Known, partial: Decision
) -> tuple[Conformal | None, dict[str, Any] | None]:
    """Return the prediction sets that are promised, and their record; None where none are asked for."""
    way, level = settings.conformal, settings.level
    if way == "none":
        return None, None
    probabilities = partial.probabilities(known.probabilities)
    limits: tuple[float, ...]
    if settings.each_label:
        limits = limits_by_label(probabilities, known.gold, way, level)
    elif not known.multiple:
        limits = (limit_of(probabilities, known.gold_places, way, level),)
    else:
        limit = limit_of_share if way == "fnr" else limit_of_all
        limits = (limit(probabilities, known.gold, known.strangers, level),)
    found = Conformal(way, level, limits)
    sizes = found.sets(probabilities).sum(axis=1)
    labelled = known.gold.any(axis=1) | (known.strangers > 0)
    return found, {
        **found.to_dict(),
        "each_label": settings.each_label,
        "several": known.multiple,
        "examples": int(labelled.sum()),
        "gold": dict(zip(known.labels, known.gold.sum(axis=0).tolist(), strict=True)) if settings.each_label else None,
        "always": [
            name for name, one in zip(known.labels, limits, strict=False) if settings.each_label and math.isinf(one)
        ],
        "mean_size": float(sizes.mean()),
    }
