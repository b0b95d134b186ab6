"""Scores of scikit-learn's estimators and of plain arrays, and a scorer for its searches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError, nearest
from truetune.evaluation.evaluate import EvaluationResult, evaluated
from truetune.evaluation.families import applicable, families
from truetune.evaluation.tables import Aligned, aligned
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named

Array = npt.NDArray[Any]
TASKS_OF_ARRAYS = ("classification", "pair", "regression")


@dataclass(frozen=True)
class Answers:
    """What an estimator says of some examples."""

    predicted: Array
    """`[examples]`, or 0 and 1 `[examples, labels]` where an example may have several labels"""
    probabilities: Array | None = None
    """`[examples, labels]`"""
    labels: tuple[Any, ...] | None = None
    """The names of the columns of arrays `[examples, labels]`."""


def sklearn_scores(
    estimator: Any, features: Any, gold: Any, *, group: Sequence[Any] | None = None, plan: Plan | None = None
) -> EvaluationResult:
    """Return every score of a fitted estimator on labelled examples.

    A classifier (it has `classes_`) is scored as `classification`, with several labels an example where `gold`
    is an array of 0 and 1 `[examples, labels]`; anything else as `regression`. Probabilities are taken from
    `predict_proba` where it has one; a `decision_function` gives none, so areas under curves are left out.
    """
    task, answers = _answers(estimator, features)
    return evaluated(task_named(task), _table(task, gold, answers, group), plan=plan)


def array_scores(task: str, gold: Any, answers: Answers, *, plan: Plan | None = None) -> EvaluationResult:
    """Return every score of arrays: gold as scikit-learn's metrics take it, and what a system answered."""
    return evaluated(task_named(task), _table(task, gold, answers), plan=plan)


@dataclass(frozen=True)
class Scorer:
    """`scorer(estimator, features, gold)`: one metric's value, its sign turned where less is better."""

    metric: str

    def __call__(self, estimator: Any, features: Any, gold: Any) -> float:
        """Return the value, NaN where it is undefined."""
        task, answers = _answers(estimator, features)
        table = _table(task, gold, answers)
        found = families(
            applicable(task_named(task).scoring, table.gold, table.predicted, [self.metric]),
            table.gold,
            [table.predicted],
        )
        for family in found:
            for metric in family.metrics:
                if metric.name == self.metric:
                    value = float(metric.value(family.rows[0]))
                    return -value if metric.better == "lower" else value
        known = [metric.name for family in found for metric in family.metrics]
        raise MetricError(f"no value of {self.metric!r} here; {nearest(self.metric, known)}")


def sklearn_scorer(metric: str) -> Scorer:
    """Return a scorer for `cross_val_score` and `GridSearchCV`: greater is better, losses are negated.

    It gives the value alone; `cross_validation` makes an interval of the folds' values. Raises `MetricError` for an
    unknown name: what fails while it scores, scikit-learn turns into a NaN.
    """
    scored = [task_named(task).scoring for task in TASKS_OF_ARRAYS]
    known = {one.name for scoring in scored for one in (*scoring.metrics, *scoring.sometimes)}
    if metric.partition("/")[0] not in known:
        raise MetricError(f"unknown metric {metric!r}; {nearest(metric, known)}")
    return Scorer(metric)


def _answers(estimator: Any, features: Any) -> tuple[str, Answers]:
    predicted = np.asarray(estimator.predict(features))
    classes = getattr(estimator, "classes_", None)
    if classes is None:
        return "regression", Answers(predicted)
    probabilities = estimator.predict_proba(features) if hasattr(estimator, "predict_proba") else None
    if predicted.ndim == 2:
        columns = classes if len(classes) == predicted.shape[1] and np.ndim(classes) == 1 else None
        names = tuple(range(predicted.shape[1])) if columns is None else tuple(columns)
        return "classification", Answers(predicted, _of_one(probabilities), names)
    return "classification", Answers(predicted, probabilities, tuple(classes))


def _of_one(probabilities: Any) -> Array | None:
    """Return the probability of 1 of each label; forests and multi-output give one array a label."""
    if not isinstance(probabilities, list):
        return None if probabilities is None else np.asarray(probabilities)
    if any(np.shape(each)[1] != 2 for each in probabilities):
        return None
    return np.stack([each[:, 1] for each in probabilities], axis=1)


def _table(task: str, gold: Any, answers: Answers, group: Sequence[Any] | None = None) -> Aligned:
    if task not in TASKS_OF_ARRAYS:
        raise MetricError(f"arrays cannot be read as the task {task!r}; {nearest(task, TASKS_OF_ARRAYS)}")
    right, said = np.asarray(gold), np.asarray(answers.predicted)
    if right.shape != said.shape:
        raise MetricError(f"gold has shape {list(right.shape)} and predicted {list(said.shape)}; expected the same")
    if task == "regression":
        sides = [[{"value": value} for value in side.ravel().tolist()] for side in (right, said)]
    elif right.ndim == 2:
        sides = [_label_sets(side, answers.labels or tuple(range(right.shape[1]))) for side in (right, said)]
    else:
        sides = [[{"label": label} for label in side.tolist()] for side in (right, said)]
    if answers.probabilities is not None:
        _add_scores(sides[1], answers)
    return aligned(task_named(task).scoring, sides[0], {"predicted": sides[1]}, group)


def _label_sets(indicator: Array, labels: Sequence[Any]) -> list[dict[str, Any]]:
    if not np.isin(indicator, (0, 1)).all():
        raise MetricError("labels of an array [examples, labels] are 0 and 1; found other numbers")
    return [{"labels": [_plain(labels[int(place)]) for place in np.flatnonzero(row)]} for row in indicator]


def _add_scores(records: list[dict[str, Any]], answers: Answers) -> None:
    given = np.asarray(answers.probabilities, dtype=np.float64)
    if answers.labels is None or given.shape != (len(records), len(answers.labels)):
        number = "no" if answers.labels is None else len(answers.labels)
        raise MetricError(
            f"probabilities have shape {list(given.shape)} for {len(records):,} examples and {number} labels; "
            "expected [examples, labels], with `labels` naming the columns"
        )
    names = [_plain(label) for label in answers.labels]
    for record, row in zip(records, given.tolist(), strict=True):
        record["scores"] = dict(zip(names, row, strict=True))


def _plain(label: Any) -> Any:
    return label.item() if isinstance(label, np.generic) else label
