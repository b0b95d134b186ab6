"""Several training runs (seeds) of a recipe, scored on the same examples: what another run would score."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune import __version__
from truetune.errors import MetricError, nearest
from truetune.evaluation.api import named
from truetune.evaluation.families import Family, applicable, families
from truetune.evaluation.tables import Aligned, Source, aligned
from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats.plan import Plan
from truetune.stats.seeds import AcrossSeeds, across_seeds, seeds_difference
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.types import Ints

AFTER, BEFORE = "after", "before"


@dataclass(frozen=True, slots=True)
class SeedScore:
    """A metric over the runs of a recipe (of two: the difference of their means), for new runs and examples."""

    metric: str
    found: AcrossSeeds
    runs: tuple[float, ...]
    """The value of each run."""
    baseline_runs: tuple[float, ...]
    examples: int
    signature: str
    reason: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: undefined numbers are None."""
        numbers = {
            "value": self.found.value,
            "low": self.found.low,
            "high": self.found.high,
            "p_value": self.found.p_value,
            "seed_deviation": self.found.seed_deviation,
            "example_error": self.found.example_error,
        }
        return {
            "metric": self.metric,
            **{name: _number(value) for name, value in numbers.items()},
            "runs": [_number(value) for value in self.runs],
            "baseline_runs": [_number(value) for value in self.baseline_runs],
            "examples": self.examples,
            "signature": self.signature,
            "reason": self.reason or None,
        }


@dataclass(frozen=True)
class SeedsResult:
    """What `seeds` found; `to_dict()` is the JSON of the command line."""

    task: str
    examples: int
    runs: tuple[str, ...]
    baseline_runs: tuple[str, ...]
    scores: tuple[SeedScore, ...]

    def score(self, metric: str) -> SeedScore:
        """Return one metric's score; raises `MetricError` with the nearest names for an unknown one."""
        for score in self.scores:
            if score.metric == metric:
                return score
        raise MetricError(f"no score {metric!r}; {nearest(metric, (score.metric for score in self.scores))}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "task": self.task,
            "examples": self.examples,
            "runs": list(self.runs),
            "baseline_runs": list(self.baseline_runs),
            "scores": [score.to_dict() for score in self.scores],
        }


def seeds(
    *,
    task: str | Task,
    gold: Source,
    predicted: Sequence[Source] | Mapping[str, Source],
    baseline: Sequence[Source] | Mapping[str, Source] = (),
    group: str | Sequence[Any] | None = None,
    plan: Plan | None = None,
) -> SeedsResult:
    """Return every metric's mean over the runs of a recipe, with an interval for further runs and examples.

    `predicted` holds the predictions of two or more runs on the examples of `gold`, as `evaluate` takes them;
    with `baseline`, those of two or more runs of another recipe, the difference of the means is tested
    instead. The variance of runs and that of examples are told apart (`stats.seeds`). Scores of single
    labels are left out, and so are intervals of metrics for which none is known to cover.
    """
    known = task_named(task)
    sides = {AFTER: _named(predicted), BEFORE: _named(baseline)}
    systems = {f"{side}: {name}": source for side, runs in sides.items() for name, source in runs.items()}
    table = aligned(known.scoring, gold, systems, group)
    return over_seeds(known, table, len(sides[AFTER]), plan=plan)


def over_seeds(task: Task, table: Aligned, runs: int, *, plan: Plan | None = None) -> SeedsResult:
    """Return the scores of a table whose first `runs` systems are runs of one recipe, the others of its baseline."""
    number = len(table.systems)
    if runs < 2 or number - runs == 1:
        raise MetricError(
            f"{runs} runs and {number - runs} of a baseline were given; the spread between runs needs two of each"
        )
    systems = list(table.systems.values())
    there = [
        metric
        for metric in applicable(task.scoring, table.gold, systems[0])
        if all(metric.predicted in columns for columns in systems)
    ]
    scores = tuple(
        _score(metric, family, runs, table.groups, plan or Plan())
        for family in families(there, table.gold, systems)
        for metric in family.metrics
        if "/" not in metric.name
    )
    names = [name.partition(": ")[2] or name for name in table.systems]
    return SeedsResult(task.name, len(table), tuple(names[:runs]), tuple(names[runs:]), scores)


def _score(metric: Metric, family: Family, runs: int, groups: Ints | None, plan: Plan) -> SeedScore:
    first, second = family.rows[:runs], family.rows[runs:]
    values = [float(metric.value(rows)) for rows in family.rows]
    reason = "" if all(map(math.isfinite, values)) else metric.undefined
    if metric.interval == "none" and not reason:
        reason = f"no interval of {metric.name} is known to cover"
    found = _unknown(values, runs) if reason else _known(metric, first, second, groups, plan)
    what = "mean of runs" if not second else "mean of runs less that of the baseline's"
    signature = f"{what}; {metric.definition}; {plan.level:.0%} interval by {found.method}; truetune {__version__}"
    return SeedScore(
        metric.name, found, tuple(values[:runs]), tuple(values[runs:]), len(family.rows[0]), signature, reason
    )


def _known(
    metric: Metric, first: Sequence[Rows], second: Sequence[Rows], groups: Ints | None, plan: Plan
) -> AcrossSeeds:
    if second:
        return seeds_difference(metric, second, first, groups=groups, plan=plan)
    return across_seeds(metric, first, groups=groups, plan=plan)


def _unknown(values: Sequence[float], runs: int) -> AcrossSeeds:
    value = sum(values[:runs]) / runs
    if values[runs:]:
        value -= sum(values[runs:]) / len(values[runs:])
    nan = float("nan")
    return AcrossSeeds(value, nan, nan, nan, nan, nan, nan, "none")


def _named(sources: Sequence[Source] | Mapping[str, Source]) -> Mapping[str, Source]:
    return sources if isinstance(sources, Mapping) else named(sources)


def _number(value: float) -> float | None:
    return value if math.isfinite(value) else None
