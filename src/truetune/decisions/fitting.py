"""Fitting a decision on validation, as the config group `decide` asks; what it rests on is told beside it.

Where something is fitted (calibration, thresholds) and something promised (abstention, prediction sets), the
validation part is cut in two: a promise about examples on which the probabilities were fitted would be broken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.config import Decide
from truetune.decisions.calibration import Calibration, fitted_calibration
from truetune.decisions.choosing import Choice, chosen
from truetune.decisions.costs import FALSE, MISSED, cost_table, costs_by_label
from truetune.decisions.decision import Decision
from truetune.decisions.known import Known
from truetune.decisions.promises import abstention, prediction_sets
from truetune.decisions.thresholds import Rule
from truetune.errors import ConfigError, nearest
from truetune.stats.plan import Plan

FEW = 100
"""Below this many examples a promise of 90 % can be off by three points and more."""
SHOWN = 20
"""Names of labels that a warning lists."""


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
        if settings.conformal == "aps":
            raise ConfigError(
                "decide.conformal: aps adds up probabilities of labels of which one is right, and this data has texts "
                "with several; use lac (all labels of a text) or fnr (a share of them)"
            )
        costs_by_label(settings, labels)
        if settings.label is not None:
            raise ConfigError("decide.label: every label has its threshold where a text has several; leave it out")
        return
    if settings.conformal == "fnr":
        raise ConfigError(
            "decide.conformal: fnr is of the labels that are missed of several, and here a text has one; use lac or aps"
        )
    cost_table(settings, labels)
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
        costs = tuple(tuple(row) for row in cost_table(settings, known.labels).tolist())
    partial = Decision(calibration, thresholds, costs)
    answer_from, left = abstention(settings, second, partial, plan)
    conformal, promise = prediction_sets(settings, second, partial)
    decision = Decision(calibration, thresholds, costs, answer_from, conformal)
    record = {
        "settings": settings.model_dump(mode="json"),
        "validation": len(known.gold),
        "fitted_on": len(first.gold) if fits else 0,
        "promised_on": len(second.gold) if promises else 0,
        "decision": decision.to_dict(),
        "thresholds": [one.to_dict() for one in choices],
        "abstention": left,
        "conformal": promise,
        "warnings": _warnings(settings, known, second if promises else None, (promise or {}).get("always", [])),
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
                for name, costs in costs_by_label(settings, labels).items()
            }
        elif len(labels) == 2:
            costs = cost_table(settings, labels)
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


def _warnings(settings: Decide, known: Known, promised: Known | None, always: Sequence[str]) -> list[str]:
    found = []
    if settings.threshold == "cost" and not known.multiple and len(known.labels) > 2 and settings.calibrate == "none":
        found.append(
            "costs are weighed with the probabilities as the model says them, which may be too sure: "
            "set decide.calibrate"
        )
    if (promised is not None or settings.sure is not None) and known.groups is not None:
        found.append(
            "examples of one group are alike, so that what is promised of new examples holds for those of many groups "
            "together, and not as closely as the number of examples suggests"
        )
    if promised is not None and len(promised.gold) < FEW:
        found.append(
            f"what is promised rests on {len(promised.gold)} validation examples: it holds on average over such "
            "parts, and may be off by several points for this one"
        )
    if always:
        more = ", …" if len(always) > SHOWN else ""
        found.append(
            f"labels with too few validation examples for the promise, which are in every prediction set: "
            f"{', '.join(always[:SHOWN])}{more}"
        )
    return found
