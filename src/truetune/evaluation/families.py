"""Which metrics apply to what a file holds, and the rows that each family of them shares."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truetune.errors import MetricError, nearest
from truetune.metric import Metric, PerLabel
from truetune.metrics.label_scores import label_scores
from truetune.rows import Rows
from truetune.tasks.base import Scoring
from truetune.types import Column

SCORES = "scores"
Fields = Mapping[str, Column]
"""Field -> one value an example, in example order."""


@dataclass(frozen=True)
class Family:
    """Metrics that read the same rows, and those rows for one system or for several.

    Resamples of the rows are drawn once for all the metrics. The rows of several systems are over the
    same examples in the same order, and over the same labels.
    """

    metrics: tuple[Metric, ...]
    rows: tuple[Rows, ...]


def applicable(
    scoring: Scoring, gold: Fields, predicted: Fields, names: Sequence[str] | None = None
) -> list[Metric | PerLabel]:
    """Return the metrics whose fields are there, in the order of the task.

    With `names`, only those (`f1/LABEL` asks for one label's); a name that is unknown, or whose fields
    are not there, is a `MetricError`: a requested metric is computed or the run stops. So is where none applies.
    """
    fitting = [metric for metric in scoring.metrics if metric.gold in gold and metric.predicted in predicted]
    by_name: dict[str, Metric | PerLabel] = {}
    for metric in fitting:
        by_name.setdefault(metric.name, metric)
    if scoring.refined is not None:
        by_name |= {metric.name: metric for metric in scoring.refined(gold, predicted)}
    there = list(by_name.values())
    if not there and scoring.metrics and names is None:
        raise MetricError(
            f"no metric reads both sides: gold holds {_listed(gold, scoring)}, predicted "
            f"{_listed(predicted, scoring)}; expected {_needed(scoring.metrics, scoring)}"
        )
    if names is None:
        return there
    wanted = {name.partition("/")[0] for name in names}
    for name in sorted(wanted - {metric.name for metric in there}):
        raise MetricError(_why_not(name, scoring))
    return [metric for metric in there if metric.name.partition("/")[0] in wanted]


def families(metrics: Sequence[Metric | PerLabel], gold: Fields, systems: Sequence[Fields]) -> list[Family]:
    """Return the metrics with the rows of each system, grouped by the rows that they share.

    A metric of each label becomes one metric a label that stands in gold or in any system.
    """
    found = []
    read = [_read_once(metrics, columns) for columns in systems]
    for members in sharing(metrics):
        first = members[0]
        rows = [first.rows(gold[first.gold], columns[first.predicted]) for columns in read]
        labels = tuple(sorted({label for each in rows for label in each.labels}))
        aligned = tuple(each.with_labels(labels) if labels else each for each in rows)
        found.append(Family(expanded(members, labels), aligned))
    return found


def _read_once(metrics: Sequence[Metric | PerLabel], columns: Fields) -> Fields:
    """Return columns with the scores of labels as an array, which many families read."""
    if not any(metric.predicted == SCORES and metric.gold in ("label", "labels") for metric in metrics):
        return columns
    return {**columns, SCORES: label_scores(columns[SCORES])}


def sharing(metrics: Sequence[Metric | PerLabel]) -> list[list[Metric | PerLabel]]:
    """Return the metrics grouped by the rows that they share."""
    shared: dict[tuple[int, str, str], list[Metric | PerLabel]] = {}
    for metric in metrics:
        shared.setdefault((id(metric.rows), metric.gold, metric.predicted), []).append(metric)
    return list(shared.values())


def expanded(metrics: Sequence[Metric | PerLabel], labels: Sequence[str]) -> tuple[Metric, ...]:
    """Return scalar metrics: those of each label follow the others."""
    whole = [metric for metric in metrics if not isinstance(metric, PerLabel) and "/" not in metric.name]
    each: list[Metric] = [metric for metric in metrics if not isinstance(metric, PerLabel) and "/" in metric.name]
    for metric in metrics:
        if isinstance(metric, PerLabel):
            each.extend(metric.metrics(labels))
    return (*whole, *each)


def primary_metric(scoring: Scoring, there: Sequence[Metric | PerLabel], name: str | None = None) -> str:
    """Return the name of the metric that decides: the one asked for, else the task's first that applies."""
    names = {metric.name.partition("/")[0] for metric in there}
    if name is not None:
        if name.partition("/")[0] not in names:
            raise MetricError(_why_not(name, scoring))
        return name
    chosen = next((choice for choice in scoring.primary if choice in names), None)
    if chosen is None:
        raise MetricError(
            f"no metric reads gold and every system's predictions; expected {_needed(scoring.metrics, scoring)}"
        )
    return chosen


def _why_not(name: str, scoring: Scoring) -> str:
    asked = [metric for metric in scoring.metrics if metric.name == name.partition("/")[0]]
    if asked:
        return f"metric {name!r} cannot be computed: it needs {_needed(asked, scoring)}; add that, or ask for another"
    if any(metric.name == name for metric in scoring.sometimes):
        return f"metric {name!r} is not there for these labels and scores; see the page of its family, or leave it out"
    return f"unknown metric {name!r}; {nearest(name, {metric.name for metric in scoring.metrics})}"


def _needed(metrics: Sequence[Metric | PerLabel], scoring: Scoring) -> str:
    made = _made(scoring)
    pairs = dict.fromkeys((one.gold, one.predicted) for one in metrics if not made & {one.gold, one.predicted})
    pairs = pairs or dict.fromkeys((one.gold, one.predicted) for one in metrics)
    return " or ".join(f"`{gold}` in gold and `{predicted}` in predicted" for gold, predicted in pairs)


def _listed(fields: Fields, scoring: Scoring) -> str:
    return ", ".join(f"`{name}`" for name in fields if name not in _made(scoring)) or "nothing"


def _made(scoring: Scoring) -> set[str]:
    """Return the fields that no file has: they are made from others."""
    return {field.name for fields in (*scoring.gold, *scoring.predicted) for field in fields if field.derive}
