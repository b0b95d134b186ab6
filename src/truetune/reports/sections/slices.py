"""Scores of parts of the examples: those that share one value of a column."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.intervals import Line, dots
from truetune.reports.sections.scores import difference_cells, mark, score_cell
from truetune.reports.visible import one_line
from truetune.reports.words import Say

METRICS = 4
DRAWN = 20


def compared_slices_section(say: Say, comparison: Mapping[str, Any]) -> Section | None:
    """Return the paired comparisons of each slice in the metric that decides; None without slices."""
    slices = comparison.get("slices")
    if not slices:
        return None
    metric = metric_name(str(comparison["primary"]), say.language)
    columns = (
        Column(str(slices[0]["column"])),
        Column(say["column.candidate"]),
        Column(say["column.difference"], True),
        Column("p", True),
        Column(say["column.detectable"], True),
        Column(say["column.verdict"]),
    )
    rows = tuple(
        (Cell(one_line(str(part["value"]))), Cell(one_line(str(one["candidate"]))), *difference_cells(say, one))
        for part in slices
        for one in part["comparisons"]
    )
    table = Table("compared-slices", say["slices.compared.table"].format(metric=metric), columns, rows, slices)
    return Section("slices", say["slices.title"], (Paragraph(say["slices.compared.lead"]), table))


def slices_section(say: Say, evaluation: Mapping[str, Any], primary: str) -> Section | None:
    """Return the main metric by slice, drawn, and a table with a few more; None without slices."""
    slices = evaluation.get("slices")
    if not slices:
        return None
    tested = any(part.get("against_rest") for part in slices)
    by_metric = [{score["metric"]: score for score in part["scores"]} for part in slices]
    metrics = [name for name in by_metric[0] if "/" not in name]
    metrics = [primary, *(name for name in metrics if name != primary)][:METRICS]
    columns = (
        Column(str(slices[0]["column"])),
        Column(say["column.examples"], True),
        *(Column(metric_name(name, say.language), True) for name in metrics),
        *([Column(say["slices.rest"], True, say["slices.rest.note"])] if tested else []),
    )
    rows, lines = [], []
    for part, scores in zip(slices, by_metric, strict=True):
        name = one_line(str(part["value"]))
        size = next((score["examples"] for score in part["scores"]), None)
        rows.append(
            (
                Cell(name),
                Cell(numbers.count(size)),
                *(score_cell(say, scores.get(metric)) for metric in metrics),
                *([_against_rest(say, part.get("against_rest"))] if tested else []),
            )
        )
        drawn = mark(say, scores.get(primary), "after", name)
        if drawn:
            lines.append(Line(name, (drawn,)))
    parts: list[Part] = [Paragraph(say["slices.lead"])]
    if lines:
        name = metric_name(primary, say.language)
        title = say["slices.figure"].format(metric=name)
        sentence = "; ".join(f"{line.label}: {line.marks[0].shown}" for line in lines[:DRAWN])
        caption = say["slices.caption"].format(shown=min(DRAWN, len(lines)), all=len(lines))
        parts.append(Figure(title, dots(lines[:DRAWN], (title, sentence), name, ()), caption))
    parts.append(Table("slices", say["slices.table"], columns, tuple(rows), slices))
    return Section("slices", say["slices.title"], tuple(parts))


def _against_rest(say: Say, found: Mapping[str, Any] | None) -> Cell:
    if found is None or found["difference"] is None:
        return Cell(numbers.NONE)
    bounds = numbers.interval(found["low"], found["high"], sign=True)
    p_value = say["p.adjusted"].format(p=numbers.p_value(found["p_adjusted"]))
    return Cell(numbers.signed(found["difference"]), f"{bounds} {p_value}".strip())
