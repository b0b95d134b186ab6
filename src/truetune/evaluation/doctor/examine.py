"""All checks of the doctor on one system's predictions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

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


def examined(task: str, table: Aligned) -> tuple[Finding, ...]:
    """Return what makes the scores of a table's first system doubtful, the gravest first.

    Each check reads the columns that it needs and is silent where they are not there. Of fewer than `ENOUGH` examples
    nothing is said: a few rows show no tendency.
    """
    if len(table) < ENOUGH:
        return ()
    case = Case(task, table.ids, table.gold, table.predicted, table.others)
    found = [finding for check in CHECKS for finding in check(case)]
    return tuple(sorted(found, key=lambda one: WEIGHT[one.severity]))


def told(findings: Iterable[Finding]) -> tuple[str, ...]:
    """Return findings as warnings, one line each; notes are not."""
    return tuple(f"{one.check} ({one.count:,}): {one.advice}" for one in findings if one.severity != "note")
