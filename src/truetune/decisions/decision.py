"""What is made of a model's probabilities when it answers: stored with it, the same wherever it answers."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, get_args

import numpy as np

from truetune.decisions.calibration import Calibration, calibration_from
from truetune.decisions.conformal import Conformal, Way
from truetune.types import Bools, Floats, Ints

ANSWERED, SET = "answered", "prediction_set"
"""Columns that a decision adds: whether the model answers by itself, and the labels among which gold is promised."""


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
    """From which probability of what is said a text is answered; below, a person should."""
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
            chosen = self.chosen(probabilities, labels, predicted["labels"])
            found["labels"] = _named(chosen, labels)
            sure = all_right(probabilities, chosen)
        else:
            said = self.said(probabilities, raw, labels)
            found["label"] = [labels[place] for place in said.tolist()]
            sure = probabilities[np.arange(len(said)), said]
        if self.answer_from is not None:
            found[ANSWERED] = (sure >= self.answer_from).tolist()
        if self.conformal is not None:
            found[SET] = _named(self.conformal.sets(probabilities), labels)
        return found

    def probabilities(self, raw: Floats) -> Floats:
        """Return the calibrated probabilities `[examples, labels]`."""
        return raw if self.calibration is None or not len(raw) else self.calibration.applied(raw)

    def chosen(self, probabilities: Floats, labels: Sequence[str], model: Sequence[Sequence[str]]) -> Bools:
        """Return which labels are said, `[examples, labels]`, where a text may have several: `model`'s without
        thresholds.
        """
        if self.thresholds:
            return probabilities >= np.array([self.thresholds[name] for name in labels])
        return np.array([[name in one for name in labels] for one in model], dtype=np.bool_).reshape(-1, len(labels))

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
        return {
            "calibration": None if self.calibration is None else self.calibration.to_dict(),
            "thresholds": dict(self.thresholds),
            "costs": [list(row) for row in self.costs],
            "answer_from": self.answer_from,
            "conformal": None if self.conformal is None else self.conformal.to_dict(),
        }


def all_right(probabilities: Floats, chosen: Bools) -> Floats:
    """Return how probable it is that all labels of a text are right, said or not, `[examples]`: the product over labels
    `[examples, labels]`, as if they were independent.

    It only ranks texts: what is promised of those that are answered rests on how many were right.
    """
    return np.asarray(np.where(chosen, probabilities, 1 - probabilities).prod(axis=1))


def _named(chosen: Bools, labels: Sequence[str]) -> list[list[str]]:
    return [[name for name, on in zip(labels, row, strict=True) if on] for row in chosen.tolist()]


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
    answer_from = None if stored["answer_from"] is None else float(stored["answer_from"])
    conformal = None if stored["conformal"] is None else _conformal_from(stored["conformal"], len(labels), multiple)
    return Decision(calibration, thresholds, costs, answer_from, conformal)


def _conformal_from(stored: Mapping[str, Any], labels: int, multiple: bool) -> Conformal:
    way = stored["way"]
    if way not in get_args(Way) or way == ("aps" if multiple else "fnr"):
        raise ValueError(f"prediction sets by {way!r}")
    limits = tuple(math.inf if limit is None else float(limit) for limit in stored["limits"])
    if len(limits) not in (1, labels) or (way == "fnr" and len(limits) > 1):
        raise ValueError(f"prediction sets with {len(limits)} limits; the model has {labels} labels")
    return Conformal(way, float(stored["level"]), limits)
