"""Scores for Transformers' `Trainer`: outputs and label ids become gold and predicted of a task."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError, nearest
from truetune.evaluation.evaluate import EvaluationResult, evaluated
from truetune.evaluation.tables import aligned
from truetune.stats.plan import Plan
from truetune.tasks.classify_encoding import sigmoid, softmax
from truetune.tasks.table import task_named
from truetune.types import IGNORED, Floats

Array = npt.NDArray[Any]
Sides = tuple[list[dict[str, Any]], list[dict[str, Any]], Array]
"""Records of gold, records of predicted, and the positions of the examples that they are of."""


class Predictions(Protocol):
    """What `Trainer` hands to `compute_metrics` (`transformers.EvalPrediction`)."""

    predictions: Any
    """The model's outputs: an array, or a tuple whose first array holds the logits."""
    label_ids: Any


@dataclass(frozen=True)
class _Reading:
    names: tuple[str, ...] | None
    threshold: float

    def of(self, outputs: int) -> tuple[str, ...]:
        """Return the names of the outputs; their numbers where no names were given."""
        if self.names is None:
            return tuple(str(place) for place in range(outputs))
        if len(self.names) != outputs:
            raise MetricError(f"{len(self.names)} labels were named but the model has {outputs} outputs; name each")
        return self.names


def trainer_metrics(
    task: str,
    labels: Sequence[str] | Mapping[int, str] | None = None,
    *,
    metrics: Sequence[str] | None = None,
    group: Sequence[Any] | None = None,
    threshold: float = 0.5,
    plan: Plan | None = None,
) -> Callable[[Predictions], dict[str, float]]:
    """Return a `compute_metrics` for Transformers' `Trainer`.

    `task` is `classification` or `pair` (label ids `[examples]`, or 0 and 1 `[examples, labels]` where an
    example has several labels: those of probability `threshold` or more are predicted), `regression`, or
    `ner` (label ids `[examples, length]`, positions of -100 left out; outputs may be logits or, from
    `preprocess_logits_for_metrics`, tag ids). `labels` names the outputs (`model.config.id2label` will do);
    `ner` needs it. `group` holds one group an example of the evaluated set. `metrics` keeps only these.

    The returned function gives `{metric: value, metric_low: ..., metric_high: ...}` (`Trainer` adds `eval_`);
    what is undefined is NaN. What `evaluate` warns of comes as Python warnings. Raises `MetricError` and
    `DataError` for arrays that are not of the task's shape.
    """
    if task not in _SIDES:
        raise MetricError(f"no outputs of a Trainer are known for the task {task!r}; {nearest(task, _SIDES)}")
    if task == "ner" and labels is None:
        raise MetricError("`labels` is missing: spans are read from the names of the tags, such as B-PER and O")
    reading = _Reading(_names(labels), threshold)

    def compute_metrics(found: Predictions) -> dict[str, float]:
        outputs = found.predictions[0] if isinstance(found.predictions, tuple) else found.predictions
        gold, predicted, kept = _SIDES[task](_numeric(outputs, "predictions"), _gold_ids(found), reading)
        if group is not None and len(group) != len(outputs):
            raise MetricError(f"{len(group):,} groups were given for {len(outputs):,} examples; expected one each")
        groups = None if group is None else [group[place] for place in kept]
        known = task_named(task)
        table = aligned(known.scoring, gold, {"predicted": predicted}, groups)
        return flat(evaluated(known, table, names=metrics, plan=plan))

    return compute_metrics


def flat(result: EvaluationResult) -> dict[str, float]:
    """Return scores and the ends of their intervals as one level of floats; warnings become Python's."""
    for warning in result.warnings:
        warnings.warn(warning, stacklevel=3)
    found: dict[str, float] = {}
    for score in result.scores:
        found |= {score.metric: score.value, f"{score.metric}_low": score.low, f"{score.metric}_high": score.high}
    return found


def _names(labels: Sequence[str] | Mapping[int, str] | None) -> tuple[str, ...] | None:
    if not isinstance(labels, Mapping):
        return None if labels is None else tuple(labels)
    if sorted(labels) != list(range(len(labels))):
        raise MetricError(f"labels are named for the ids {sorted(labels)}; expected every id from 0 up")
    return tuple(labels[place] for place in range(len(labels)))


def _gold_ids(found: Predictions) -> Array:
    if isinstance(found.label_ids, tuple) or found.label_ids is None:
        number = 0 if found.label_ids is None else len(found.label_ids)
        raise MetricError(f"{number} arrays of label ids were given; expected one (see Trainer's `label_names`)")
    return _numeric(found.label_ids, "label_ids")


def _numeric(values: Any, name: str) -> Array:
    array = np.asarray(values)
    if array.dtype.kind not in "fiub":
        raise MetricError(f"{name} hold {array.dtype}; expected numbers")
    return array


def _labels(outputs: Array, ids: Array, reading: _Reading) -> Sides:
    if outputs.ndim != 2 or len(outputs) != len(ids) or ids.ndim not in (1, 2):
        raise MetricError(_shapes("[examples, labels]", "[examples] or [examples, labels]", outputs, ids))
    if outputs.shape[1] < 2 and ids.ndim == 1:
        raise MetricError(
            "the model has one output; classification needs one a label, and a number a text is a `regression`"
        )
    names = reading.of(outputs.shape[1])
    if ids.ndim == 2:
        return _several(outputs, ids, names, reading.threshold)
    probabilities = softmax(outputs)
    best = probabilities.argmax(axis=1)
    gold = [{"label": _named(names, number, place)} for place, number in enumerate(ids.tolist())]
    predicted = [
        {"label": names[top], "scores": scores}
        for top, scores in zip(best.tolist(), _scores(names, probabilities), strict=True)
    ]
    return gold, predicted, np.arange(len(ids))


def _several(outputs: Array, ids: Array, names: tuple[str, ...], threshold: float) -> Sides:
    if ids.shape != outputs.shape or not np.isin(ids, (0, 1)).all():
        raise MetricError(_shapes("[examples, labels]", "[examples, labels] of 0 and 1", outputs, ids))
    probabilities = sigmoid(outputs)
    gold = [{"labels": [names[place] for place in np.flatnonzero(row)]} for row in ids]
    predicted = [
        {"labels": [names[place] for place in np.flatnonzero(row >= threshold)], "scores": scores}
        for row, scores in zip(probabilities, _scores(names, probabilities), strict=True)
    ]
    return gold, predicted, np.arange(len(ids))


def _values(outputs: Array, ids: Array, reading: _Reading) -> Sides:
    if outputs.size != len(ids) or ids.size != len(ids):
        raise MetricError(_shapes("[examples] or [examples, 1]", "[examples]", outputs, ids))
    gold, predicted = ([{"value": value} for value in side.ravel().tolist()] for side in (ids, outputs))
    return gold, predicted, np.arange(len(ids))


def _tags(outputs: Array, ids: Array, reading: _Reading) -> Sides:
    if ids.ndim != 2 or outputs.shape[:2] != ids.shape or outputs.ndim not in (2, 3):
        raise MetricError(_shapes("[examples, length, tags] or [examples, length]", "[examples, length]", outputs, ids))
    assert reading.names is not None
    names = reading.of(outputs.shape[2]) if outputs.ndim == 3 else reading.names
    tags = outputs.argmax(axis=2) if outputs.ndim == 3 else outputs
    scored = ids != IGNORED
    if outputs.ndim == 3 and np.isnan(outputs[scored]).any():
        raise MetricError("predictions hold NaN: the model's outputs are not numbers")
    kept = np.flatnonzero(scored.any(axis=1))
    gold, predicted = (
        [
            {"tags": [_named(names, number, int(place)) for number in side[place, scored[place]].tolist()]}
            for place in kept
        ]
        for side in (ids, tags)
    )
    return gold, predicted, kept


_SIDES: Mapping[str, Callable[[Array, Array, _Reading], Sides]] = {
    "classification": _labels,
    "pair": _labels,
    "regression": _values,
    "ner": _tags,
}


def _scores(names: tuple[str, ...], probabilities: Floats) -> list[dict[str, float]]:
    return [dict(zip(names, row, strict=True)) for row in probabilities.tolist()]


def _named(names: tuple[str, ...], number: float, example: int) -> str:
    if number != int(number) or not 0 <= number < len(names):
        raise MetricError(f"label id {number} of example {example} has no name; expected 0 to {len(names) - 1}")
    return names[int(number)]


def _shapes(outputs: str, ids: str, found: Array, found_ids: Array) -> str:
    return (
        f"predictions have shape {list(found.shape)} and label_ids {list(found_ids.shape)}; expected "
        f"{outputs} and {ids}"
    )
