"""Whether a printed classification report can be true: its cells against each other, within rounding.

A report prints more numbers than it has freedom: every row comes from three whole counts (true positives,
predictions, support) and every average from the rows. So a report that was retyped, pieced together or made
up contradicts itself, and its own cells show where.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import nan
from typing import Any

from truetune.evaluation.report_accuracy import accuracy_findings, tokens_note
from truetune.evaluation.report_averages import (
    Classes,
    macro_findings,
    micro_findings,
    recall_findings,
    support_findings,
    weighted_findings,
)
from truetune.evaluation.report_cells import F1, PRECISION, RECALL, SUPPORT
from truetune.evaluation.report_counts import Counts, counts_of, loose_counts
from truetune.evaluation.report_findings import CellFinding
from truetune.evaluation.report_rows import contradiction, out_of_range
from truetune.evaluation.report_text import AccuracyRow, Report, Row, parse_reports
from truetune.evaluation.report_totals import Totals, totals_of

OLD_MACRO = (
    "line {line}: {row!r} holds the means weighted by support, as seqeval before 0.0.13 printed them under "
    "this name; it is not the macro average"
)


@dataclass(frozen=True, slots=True)
class ReportCheck:
    """What was found in the reports of a text."""

    reports: int
    """How many reports were checked."""
    findings: tuple[CellFinding, ...]
    """The cells that cannot be true beside the others, in the order of the text."""
    notes: tuple[str, ...]
    """What a reader should know although it is no contradiction."""

    @property
    def consistent(self) -> bool:
        """Whether no cell contradicts the others. A consistent report may still be false."""
        return not self.findings

    def to_dict(self) -> dict[str, Any]:
        """Return the check as JSON-ready values."""
        return {
            "consistent": self.consistent,
            "findings": [finding.to_dict() for finding in self.findings],
            "notes": list(self.notes),
            "reports": self.reports,
        }


def check_report(text: str, where: str = "report") -> ReportCheck:
    """Return which cells of the classification reports in `text` cannot be true within rounding.

    `text` is what scikit-learn's or seqeval's `classification_report` printed, with whatever stands around
    it; `where` names it in errors. A genuine report gives no finding, whatever its size, digits, labels,
    weights, and way of printing 0 / 0. `DataError` when the text holds no report, or a broken one.
    """
    findings: list[CellFinding] = []
    notes: list[str] = []
    reports = parse_reports(text, where)
    for report in reports:
        checked, noted = _checked(report)
        findings += checked
        notes += noted
    return ReportCheck(len(reports), tuple(findings), tuple(notes))


def _checked(report: Report) -> tuple[list[CellFinding], list[str]]:
    """Check a report under each way of printing 0 / 0, and return what is found under the kindest one."""
    rows = [*report.classes, *report.averages.values()]
    has_undefined = any(cell.undefined for row in rows for cell in row.shares.columns.values())
    tried = []
    for undefined in [nan] if has_undefined else [0.0, 1.0]:
        tried.append(_checked_with(report, undefined))
        if not tried[-1][0]:
            break
    return min(tried, key=lambda found: len(found[0]))


def _checked_with(report: Report, undefined: float) -> tuple[list[CellFinding], list[str]]:
    below: list[Row | AccuracyRow] = [*report.averages.values()]
    if report.accuracy is not None:
        below.append(report.accuracy)
    findings = [found for row in (*report.classes, *below) for found in out_of_range(row)]
    if not all(row.support.value >= 0 for row in report.classes):
        return findings, []
    whole = not report.weighted
    counts = []
    for row in report.classes:
        of_row, found = _row_counts(row, row.support.value, whole, undefined)
        counts.append(of_row)
        findings += found
    totals = totals_of(counts, report.support)
    classes = Classes(report.classes, tuple(counts), totals, report.weighted, undefined)
    for row_below in below:
        findings += support_findings(row_below, classes)
    notes = []
    averages = report.averages
    if micro := averages.get("micro avg"):
        findings += _row_counts(micro, totals.support, whole, undefined)[1]
        findings += micro_findings(micro, classes)
        if note := tokens_note(micro, classes):
            notes.append(note)
    if macro := averages.get("macro avg"):
        found = list(macro_findings(macro, classes))
        if found and _is_old_macro(report, macro, classes):
            notes.append(OLD_MACRO.format(line=macro.line, row=macro.name))
        else:
            findings += found
    if weighted := averages.get("weighted avg"):
        findings += list(weighted_findings(weighted, classes)) or _recall_findings(report, weighted, totals)
    if report.accuracy is not None:
        findings += accuracy_findings(report.accuracy, classes)
    return _one_a_cell(findings), notes


def _one_a_cell(findings: list[CellFinding]) -> list[CellFinding]:
    """Return the first finding of each cell, in the order of the text."""
    columns = (PRECISION, RECALL, F1, SUPPORT)
    cells: dict[tuple[int, int], CellFinding] = {}
    for found in findings:
        cells.setdefault((found.line, columns.index(found.column)), found)
    return [cells[place] for place in sorted(cells)]


def _row_counts(row: Row, support: float, whole: bool, undefined: float) -> tuple[Counts, list[CellFinding]]:
    """Return the counts behind a row, and what is found when there are none."""
    counts = counts_of(row.shares, support, whole, undefined)
    if counts is not None:
        return counts, []
    in_range = all(cell.is_share for cell in row.shares.columns.values())
    found = [contradiction(row, support, whole, undefined)] if in_range else []
    return loose_counts(row.shares, support), found


def _recall_findings(report: Report, weighted: Row, totals: Totals) -> list[CellFinding]:
    if totals.support <= 0:
        return []
    if report.accuracy is not None:
        return list(recall_findings(weighted, report.accuracy.accuracy, report.accuracy.name))
    micro = report.averages.get("micro avg")
    return list(recall_findings(weighted, micro.shares.recall, f"recall of {micro.name}")) if micro else []


def _is_old_macro(report: Report, row: Row, classes: Classes) -> bool:
    averages = report.averages
    if report.accuracy is not None or "micro avg" not in averages or "weighted avg" in averages:
        return False
    return not list(weighted_findings(row, classes))
