"""Paired comparisons of systems on the same examples: is the candidate shown better?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from truetune import __version__
from truetune.errors import MetricError, nearest
from truetune.evaluation.doctor.examine import examined_systems, of_systems, told
from truetune.evaluation.evaluate import defined, within_reason
from truetune.evaluation.families import Family, applicable, expanded, families, primary_metric
from truetune.evaluation.slices import Part, sliced
from truetune.evaluation.support import few_groups, low_support, small_slices
from truetune.evaluation.tables import Aligned
from truetune.metric import Metric, PerLabel
from truetune.rows import Rows
from truetune.stats.adjust import benjamini_hochberg, bonferroni
from truetune.stats.paired import Paired, PairedTest, paired_jointly, together
from truetune.stats.plan import Plan
from truetune.stats.power import MarginTest, adjusted_margins, margin_test, verdict
from truetune.tasks.base import Task
from truetune.types import Comparison, Finding, Ints


@dataclass(frozen=True)
class Gate:
    """What must be shown, and how surely.

    `metric` decides (default: the task's primary one). Without a margin a candidate must be shown better, with one
    not worse by more than it. `plan` holds the level, the resamples and the seed. `earlier` is for how many other
    systems the test set was opened, as a ledger has it: the p-values from which verdicts come allow for that many
    comparisons beside this one, by Bonferroni's inequality (those of slices do not).
    """

    metric: str | None = None
    margin: float | None = None
    plan: Plan = field(default_factory=Plan)
    earlier: int = 0


@dataclass(frozen=True)
class ComparedSlice:
    """The metric that decides, on the examples that share one value of a column."""

    column: str
    value: str
    comparisons: tuple[Comparison, ...]
    """One a candidate; `p_adjusted` is over all slices and candidates."""
    warning: str = ""


@dataclass(frozen=True)
class ComparisonResult:
    """What `compare` found; `to_dict()` is the JSON of the command line."""

    systems: tuple[str, ...]
    primary: str
    comparisons: tuple[Comparison, ...]
    warnings: tuple[str, ...] = ()
    slices: tuple[ComparedSlice, ...] = ()
    findings: Mapping[str, tuple[Finding, ...]] = field(default_factory=dict)
    """What the doctor found, by system; what is no note stands among the warnings too."""
    looks: int = 0
    """For how many systems the test set was opened, where a ledger says so; else 0."""

    @property
    def passed(self) -> bool:
        """Whether some candidate is shown better (with a margin: not worse) in the metric that decides."""
        return bool(self.shown)

    @property
    def shown(self) -> tuple[str, ...]:
        """The candidates that are shown better (with a margin: not worse) in the metric that decides."""
        good = ("better", "not worse", "equivalent")
        return tuple(one.candidate for one in self.comparisons if one.metric == self.primary and one.verdict in good)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        found: dict[str, Any] = {
            "systems": list(self.systems),
            "primary": self.primary,
            "comparisons": [one.to_dict() for one in self.comparisons],
            "warnings": list(self.warnings),
            "findings": [
                {"system": name, **one.to_dict()} for name, several in self.findings.items() for one in several
            ],
        }
        if self.looks:
            found["looks"] = self.looks
        if self.slices:
            found["slices"] = [
                {
                    "column": part.column,
                    "value": part.value,
                    "comparisons": [one.to_dict() for one in part.comparisons],
                    "warning": part.warning or None,
                }
                for part in self.slices
            ]
        return found


@dataclass(frozen=True)
class _Tested:
    """One candidate against the baseline in one metric."""

    candidate: str
    metric: Metric
    found: Paired
    made: str
    """How its number was made."""


def compared(task: Task, table: Aligned, *, gate: Gate | None = None, slice_by: str | None = None) -> ComparisonResult:
    """Compare the first system of the table (the baseline) with each other one, example by example.

    The metric that decides is tested by itself, with several candidates adjusted over them; all other
    metrics, of all candidates, are adjusted together. Both by the step-down max-T method on joint swaps.
    `slice_by` compares the metric that decides also on each value of a column, adjusted by Benjamini and
    Hochberg's method. Scores of single labels are compared only when `gate.metric` asks for one.
    """
    gate = gate or Gate()
    plan = gate.plan
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
    found = [
        Family(
            tuple(metric for metric in family.metrics if metric.name in (primary, metric.name.partition("/")[0])),
            family.rows,
        )
        for family in families(chosen, table.gold, systems)
    ]
    tests = _tested(found, names, table.groups, plan)
    deciding = [test for test in tests if test.metric.name == primary]
    others = [test for test in tests if test.metric.name != primary]
    if not deciding:
        asked = [metric.name for metric in expanded(chosen, [])]
        raise MetricError(
            f"metric {primary!r} cannot be compared; name a label that occurs (f1/LABEL). {nearest(primary, asked)}"
        )
    parts = sliced(table, slice_by) if slice_by else []
    findings = examined_systems(task.name, table, task.tokenizer)
    return ComparisonResult(
        systems=names,
        primary=primary,
        comparisons=(*_decided(deciding, names[0], gate), *_adjusted(others, names[0], gate)),
        warnings=(
            *of_systems({name: _odd(task, table, name, told(findings[name])) for name in names}),
            *low_support([family.rows[0] for family in found]),
            *few_groups(0 if table.groups is None else int(table.groups.max(initial=-1)) + 1),
            *small_slices(slice_by or "", {part.value: part.warning for part in parts}),
        ),
        slices=tuple(_compared_slices(slice_by or "", parts, (found, names, primary), plan)),
        findings=findings,
    )


def _odd(task: Task, table: Aligned, name: str, found: Sequence[str]) -> tuple[str, ...]:
    """Return the warnings that `evaluate` gives of one system, in its order."""
    oddities = task.scoring.oddities
    return (*found, *table.warnings, *(oddities.of(table.gold, table.systems[name]) if oddities else ()))


def with_looks(result: ComparisonResult, looks: int, earlier: int) -> ComparisonResult:
    """Return a result that says for how many systems its test set was opened, and what that made of its p-values.

    `earlier` is that of the gate which the result was compared with.
    """
    told = [
        f"{one.candidate}: this test set was opened for {looks:,} systems: p of {one.metric}, {one.p_value:.4g}, is "
        f"{one.p_adjusted:.4g} over {earlier + 1:,} looks (Bonferroni), and the verdict comes from that"
        for one in result.comparisons
        if one.metric == result.primary and earlier
    ]
    return replace(result, looks=looks, warnings=(*result.warnings, *told))


def _tested(found: Sequence[Family], names: Sequence[str], groups: Ints | None, plan: Plan) -> list[_Tested]:
    """Return each metric of each candidate, tested with the same swaps, candidate by candidate."""
    tests, candidates = [], []
    for family in found:
        for candidate, rows in zip(names[1:], family.rows[1:], strict=True):
            for some, fitting in within_reason(family.metrics, rows, plan):
                tests.append(PairedTest(some, family.rows[0], rows, fitting))
                candidates.append(candidate)
    results = paired_jointly(tests, groups=groups, plan=plan) if tests else []
    number = None if groups is None else len(np.unique(groups))
    listed = [
        _Tested(candidate, metric, one, _made(metric, one, test.second, number))
        for candidate, test, several in zip(candidates, tests, results, strict=True)
        for metric, one in zip(test.metrics, several, strict=True)
    ]
    return sorted(listed, key=lambda test: names.index(test.candidate))


def _made(metric: Metric, found: Paired, rows: Rows, groups: int | None) -> str:
    """Return the test and the interval, and what the number is."""
    return "; ".join([found.method, *defined(metric, rows, groups), f"truetune {__version__}"])


def _together(tests: Sequence[_Tested], earlier: int) -> tuple[list[float], str]:
    """Return p-values adjusted over a family of tests and over as many earlier ones, and the name of the correction.

    A test alone has none.
    """
    p_values, said = [test.found.p_value for test in tests], []
    if len(tests) > 1:
        p_values, draws = together([test.found for test in tests])
        said.append(f"step-down max-T over {len(tests)} tests, {draws:,} joint swaps")
    if earlier:
        said.append(f"Bonferroni over {earlier + 1:,} looks at the test set")
    return bonferroni(p_values, earlier + 1), "; ".join(said)


def _decided(tests: Sequence[_Tested], baseline: str, gate: Gate) -> list[Comparison]:
    """Return the comparisons in the metric that decides; with a margin, its tests give the verdict."""
    margin, plan = gate.margin, gate.plan
    if margin is None:
        return _adjusted(tests, baseline, gate)
    each = [
        margin_test(
            test.found.difference,
            test.found.low,
            test.found.high,
            margin=margin,
            better=test.metric.better,
            plan=plan,
        )
        for test in tests
    ]
    p_values, correction = _together(tests, gate.earlier)
    if len(tests) > 1:
        correction = f"{correction}; margin: Holm over {len(tests)} candidates"
    return [
        _comparison(test, baseline, p, correction, within, plan)
        for test, p, within in zip(tests, p_values, adjusted_margins(each, gate.earlier + 1), strict=True)
    ]


def _adjusted(tests: Sequence[_Tested], baseline: str, gate: Gate) -> list[Comparison]:
    p_values, correction = _together(tests, gate.earlier)
    return [
        _comparison(test, baseline, p, correction, None, gate.plan) for test, p in zip(tests, p_values, strict=True)
    ]


def _compared_slices(
    column: str, parts: Sequence[Part], compared: tuple[Sequence[Family], Sequence[str], str], plan: Plan
) -> list[ComparedSlice]:
    """Return the metric that decides by slice, all slices and candidates adjusted together."""
    found, names, primary = compared
    deciding = [
        Family(tuple(metric for metric in family.metrics if metric.name == primary), family.rows)
        for family in found
        if any(metric.name == primary for metric in family.metrics)
    ]
    by_slice = []
    for part in parts:
        taken = [Family(one.metrics, tuple(rows.take(part.inside) for rows in one.rows)) for one in deciding]
        by_slice.append(_tested(taken, names, part.groups, plan))
    p_values = iter(benjamini_hochberg([test.found.p_value for tests in by_slice for test in tests]))
    correction = f"Benjamini-Hochberg over {sum(map(len, by_slice))} slices and candidates"
    slices = []
    for part, tests in zip(parts, by_slice, strict=True):
        comparisons = [_comparison(test, names[0], next(p_values), correction, None, plan) for test in tests]
        slices.append(ComparedSlice(column, part.value, tuple(comparisons), part.warning))
    return slices


def _comparison(
    test: _Tested, baseline: str, p_adjusted: float, correction: str, margin: MarginTest | None, plan: Plan
) -> Comparison:
    metric, found = test.metric, test.found
    return Comparison(
        metric=metric.name,
        baseline=baseline,
        candidate=test.candidate,
        difference=float(found.difference),
        low=float(found.low),
        high=float(found.high),
        p_value=float(found.p_value),
        p_adjusted=p_adjusted,
        detectable=float(found.detectable),
        gained=found.gained,
        lost=found.lost,
        verdict=verdict(found.difference, p_adjusted, better=metric.better, plan=plan, margin=margin),
        signature=test.made,
        reason=found.reason,
        correction=correction,
        p_margin=float("nan") if margin is None else margin.not_worse,
    )
