"""Paired comparisons of systems: every metric, every candidate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.intervals import Line, Mark, dots
from truetune.reports.sections.scores import difference_cells, tone
from truetune.reports.visible import one_line
from truetune.reports.words import Say

Json = Mapping[str, Any]


def comparisons_section(say: Say, comparison: Json) -> Section:
    """Return the table of all comparisons with their plot, the warnings, and how each was made."""
    ones = comparison["comparisons"]
    primary = comparison.get("primary")
    parts: list[Part] = [Paragraph(say["comparisons.lead"])]
    columns = (
        Column(say["column.metric"]),
        Column(say["column.candidate"]),
        Column(say["column.difference"], True),
        Column("p", True),
        Column(say["column.detectable"], True),
        Column(say["changes.part.gained"], True),
        Column(say["changes.part.lost"], True),
        Column(say["column.verdict"]),
    )
    rows = []
    for one in ones:
        difference, p, detectable, verdict = difference_cells(say, one)
        name = metric_name(one["metric"], say.language)
        rows.append(
            (
                Cell(name, one["metric"], css="primary" if one["metric"] == primary else ""),
                Cell(one_line(str(one["candidate"])), say["against"].format(baseline=one_line(str(one["baseline"])))),
                difference,
                p,
                detectable,
                Cell(numbers.count(one.get("gained"))),
                Cell(numbers.count(one.get("lost"))),
                verdict,
            )
        )
    parts.append(Table("comparisons", say["comparisons.caption"], columns, tuple(rows), ones))
    reasons = {one["reason"]: one["metric"] for one in ones if one.get("reason")}
    parts += [Paragraph(f"{metric}: {reason}", "note") for reason, metric in reasons.items()]
    parts += [Paragraph(text, "warning") for text in comparison.get("warnings") or ()]
    figure = _figure(say, comparison)
    parts += [figure] if figure else []
    parts.append(_signatures(say, comparison))
    return Section("comparisons", say["comparisons.title"], tuple(parts))


def _figure(say: Say, comparison: Json) -> Figure | None:
    """Return the differences of metrics that are shares, against zero."""
    several = len(comparison.get("systems") or ()) > 2
    lines = []
    for one in comparison["comparisons"]:
        if one["difference"] is None or abs(one["difference"]) > 1 or "/" in one["metric"]:
            continue
        name = metric_name(one["metric"], say.language)
        label = say["series"].format(role=one["candidate"], name=name) if several else name
        shown = numbers.signed(one["difference"])
        said = f"{shown} {numbers.interval(one['low'], one['high'], sign=True)}".strip()
        look = f"change {tone(one['verdict'])}"
        lines.append(Line(label, (Mark(one["difference"], one["low"], one["high"], look, shown, said),)))
    if not lines:
        return None
    title = say["comparisons.figure"]
    sentence = "; ".join(f"{line.label} {line.marks[0].said}" for line in lines)
    drawn = dots(lines, (title, sentence), say["head.figure.difference"], (), zero=True)
    return Figure(title, drawn, say["comparisons.figure.caption"])


def _signatures(say: Say, comparison: Json) -> Table:
    found = {(one["metric"], one.get("signature") or "") for one in comparison["comparisons"]}
    rows = tuple((Cell(metric, css="code"), Cell(signature)) for metric, signature in sorted(found))
    records = [{"metric": metric, "signature": signature} for metric, signature in sorted(found)]
    columns = (Column(say["column.metric"]), Column(say["column.signature"]))
    return Table("signatures", "", columns, rows, records, folded=say["scores.signatures"])
