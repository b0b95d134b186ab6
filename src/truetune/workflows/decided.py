"""What a decision is worth on the test part, beside the model as it is: what it gains, and what it costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truetune.decisions.costs import FALSE, MISSED
from truetune.decisions.decision import ANSWERED, SET
from truetune.evaluation.compare import Gate, compared
from truetune.evaluation.evaluate import evaluated, scores
from truetune.evaluation.families import families
from truetune.evaluation.tables import Aligned
from truetune.metric import Metric, PerLabel
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
    field = "label" if "label" in table.gold else "labels"
    if field not in table.gold:
        return found
    of = _Test(stage, table.groups, list(table.gold[field]), field == "labels")
    if ANSWERED in predicted:
        found["answered"] = _answered(of, np.array(predicted[ANSWERED], dtype=np.bool_), of.right(predicted[field]))
    if SET in predicted:
        found["sets"] = _sets(of, predicted[SET], stage.labels.names)
    if stage.config.decide.costs:
        sides = ((AS_IT_IS, undecided[field]), (DECIDED, predicted[field]))
        found["cost"] = {name: of.mean(_costs(stage, of, said)) for name, said in sides}
    return found


@dataclass(frozen=True)
class _Test:
    """Gold of the test part, and means over it with their intervals."""

    stage: Stage
    groups: Ints | None
    gold: Sequence[Any]
    several: bool

    def right(self, said: Sequence[Any]) -> Bools:
        """Return whether each answer is entirely right, `[examples]`."""
        pairs = zip(self.gold, said, strict=True)
        return np.array([set(g) == set(s) if self.several else g == s for g, s in pairs], dtype=np.bool_)

    def share(self, hits: Bools, of: Bools | None = None) -> dict[str, Any] | None:
        """Return the share of hits `[examples]`, among some of them; None where there are none."""
        kept = hits if of is None else hits[of]
        if not len(kept):
            return None
        columns = {"label": ["yes"] * len(kept)}, {"label": ["yes" if one else "no" for one in kept]}
        return {"hits": int(kept.sum()), "examples": len(kept), **self._scored([ACCURACY], columns, of)}

    def mean(self, values: Floats, of: Bools | None = None) -> dict[str, Any]:
        """Return the mean of values `[examples]` that are not below 0, over some of them."""
        kept = values if of is None else values[of]
        return {"examples": len(kept), **self._scored([MEAN], ({"value": np.zeros(len(kept))}, {"value": kept}), of)}

    def _scored(
        self, metrics: Sequence[Metric | PerLabel], columns: tuple[Any, Any], of: Bools | None
    ) -> dict[str, Any]:
        groups = self.groups
        if groups is not None and of is not None:
            groups = np.unique(groups[of], return_inverse=True)[1]
        (score,) = scores(families(metrics, columns[0], [columns[1]]), groups, self.stage.plan)
        return {"value": _known(score.value), "low": _known(score.low), "high": _known(score.high)}


def _answered(of: _Test, answered: Bools, right: Bools) -> dict[str, Any]:
    return {
        "coverage": of.share(answered),
        "risk": of.share(~right, answered),
        "risk_of_all": of.share(~right),
    }


def _sets(of: _Test, sets: Sequence[Sequence[str]], labels: Sequence[str]) -> dict[str, Any]:
    """Return how often sets hold what is right, in all and for each label, and how large they are."""
    golds = [set(one) if of.several else {one} for one in of.gold]
    kept = [len(gold.intersection(some)) for gold, some in zip(golds, sets, strict=True)]
    number = np.array([len(gold) for gold in golds])
    held, some = np.array(kept), number > 0
    sizes = np.array([len(one) for one in sets])
    by_label = {}
    for name in labels:
        own = np.array([name in gold for gold in golds], dtype=np.bool_)
        by_label[name] = of.share(np.array([name in one for one in sets], dtype=np.bool_), own)
    return {
        "coverage": of.share(held == number, some),
        "kept": of.mean(held / np.maximum(number, 1), some) if of.several and some.any() else None,
        "labels": by_label,
        "mean_size": float(sizes.mean()),
        "sizes": {str(size): int((sizes == size).sum()) for size in np.unique(sizes)},
    }


def _costs(stage: Stage, of: _Test, said: Sequence[Any]) -> Floats:
    """Return what each answer costs, `[examples]`."""
    costs = stage.config.decide.costs
    pairs = list(zip(of.gold, said, strict=True))
    if not of.several:
        return np.array([costs.get(g, {}).get(s, float(g != s)) for g, s in pairs])

    def cost(kind: str, labels: set[str]) -> float:
        return sum(costs.get(name, {}).get(kind, 1.0) for name in labels)

    return np.array([cost(MISSED, set(g) - set(s)) + cost(FALSE, set(s) - set(g)) for g, s in pairs], dtype=np.float64)


def _scores(stage: Stage, table: Aligned, side: str, names: Sequence[str]) -> tuple[Score, ...]:
    one = replace(table, systems={side: table.systems[side]})
    return evaluated(stage.data.task, one, names=names, plan=stage.plan).scores


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None
