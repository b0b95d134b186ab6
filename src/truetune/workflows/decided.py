"""What a decision is worth on the test part, beside the model as it is: what it gains, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from truetune.decisions.decision import ANSWERED, SET
from truetune.evaluation.compare import Gate, compared
from truetune.evaluation.evaluate import evaluated, scores
from truetune.evaluation.families import families
from truetune.evaluation.tables import Aligned
from truetune.metrics.classification import SINGLE
from truetune.metrics.regression import METRICS as OF_NUMBERS
from truetune.types import Bools, Floats, Ints, Score
from truetune.workflows.stage import Stage
from truetune.workflows.systems import table_of

SHOWN = ("accuracy", "f1_macro", "f1_micro", "relation_f1_micro", "log_loss", "brier", "ece", "ece_equal_mass")
"""Metrics that are told of both sides, beside the one that decides."""
AS_IT_IS, DECIDED = "as the model says", "decided"
ACCURACY = next(metric for metric in SINGLE if metric.name == "accuracy")
MEAN = next(metric for metric in OF_NUMBERS if metric.name == "mae")
"""Of a cost and 0 the mean absolute error is the mean cost, with its interval."""


def measured(
    stage: Stage, undecided: Mapping[str, Sequence[Any]], predicted: Mapping[str, Sequence[Any]]
) -> dict[str, Any]:
    """Return the JSON of `after/decisions.json`; gold is that of the test part."""
    table = table_of(stage.data, "test", {AS_IT_IS: undecided, DECIDED: predicted})
    gate = Gate(stage.config.evaluate.metric, plan=stage.plan)
    both = compared(stage.data.task, table, gate=gate)
    names = [
        name for name in dict.fromkeys((both.primary, *SHOWN)) if any(name == one.metric for one in both.comparisons)
    ]
    found: dict[str, Any] = {
        "examples": len(table),
        "scores": {side: [one.to_dict() for one in _scores(stage, table, side, names)] for side in (AS_IT_IS, DECIDED)},
        "comparison": both.to_dict(),
        "answered": None,
        "sets": None,
        "cost": None,
    }
    if "label" not in table.gold:
        return found
    gold = np.array(list(table.gold["label"]), dtype=object)
    said = np.array(predicted["label"], dtype=object)
    right = gold == said

    def share(hits: Bools, groups: Ints | None = table.groups) -> dict[str, Any]:
        columns = {"label": ["yes"] * len(hits)}, {"label": ["yes" if one else "no" for one in hits]}
        only = [ACCURACY]
        (score,) = scores(families(only, columns[0], [columns[1]]), groups, stage.plan)
        return {"hits": int(hits.sum()), "value": score.value, "low": _known(score.low), "high": _known(score.high)}

    if ANSWERED in predicted:
        answered = np.array(predicted[ANSWERED], dtype=np.bool_)
        groups = None if table.groups is None else np.unique(table.groups[answered], return_inverse=True)[1]
        found["answered"] = {
            "coverage": share(answered),
            "risk": share(~right[answered], groups) if answered.any() else None,
            "risk_of_all": share(~right),
        }
    if SET in predicted:
        inside = np.array([one in some for one, some in zip(gold, predicted[SET], strict=True)], dtype=np.bool_)
        sizes = np.array([len(some) for some in predicted[SET]])
        found["sets"] = {
            "coverage": share(inside),
            "mean_size": float(sizes.mean()),
            "sizes": {str(size): int((sizes == size).sum()) for size in np.unique(sizes)},
        }
    costs = stage.config.decide.costs
    if costs:
        found["cost"] = {
            name: _mean(
                np.array([costs.get(g, {}).get(s, float(g != s)) for g, s in zip(gold, label, strict=True)]),
                table.groups,
                stage,
            )
            for name, label in ((AS_IT_IS, undecided["label"]), (DECIDED, said))
        }
    return found


def _scores(stage: Stage, table: Aligned, side: str, names: Sequence[str]) -> tuple[Score, ...]:
    one = replace(table, systems={side: table.systems[side]})
    return evaluated(stage.data.task, one, names=names, plan=stage.plan).scores


def _mean(values: Floats, groups: Ints | None, stage: Stage) -> dict[str, Any]:
    columns = {"value": np.zeros(len(values))}, {"value": values}
    (score,) = scores(families([MEAN], columns[0], [columns[1]]), groups, stage.plan)
    return {"value": score.value, "low": _known(score.low), "high": _known(score.high)}


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
