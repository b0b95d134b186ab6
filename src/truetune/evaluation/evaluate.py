"""Scores of a system's predictions: every number with its interval and how it was made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune import __version__
from truetune.errors import MetricError, nearest
from truetune.evaluation.families import Family, applicable, families, primary_metric
from truetune.evaluation.tables import Aligned
from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats.intervals import intervals
from truetune.stats.plan import Plan
from truetune.tasks.base import Task
from truetune.types import Interval, Score

LOW_SUPPORT = 10
"""Below this many gold examples a label's scores, and macro averages over it, are not to be relied on:
simulated coverage of 95 % intervals falls to about one half (see the documentation of the statistics)."""


MOST_WORK = 2_000_000_000
FEWEST = 500
"""Resamples of a pooled metric times the numbers in its rows, at most; but never fewer than so many resamples."""


@dataclass(frozen=True)
class Slice:
    """The scores of the examples that share one value of a column."""

    column: str
    value: str
    scores: tuple[Score, ...]


@dataclass(frozen=True)
class EvaluationResult:
    """What `evaluate` found; `to_dict()` is the JSON of the command line."""

    task: str
    examples: int
    primary: str
    scores: tuple[Score, ...]
    warnings: tuple[str, ...] = ()
    slices: tuple[Slice, ...] = ()

    def score(self, metric: str) -> Score:
        """Return one metric's score; raises `MetricError` with the nearest names for an unknown one."""
        for score in self.scores:
            if score.metric == metric:
                return score
        raise MetricError(f"no score {metric!r}; {nearest(metric, (score.metric for score in self.scores))}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        found: dict[str, Any] = {
            "task": self.task,
            "examples": self.examples,
            "primary": self.primary,
            "scores": [score.to_dict() for score in self.scores],
            "warnings": list(self.warnings),
        }
        if self.slices:
            found["slices"] = [
                {
                    "column": part.column,
                    "value": part.value,
                    "scores": [score.to_dict() for score in part.scores],
                }
                for part in self.slices
            ]
        return found


def evaluated(
    task: Task,
    table: Aligned,
    *,
    names: Sequence[str] | None = None,
    slice_by: str | None = None,
    plan: Plan | None = None,
) -> EvaluationResult:
    """Score aligned gold and predictions in every metric that applies, or in those that `names` asks for."""
    plan = plan or Plan()
    metrics = applicable(task.scoring, table.gold, table.predicted, names)
    found = families(metrics, table.gold, [table.predicted])
    primary = primary_metric(task.scoring, metrics) if names is None else names[0]
    odd = task.scoring.oddities.of(table.gold, table.predicted) if task.scoring.oddities else ()
    return EvaluationResult(
        task=task.name,
        examples=len(table),
        primary=primary,
        scores=scores(found, table.groups, plan, names),
        warnings=(*table.warnings, *odd, *_low_support(found), *_few_groups(table)),
        slices=tuple(_slices(table, slice_by, found, plan)) if slice_by else (),
    )


def scores(
    found: Sequence[Family],
    groups: np.ndarray[Any, np.dtype[np.int64]] | None,
    plan: Plan,
    names: Sequence[str] | None = None,
) -> tuple[Score, ...]:
    """Return the score of every metric of the families; `names` keeps only what was asked for."""
    unit_count = None if groups is None else int(groups.max(initial=-1)) + 1
    result = []
    for family in found:
        (rows,) = family.rows
        metrics = [metric for metric in family.metrics if _wanted(metric.name, names)]
        for some, fitting in within_reason(metrics, rows, plan):
            bounds = intervals(some, rows, groups=groups, plan=fitting)
            result += [
                _score(metric, rows, interval, fitting, unit_count)
                for metric, interval in zip(some, bounds, strict=True)
            ]
    return tuple(result)


def within_reason(metrics: Sequence[Metric], rows: Rows, plan: Plan) -> list[tuple[list[Metric], Plan]]:
    """Return metrics with the plan that each can afford: a pooled metric sees all examples in every resample.

    Of many examples and labels it gets fewer resamples, and its signature says how many.
    """
    cost = rows.table.size
    fewer = min(plan.resamples, max(FEWEST, MOST_WORK // max(cost, 1)))
    pooled = [metric for metric in metrics if not metric.additive]
    summed = [metric for metric in metrics if metric.additive]
    parts = [(summed, plan), (pooled, Plan(plan.level, fewer, plan.seed))]
    return [(some, fitting) for some, fitting in parts if some]


def _score(metric: Metric, rows: Rows, interval: Interval, plan: Plan, groups: int | None) -> Score:
    value = float(metric.value(rows))
    return Score(
        metric=metric.name,
        value=value,
        low=interval.low,
        high=interval.high,
        examples=len(rows),
        unit=metric.unit,
        signature=signature(metric, rows, interval.method, plan, groups),
        reason=interval.reason if np.isfinite(value) else metric.undefined,
    )


def signature(metric: Metric, rows: Rows, method: str, plan: Plan, groups: int | None) -> str:
    """Return how a number was made, in one line: definition, labels, unit, interval, version."""
    parts = [metric.definition]
    if rows.note:
        parts.append(rows.note)
    if rows.labels and "/" not in metric.name:
        parts.append(f"labels {', '.join(rows.labels)}")
    parts.append(f"unit {metric.unit}" + (f" in {groups:,} groups" if groups is not None else ""))
    if method:
        parts.append(f"{plan.level:.0%} interval by {method}")
    parts.append(f"truetune {__version__}")
    return "; ".join(parts)


def _wanted(name: str, names: Sequence[str] | None) -> bool:
    return names is None or name in names or name.partition("/")[0] in names


def _low_support(found: Sequence[Family]) -> list[str]:
    """Warn of labels with too little gold; the second statistic of rows by label is the gold count."""
    low: dict[str, int] = {}
    for family in found:
        (rows,) = family.rows
        if rows.labels:
            gold = zip(rows.labels, rows.totals()[1], strict=True)
            low.update((label, int(count)) for label, count in gold if count < LOW_SUPPORT)
    if not low:
        return []
    shown = ", ".join(f"{label} ({count})" for label, count in sorted(low.items())[:10])
    more = f" and {len(low) - 10} more" if len(low) > 10 else ""
    return [
        f"fewer than {LOW_SUPPORT} gold examples of {shown}{more}: their scores and macro averages are "
        "unreliable, and their intervals cover less often than they say"
    ]


def _few_groups(table: Aligned) -> list[str]:
    number = 0 if table.groups is None else int(table.groups.max(initial=-1)) + 1
    if table.groups is None or number >= 50:
        return []
    return [f"only {number} groups: intervals and tests by group need about 50 to hold what they promise"]


def _slices(table: Aligned, column: str, found: Sequence[Family], plan: Plan) -> list[Slice]:
    values = np.asarray(table.column(column))
    parts = []
    for value in sorted(set(values.tolist())):
        inside = np.flatnonzero(values == value)
        groups = None if table.groups is None else np.unique(table.groups[inside], return_inverse=True)[1]
        taken = [Family(family.metrics, tuple(rows.take(inside) for rows in family.rows)) for family in found]
        parts.append(Slice(column, value, scores(taken, groups, plan)))
    return parts
