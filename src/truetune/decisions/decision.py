"""What is made of a model's probabilities when it answers: stored with it, the same wherever it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from truetune.decisions.calibration import Calibration, calibration_from
from truetune.decisions.conformal import Way, sets_of
from truetune.types import Floats, Ints

ANSWERED, SET = "answered", "prediction_set"
"""Columns that a decision adds: whether the model answers by itself, and the labels among which gold is promised."""


@dataclass(frozen=True)
class Conformal:
    """Prediction sets."""

    way: Way
    level: float
    limit: float
    """How strange a label of the set may be; infinite: every label is in."""


@dataclass(frozen=True)
class Decision:
    """How probabilities become answers, step by step; what is None or empty is left as the model says."""

    calibration: Calibration | None = None
    thresholds: Mapping[str, float] = field(default_factory=dict)
    """Label -> from which (calibrated) probability it is said. Of one label a text there is one such label, which
    goes before the most probable of the others."""
    costs: tuple[tuple[float, ...], ...] = ()
    """Gold -> said -> cost, in the order of the labels: the label with the least expected cost is said."""
    answer_from: float | None = None
    """From which probability of its label a text is answered; below, a person should."""
    conformal: Conformal | None = None

    def columns(
        self, predicted: Mapping[str, Sequence[Any]], labels: Sequence[str], multiple: bool
    ) -> dict[str, list[Any]]:
        """Return predicted columns (`label` or `labels`, and `scores`) as decided."""
        raw = np.array([[row[name] for name in labels] for row in predicted["scores"]], dtype=np.float64)
        raw = raw.reshape(-1, len(labels))
        probabilities = self.probabilities(raw)
        found: dict[str, list[Any]] = {name: list(values) for name, values in predicted.items()}
        if self.calibration is not None:
            found["scores"] = [dict(zip(labels, row, strict=True)) for row in probabilities.tolist()]
        if multiple:
            if self.thresholds:
                cuts = np.array([self.thresholds[name] for name in labels])
                chosen = probabilities >= cuts
                found["labels"] = [
                    [name for name, on in zip(labels, row, strict=True) if on] for row in chosen.tolist()
                ]
            return found
        said = self.said(probabilities, raw, labels)
        found["label"] = [labels[place] for place in said.tolist()]
        if self.answer_from is not None:
            sure = probabilities[np.arange(len(said)), said]
            found[ANSWERED] = (sure >= self.answer_from).tolist()
        if self.conformal is not None:
            inside = sets_of(probabilities, self.conformal.way, self.conformal.limit)
            found[SET] = [[name for name, on in zip(labels, row, strict=True) if on] for row in inside.tolist()]
        return found

    def probabilities(self, raw: Floats) -> Floats:
        """Return the calibrated probabilities `[examples, labels]`."""
        return raw if self.calibration is None or not len(raw) else self.calibration.applied(raw)

    def said(self, probabilities: Floats, raw: Floats, labels: Sequence[str]) -> Ints:
        """Return the place of the label that is said, `[examples]`, where a text has one label.

        Of labels that calibration made equally probable the one that the model said is more probable goes first.
        """
        places = np.arange(len(labels))
        if self.costs:
            expected = probabilities @ np.array(self.costs)
            return np.lexsort((np.broadcast_to(places, raw.shape), -raw, expected), axis=1)[:, 0].astype(np.int64)
        order = np.lexsort((np.broadcast_to(places, raw.shape), -raw, -probabilities), axis=1)
        first = order[:, 0]
        for label, cut in self.thresholds.items():
            place = list(labels).index(label)
            other = np.where(first == place, order[:, 1], first)
            first = np.where(probabilities[:, place] >= cut, place, other)
        return first.astype(np.int64)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        conformal = self.conformal
        return {
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "thresholds": dict(self.thresholds),
            "costs": [list(row) for row in self.costs],
            "answer_from": self.answer_from,
            "conformal": None
            if conformal is None
            else {
                "way": conformal.way,
                "level": conformal.level,
                "limit": conformal.limit if math.isfinite(conformal.limit) else None,
            },
        }


def decision_from(stored: Mapping[str, Any], labels: Sequence[str], multiple: bool) -> Decision:
    """Return what `to_dict` wrote, for a model of these labels; raises ValueError for what does not fit them."""
    expected = {"calibration", "thresholds", "costs", "answer_from", "conformal"}
    if set(stored) != expected:
        raise ValueError(f"a decision has the keys {', '.join(sorted(expected))}, found {', '.join(sorted(stored))}")
    calibration = None if stored["calibration"] is None else calibration_from(stored["calibration"])
    thresholds = {str(label): float(cut) for label, cut in stored["thresholds"].items()}
    costs = tuple(tuple(map(float, row)) for row in stored["costs"])
    maps = 1 if not multiple and len(labels) == 2 else len(labels)
    if calibration is not None and not (
        calibration.exclusive is not multiple
        and len(calibration.lines) in ((maps,) if calibration.method == "platt" else (0,))
        and len(calibration.steps) in ((maps,) if calibration.method == "isotonic" else (0,))
    ):
        raise ValueError("the calibration is of other labels")
    if set(thresholds) - set(labels) or (thresholds and len(thresholds) != (len(labels) if multiple else 1)):
        raise ValueError(f"thresholds of {', '.join(thresholds)}; the labels are {', '.join(labels)}")
    if costs and (multiple or len(costs) != len(labels) or any(len(row) != len(labels) for row in costs)):
        raise ValueError(f"costs of {len(costs)} labels; the model has {len(labels)}")
    conformal = stored["conformal"]
    if conformal is not None:
        if conformal["way"] not in get_args(Way):
            raise ValueError(f"prediction sets by {conformal['way']!r}")
        limit = math.inf if conformal["limit"] is None else float(conformal["limit"])
        conformal = Conformal(conformal["way"], float(conformal["level"]), limit)
    answer_from = None if stored["answer_from"] is None else float(stored["answer_from"])
    if multiple and (conformal is not None or answer_from is not None):
        raise ValueError("prediction sets and abstention are of one label a text")
    return Decision(calibration, thresholds, costs, answer_from, conformal)
