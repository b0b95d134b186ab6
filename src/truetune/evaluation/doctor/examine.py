"""All checks of the doctor on one system's predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from truetune.evaluation.doctor.alignment import shift_findings
from truetune.evaluation.doctor.answers import answer_findings
from truetune.evaluation.doctor.case import ENOUGH, Case
from truetune.evaluation.doctor.directions import direction_findings
from truetune.evaluation.doctor.label_order import label_order_findings
from truetune.evaluation.doctor.label_scores import score_findings
from truetune.evaluation.doctor.outputs import output_findings
from truetune.evaluation.doctor.perfect import perfect_findings
from truetune.evaluation.doctor.placeholders import placeholder_findings
from truetune.evaluation.doctor.repeats import repeat_findings
from truetune.evaluation.doctor.span_places import span_findings, tag_findings
from truetune.evaluation.doctor.span_reach import reach_findings
from truetune.evaluation.doctor.span_units import unit_findings
from truetune.evaluation.doctor.thresholds import threshold_findings
from truetune.evaluation.families import Fields
from truetune.evaluation.tables import Aligned
from truetune.types import Finding

CHECKS: tuple[Callable[[Case], Iterator[Finding]], ...] = (
    placeholder_findings,
    label_order_findings,
    shift_findings,
    score_findings,
    direction_findings,
    threshold_findings,
    span_findings,
    unit_findings,
    reach_findings,
    tag_findings,
    answer_findings,
    output_findings,
    perfect_findings,
    repeat_findings,
)
WEIGHT = {"error": 0, "warning": 1, "note": 2}


def examined(task: str, table: Aligned, tokenizer: str = "") -> tuple[Finding, ...]:
    """Return what makes the scores of a table's first system doubtful, the gravest first."""
    return in_order([*table.findings, *found_in(_case(task, table, table.predicted, tokenizer))])


def examined_systems(task: str, table: Aligned, tokenizer: str = "") -> dict[str, tuple[Finding, ...]]:
    """Return the same for each system of a table."""
    return {
        name: in_order([*table.findings, *found_in(_case(task, table, said, tokenizer))])
        for name, said in table.systems.items()
    }


def found_in(case: Case) -> tuple[Finding, ...]:
    """Return what all checks find, the gravest first.

    Each check reads the columns that it needs and is silent where they are not there. Of fewer than `ENOUGH` examples
    nothing is said: a few rows show no tendency.
    """
    return in_order([finding for check in CHECKS for finding in check(case)]) if len(case) >= ENOUGH else ()


def _case(task: str, table: Aligned, predicted: Fields, tokenizer: str) -> Case:
    return Case(task, table.ids, table.gold, predicted, table.others, tokenizer)


def in_order(findings: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return findings with the gravest first."""
    return tuple(sorted(findings, key=lambda one: WEIGHT[one.severity]))


def of_systems(lines: Mapping[str, Sequence[str]]) -> tuple[str, ...]:
    """Return the warnings of several systems: what is told of all is told once, without a name."""
    shared = [line for line in next(iter(lines.values()), ()) if all(line in own for own in lines.values())]
    return (*shared, *(f"{name}: {line}" for name, own in lines.items() for line in own if line not in shared))


def told(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return findings as warnings, one line each; notes are not."""
    return tuple(f"{one.check} ({one.count:,}): {one.advice}" for one in findings if one.severity != "note")
