"""Fitting a decision on validation, as the config group `decide` asks; what it rests on is told beside it.

Where something is fitted (calibration, thresholds) and something promised (abstention, prediction sets), the
validation part is cut in two: a promise about examples on which the probabilities were fitted would be broken.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.config import Decide
from truetune.decisions.calibration import Calibration, fitted_calibration
from truetune.decisions.choosing import Choice, chosen
from truetune.decisions.conformal import limit_of, strangeness
from truetune.decisions.decision import Conformal, Decision
from truetune.decisions.selective import risk_coverage
from truetune.decisions.thresholds import Rule
from truetune.errors import ConfigError, nearest
from truetune.stats.plan import Plan
from truetune.types import Bools, Floats, Ints

FALSE, MISSED = "false", "missed"
FEW = 100
"""Below this many examples a promise of 90 % can be off by three points and more."""


@dataclass(frozen=True)
class Known:
    """Validation examples: raw probabilities and gold."""

    labels: tuple[str, ...]
    multiple: bool
    probabilities: Floats
    """`[examples, labels]`"""
    gold: Bools
    """`[examples, labels]`; a row without any is gold that the model does not know, or no label at all."""
    groups: Ints | None = None

    def take(self, places: Ints) -> Known:
        """Return some of the examples."""
        groups = None if self.groups is None else np.unique(self.groups[places], return_inverse=True)[1]
        return Known(self.labels, self.multiple, self.probabilities[places], self.gold[places], groups)

    @property
    def gold_places(self) -> Ints:
        """The column of gold, -1 for a label that the model does not know."""
        return np.where(self.gold.any(axis=1), self.gold.argmax(axis=1), -1).astype(np.int64)


@dataclass(frozen=True)
class Fitted:
    """A decision, and the record of how it was made, JSON-ready."""

    decision: Decision
    record: Mapping[str, Any]


def check(settings: Decide, labels: Sequence[str], multiple: bool, head: str) -> None:
    """Raise `ConfigError` for what cannot be decided of a model; called before anything is trained."""
    if settings.nothing:
        return
    if head != "classify":
        raise ConfigError("decide: is of probabilities of labels, and this task has none; leave the group out")
    if multiple:
        if settings.abstain != "none" or settings.conformal != "none":
            raise ConfigError(
                "decide: `abstain` and `conformal` are of one label a text, and this data has several; leave them out "
                "(calibrate and threshold work for each label)"
            )
        _several_costs(settings, labels)
        if settings.label is not None:
            raise ConfigError("decide.label: every label has its threshold where a text has several; leave it out")
        return
    _cost_table(settings, labels)
    if settings.threshold in ("f1", "precision", "recall"):
        if settings.label is None:
            raise ConfigError(
                f"decide.threshold: {settings.threshold} is of one label; name it: decide.label, one of "
                f"{', '.join(labels[:20])}"
            )
        if settings.label not in labels:
            raise ConfigError(
                f"decide.label: the data has no label {settings.label!r}; {nearest(settings.label, labels)}"
            )


def fitted(settings: Decide, known: Known, threshold: float, plan: Plan) -> Fitted:
    """Fit on validation examples; `threshold` is that of several labels a text which the metric chose.

    Raises `ConfigError` for settings that do not fit the labels, or an empty validation part.
    """
    check(settings, known.labels, known.multiple, "classify")
    if not len(known.gold):
        raise ConfigError("decide: the validation part is empty, so nothing can be fitted; give validation examples")
    fits = settings.calibrate != "none" or settings.threshold != "metric"
    promises = settings.abstain != "none" or settings.conformal != "none"
    first, second = _halves(known, plan) if fits and promises else (known, known)
    calibration = None
    if settings.calibrate != "none":
        calibration = fitted_calibration(settings.calibrate, first.probabilities, first.gold, not known.multiple)
    partial = Decision(calibration)
    thresholds, choices = _thresholds(settings, first, partial, threshold, plan)
    costs: tuple[tuple[float, ...], ...] = ()
    if settings.threshold == "cost" and not known.multiple and len(known.labels) > 2:
        costs = tuple(tuple(row) for row in _cost_table(settings, known.labels).tolist())
    partial = Decision(calibration, thresholds, costs)
    answer_from, abstention = _abstention(settings, second, partial, plan)
    conformal, promise = _conformal(settings, second, partial)
    decision = Decision(calibration, thresholds, costs, answer_from, conformal)
    record = {
        "settings": settings.model_dump(mode="json"),
        "validation": len(known.gold),
        "fitted_on": len(first.gold) if fits else 0,
        "promised_on": len(second.gold) if promises else 0,
        "decision": decision.to_dict(),
        "thresholds": [one.to_dict() for one in choices],
        "abstention": abstention,
        "conformal": promise,
        "warnings": _warnings(settings, known, second if promises else None),
    }
    return Fitted(decision, record)


def _halves(known: Known, plan: Plan) -> tuple[Known, Known]:
    """Cut in two at random; groups stay whole."""
    owner = np.arange(len(known.gold)) if known.groups is None else known.groups
    units = int(owner.max()) + 1
    first = np.zeros(units, dtype=np.bool_)
    first[plan.generator("halves of validation").permutation(units)[: units // 2]] = True
    inside = first[owner]
    if inside.all() or not inside.any():
        raise ConfigError(
            f"decide: {units} validation example or group cannot be cut in two, one half for calibration and "
            "thresholds and one for what is promised; give more validation examples"
        )
    return known.take(np.flatnonzero(inside)), known.take(np.flatnonzero(~inside))


def _thresholds(
    settings: Decide, known: Known, partial: Decision, threshold: float, plan: Plan
) -> tuple[dict[str, float], list[Choice]]:
    probabilities = partial.probabilities(known.probabilities)
    labels = known.labels
    if settings.threshold == "metric":
        if not known.multiple:
            return {}, []
        calibration = partial.calibration or Calibration("temperature", exclusive=False)
        one = np.array([threshold])
        return {name: float(calibration.mapped(one, place)[0]) for place, name in enumerate(labels)}, []
    rules: dict[str, Rule]
    if settings.threshold == "cost":
        if known.multiple:
            rules = {
                name: Rule("cost", false_cost=costs[FALSE], missed_cost=costs[MISSED])
                for name, costs in _several_costs(settings, labels).items()
            }
        elif len(labels) == 2:
            costs = _cost_table(settings, labels)
            false, missed = float(costs[0, 1] - costs[0, 0]), float(costs[1, 0] - costs[1, 1])
            rules = {labels[1]: Rule("cost", false_cost=false, missed_cost=missed)}
        else:
            return {}, []
    else:
        rule = Rule(settings.threshold, settings.floor or 0.0, settings.sure)
        rules = dict.fromkeys(labels if known.multiple else [str(settings.label)], rule)
    choices = []
    for name, rule in rules.items():
        place = labels.index(name)
        choices.append(chosen(name, known.gold[:, place], probabilities[:, place], rule, plan, known.groups))
    kept = {one.label: one.threshold if one.gold else 0.5 for one in choices}
    return kept, choices


def _abstention(
    settings: Decide, known: Known, partial: Decision, plan: Plan
) -> tuple[float | None, dict[str, Any] | None]:
    if settings.abstain == "none":
        return None, None
    probabilities = partial.probabilities(known.probabilities)
    said = partial.said(probabilities, known.probabilities, known.labels)
    right = said == known.gold_places
    confidence = probabilities[np.arange(len(said)), said]
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


ANSWERS = "answers"
"""What the choice of an abstention is of, in the place of a label."""


def _conformal(settings: Decide, known: Known, partial: Decision) -> tuple[Conformal | None, dict[str, Any] | None]:
    if settings.conformal == "none":
        return None, None
    probabilities = partial.probabilities(known.probabilities)
    limit = limit_of(probabilities, known.gold_places, settings.conformal, settings.level)
    found = Conformal(settings.conformal, settings.level, limit)
    sizes = (strangeness(probabilities, settings.conformal) <= limit).sum(axis=1)
    return found, {
        "way": settings.conformal,
        "level": settings.level,
        "limit": limit if math.isfinite(limit) else None,
        "examples": len(probabilities),
        "mean_size": float(sizes.mean()),
    }


def _cost_table(settings: Decide, labels: Sequence[str]) -> Floats:
    """Return costs `[gold, said]`; raises `ConfigError` for labels that are not there, or a right answer that costs
    more than a wrong one.
    """
    costs = 1 - np.eye(len(labels))
    for gold, row in settings.costs.items():
        for said, cost in row.items():
            for name in (gold, said):
                if name not in labels:
                    raise ConfigError(f"decide.costs: the data has no label {name!r}; {nearest(name, labels)}")
            costs[list(labels).index(gold), list(labels).index(said)] = cost
    own = np.diag(costs)
    for place, label in enumerate(labels):
        if (costs[place] < own[place]).any():
            raise ConfigError(f"decide.costs: of {label}, the right answer costs more than a wrong one")
    return costs


def _several_costs(settings: Decide, labels: Sequence[str]) -> dict[str, dict[str, float]]:
    """Return the costs of a yes that should be a no (`false`) and of a `missed` one, by label."""
    found = {name: {FALSE: 1.0, MISSED: 1.0} for name in labels}
    for label, row in settings.costs.items():
        if label not in found:
            raise ConfigError(f"decide.costs: the data has no label {label!r}; {nearest(label, labels)}")
        for kind, cost in row.items():
            if kind not in (FALSE, MISSED):
                raise ConfigError(
                    f"decide.costs.{label}: where a text has several labels, costs are of `{FALSE}` and `{MISSED}` "
                    f"ones, found {kind!r}"
                )
            found[label][kind] = cost
    return found


def _warnings(settings: Decide, known: Known, promised: Known | None) -> list[str]:
    found = []
    if settings.threshold == "cost" and not known.multiple and len(known.labels) > 2 and settings.calibrate == "none":
        found.append(
            "costs are weighed with the probabilities as the model says them, which may be too sure: "
            "set decide.calibrate"
        )
    if promised is not None and known.groups is not None:
        found.append(
            "examples of one group are alike, so that what is promised of new examples holds for those of many groups "
            "together, and not as closely as the number of examples suggests"
        )
    if promised is not None and len(promised.gold) < FEW:
        found.append(
            f"what is promised rests on {len(promised.gold)} validation examples: it holds on average over such "
            "parts, and may be off by several points for this one"
        )
    return found
