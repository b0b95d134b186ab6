"""Scores of a system's predictions: every number with its interval and how it was made."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from truetune import __version__
from truetune.errors import MetricError, nearest
from truetune.evaluation.cells import Cells, cells_of
from truetune.evaluation.doctor.examine import examined, told
from truetune.evaluation.families import Family, applicable, families, primary_metric
from truetune.evaluation.slice_tests import Difference, Parts, against_rest
from truetune.evaluation.support import few_groups, low_support, small_slices, too_small
from truetune.evaluation.tables import Aligned
from truetune.evaluation.tally import Tally
from truetune.metric import Additive, Metric
from truetune.metrics.probability import LOG_LOSS_METRIC, impossible_gold
from truetune.rows import Rows
from truetune.stats.adjust import benjamini_hochberg
from truetune.stats.intervals import intervals
from truetune.stats.plan import Plan
from truetune.stats.resampling import values
from truetune.tasks.base import Task
from truetune.types import Finding, Interval, Ints, Score

MOST_WORK = 1_000_000_000
FEWEST = 1_000
"""Resamples of a pooled metric times the numbers in its rows, at most; but never fewer than so many resamples."""


@dataclass(frozen=True)
class Slice:
    """The scores of the examples that share one value of a column."""

    column: str
    value: str
    scores: tuple[Score, ...]
    warning: str = ""
    """Why the slice says little; empty where it is large enough to measure."""
    against_rest: Difference | None = None
    """How the metric that decides differs from that of all other examples; None for a metric that is no mean or
    ratio, and where there are no others."""
    p_adjusted: float = float("nan")
    """Of that difference, over all slices (Benjamini-Hochberg)."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        rest = None
        if self.against_rest is not None:
            found = {**asdict(self.against_rest), "p_adjusted": self.p_adjusted}
            rest = {name: value if np.isfinite(value) else None for name, value in found.items()}
        return {
            "column": self.column,
            "value": self.value,
            "scores": [score.to_dict() for score in self.scores],
            "warning": self.warning or None,
            "against_rest": rest,
        }


@dataclass(frozen=True)
class EvaluationResult:
    """What `evaluate` found; `to_dict()` is the JSON of the command line."""

    task: str
    examples: int
    primary: str
    scores: tuple[Score, ...]
    warnings: tuple[str, ...] = ()
    slices: tuple[Slice, ...] = ()
    findings: tuple[Finding, ...] = ()
    """What the doctor found; those that are no notes stand among the warnings too."""

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
            "findings": [one.to_dict() for one in self.findings],
        }
        if self.slices:
            found["slices"] = [part.to_dict() for part in self.slices]
        return found


@dataclass(frozen=True)
class Asked:
    """What is wanted of an evaluation: some metrics or all that apply, slices by a column, the settings."""

    names: Sequence[str] | None = None
    slice_by: str | None = None
    plan: Plan = field(default_factory=Plan)
    primary: str | None = None
    """The metric that decides; None for the first of `names`, else the task's."""


@dataclass(frozen=True)
class Counted:
    """Metrics that read the same rows, and one row and one cell an example, in the order of `Tally.examples`."""

    metrics: tuple[Metric, ...]
    rows: Rows
    cells: Ints

    def groups(self, cells: Cells) -> Ints | None:
        """Return the group of each example."""
        return None if cells.groups is None else cells.groups[self.cells]


def evaluated(
    task: Task,
    table: Aligned,
    *,
    names: Sequence[str] | None = None,
    slice_by: str | None = None,
    plan: Plan | None = None,
    primary: str | None = None,
) -> EvaluationResult:
    """Score aligned gold and predictions in every metric that applies, or in those that `names` asks for.

    The order of the examples changes nothing, to the last digit. `primary` names the metric that decides, if it is
    another than the first of `names`, or the task's.
    """
    rated = _together(task, table, names, plan or Plan())
    if names is not None and rated:
        names = [name for name in names if not any(name in (one.metric, _family(one.metric)) for one in rated)]
        if not names:
            return EvaluationResult(task.name, len(table), rated[0].metric, rated, table.warnings)
    asked = Asked(names, slice_by, plan or Plan(), primary)
    metrics = applicable(task.scoring, table.gold, table.predicted, names)
    cells, cell_of = cells_of(table, slice_by)
    found = [
        Counted(family.metrics, *Tally.of(family.rows[0], cell_of).examples())
        for family in families(metrics, table.gold, [table.predicted])
    ]
    odd = task.scoring.oddities.of(table.gold, table.predicted) if task.scoring.oddities else ()
    findings = examined(task.name, table, task.tokenizer)
    result = result_of(task, found, cells, asked, (*told(findings), *table.warnings, *odd))
    return replace(result, scores=(*rated, *result.scores), findings=findings)


def _together(task: Task, table: Aligned, names: Sequence[str] | None, plan: Plan) -> tuple[Score, ...]:
    """Return those of the scores which the task finds together that are asked for."""
    together = task.scoring.together
    if together is None or (names is not None and not any(_family(name) in together.about for name in names)):
        return ()
    every = together.scores(table.gold, table.predicted, table.groups, plan)
    return tuple(score for score in every if _wanted(score.metric, names))


def _family(name: str) -> str:
    """Return the name of a metric without its label."""
    return name.partition("/")[0]


def result_of(
    task: Task, found: Sequence[Counted], cells: Cells, asked: Asked, warnings: Sequence[str]
) -> EvaluationResult:
    """Return the scores of what was counted; `warnings` open the list of what is odd."""
    metrics = [metric for family in found for metric in family.metrics]
    primary = primary_metric(task.scoring, metrics, asked.primary or next(iter(asked.names or ()), None))
    slices = adjusted(list(_slices(found, cells, asked, primary)))
    small = small_slices(asked.slice_by or "", {part.value: part.warning for part in slices})
    return EvaluationResult(
        task=task.name,
        examples=len(found[0].rows),
        primary=primary,
        scores=scores_of(found, cells, asked),
        warnings=(
            *warnings,
            *(impossible_gold(family.rows) for family in found if _loses(family)),
            *low_support([family.rows for family in found]),
            *few_groups(cells.number_of_groups),
            *small,
        ),
        slices=slices,
    )


def _loses(family: Counted) -> bool:
    """Return whether the log loss of some examples is infinite."""
    return LOG_LOSS_METRIC in family.metrics and bool(impossible_gold(family.rows))


def scores(found: Sequence[Family], groups: Ints | None, plan: Plan) -> tuple[Score, ...]:
    """Return the score of every metric of families with the rows of one system; `groups` `[examples]` or None."""
    counted = [Counted(family.metrics, *Tally.of(family.rows[0], groups).examples()) for family in found]
    cells = Cells(None if groups is None else np.arange(groups.max(initial=-1) + 1))
    return scores_of(counted, cells, Asked(plan=plan))


def scores_of(found: Sequence[Counted], cells: Cells, asked: Asked) -> tuple[Score, ...]:
    """Return the score of every metric that was counted and asked for."""
    result = []
    for family in found:
        groups = family.groups(cells)
        number = None if groups is None else len(np.unique(groups))
        metrics = [metric for metric in family.metrics if _wanted(metric.name, asked.names)]
        for some, fitting in within_reason(metrics, family.rows, asked.plan):
            bounds = intervals(some, family.rows, groups=groups, plan=fitting)
            result += [
                _score(
                    metric,
                    value,
                    interval,
                    family.rows,
                    signature(metric, family.rows, interval.method, fitting, number),
                )
                for metric, value, interval in zip(some, values(some, family.rows), bounds, strict=True)
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


def _score(metric: Metric, value: float, interval: Interval, rows: Rows, made: str) -> Score:
    return Score(
        metric=metric.name,
        value=value,
        low=float(interval.low),
        high=float(interval.high),
        examples=len(rows),
        unit=metric.unit,
        signature=made,
        reason=interval.reason if np.isfinite(value) else metric.undefined,
    )


def signature(metric: Metric, rows: Rows, method: str, plan: Plan, groups: int | None) -> str:
    """Return how a number was made, in one line: definition, labels, unit, interval, version."""
    parts = defined(metric, rows, groups)
    if method:
        parts.append(f"{plan.level:.0%} interval by {method}")
    parts.append(f"truetune {__version__}")
    return "; ".join(parts)


def defined(metric: Metric, rows: Rows, groups: int | None) -> list[str]:
    """Return what a number is: definition, tokeniser or rules, labels, unit."""
    parts = [metric.definition]
    if rows.note:
        parts.append(rows.note)
    if rows.labels and "/" not in metric.name:
        parts.append(f"labels {', '.join(rows.labels)}")
    return [*parts, f"unit {metric.unit}" + (f" in {groups:,} groups" if groups is not None else "")]


def _wanted(name: str, names: Sequence[str] | None) -> bool:
    return names is None or name in names or name.partition("/")[0] in names


def adjusted(slices: Sequence[Slice]) -> tuple[Slice, ...]:
    """Return slices whose differences from the rest are corrected for there being several."""
    tests = [part.against_rest for part in slices]
    p_values = benjamini_hochberg([float("nan") if one is None else one.p_value for one in tests])
    return tuple(replace(part, p_adjusted=p_value) for part, p_value in zip(slices, p_values, strict=True))


def _parts(found: Sequence[Counted], cells: Cells, primary: str) -> tuple[Counted, Parts] | None:
    """Return each example's part in the metric that decides; None where that is no mean or ratio of sums."""
    for family in found:
        for metric in family.metrics:
            if metric.name == primary and isinstance(metric, Additive) and metric.ratio is not None:
                above, below = (np.asarray(one, dtype=np.float64) for one in metric.ratio(family.rows.table))
                index = family.rows.index
                return family, Parts(above[index], below[index], family.groups(cells))
    return None


def _slices(found: Sequence[Counted], cells: Cells, asked: Asked, primary: str) -> Iterator[Slice]:
    if cells.slices is None or asked.slice_by is None:
        return
    parts = _parts(found, cells, primary)
    for value in sorted(set(cells.slices)):
        of_value = np.array([one == value for one in cells.slices])
        taken = []
        for family in found:
            inside = of_value[family.cells]
            taken.append(Counted(family.metrics, family.rows.take(inside), family.cells[inside]))
        groups = taken[0].groups(cells)
        number = None if groups is None else len(np.unique(groups))
        warning = too_small(len(taken[0].rows), number)
        rest = None
        if parts is not None and not (whole := of_value[parts[0].cells]).all():
            rest = against_rest(parts[1], whole, asked.plan.level)
        yield Slice(asked.slice_by, value, scores_of(taken, cells, asked), warning, rest)
