"""Paired comparisons of systems on the same examples: is the candidate shown better?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from truetune import __version__
from truetune.errors import MetricError, nearest
from truetune.evaluation.evaluate import within_reason
from truetune.evaluation.families import applicable, expanded, families, primary_metric
from truetune.evaluation.tables import Aligned
from truetune.metric import Metric, PerLabel
from truetune.stats.adjust import holm
from truetune.stats.paired import Paired, paired
from truetune.stats.plan import Plan
from truetune.stats.power import margin_test, verdict
from truetune.tasks.base import Task
from truetune.types import Comparison


@dataclass(frozen=True)
class Gate:
    """What must be shown: which metric decides (default: the task's primary one), and within which margin."""

    metric: str | None = None
    margin: float | None = None


@dataclass(frozen=True)
class ComparisonResult:
    """What `compare` found; `to_dict()` is the JSON of the command line."""

    systems: tuple[str, ...]
    primary: str
    comparisons: tuple[Comparison, ...]
    warnings: tuple[str, ...] = ()

    @property
    def passed(self) -> bool:
        """Whether some candidate is shown better (with a margin: not worse) in the metric that decides."""
        good = ("better", "not worse", "equivalent")
        return any(one.metric == self.primary and one.verdict in good for one in self.comparisons)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "systems": list(self.systems),
            "primary": self.primary,
            "comparisons": [one.to_dict() for one in self.comparisons],
            "warnings": list(self.warnings),
        }


def compared(task: Task, table: Aligned, *, gate: Gate | None = None, plan: Plan | None = None) -> ComparisonResult:
    """Compare the first system of the table (the baseline) with each other one, example by example.

    The metric that decides is tested unadjusted (with several
    candidates: Holm over the candidates); all other metrics are adjusted together by Holm's method. Scores
    of single labels are compared only when `gate.metric` asks for one.
    """
    plan, gate = plan or Plan(), gate or Gate()
    names, systems = tuple(table.systems), list(table.systems.values())
    there = [
        metric
        for metric in applicable(task.scoring, table.gold, systems[0])
        if all(metric.predicted in columns for columns in systems)
    ]
    primary = primary_metric(task.scoring, there, gate.metric)
    chosen = [
        metric for metric in there if not isinstance(metric, PerLabel) or metric.name == primary.partition("/")[0]
    ]
    tests: list[tuple[str, Metric, Paired]] = []
    for family in families(chosen, table.gold, systems):
        for candidate, rows in zip(names[1:], family.rows[1:], strict=True):
            metrics = [metric for metric in family.metrics if "/" not in metric.name or metric.name == primary]
            for some, fitting in within_reason(metrics, rows, plan):
                results = paired(some, family.rows[0], rows, groups=table.groups, plan=fitting)
                tests += [(candidate, metric, one) for metric, one in zip(some, results, strict=True)]
    tests.sort(key=lambda test: (test[1].name != primary, names.index(test[0])))
    if all(metric.name != primary for _, metric, _ in tests):
        asked = [metric.name for metric in expanded(chosen, [])]
        raise MetricError(
            f"metric {primary!r} cannot be compared; name a label that occurs (f1/LABEL). {nearest(primary, asked)}"
        )
    deciding = holm([test.p_value for _, metric, test in tests if metric.name == primary])
    others = holm([test.p_value for _, metric, test in tests if metric.name != primary])
    comparisons = tuple(
        _comparison((names[0], candidate), metric, test, p, gate.margin if metric.name == primary else None, plan)
        for (candidate, metric, test), p in zip(tests, (*deciding, *others), strict=True)
    )
    return ComparisonResult(names, primary, comparisons)


def _comparison(
    names: tuple[str, str], metric: Metric, test: Paired, p_adjusted: float, margin: float | None, plan: Plan
) -> Comparison:
    within = None
    if margin is not None:
        within = margin_test(test.difference, test.low, test.high, margin=margin, better=metric.better, plan=plan)
    return Comparison(
        metric=metric.name,
        baseline=names[0],
        candidate=names[1],
        difference=test.difference,
        low=test.low,
        high=test.high,
        p_value=test.p_value,
        p_adjusted=p_adjusted,
        detectable=test.detectable,
        gained=test.gained,
        lost=test.lost,
        verdict=verdict(test.difference, p_adjusted, better=metric.better, plan=plan, margin=within),
        signature=f"{test.method}; {metric.definition}; truetune {__version__}",
        reason=test.reason,
    )
