"""Paired comparisons of systems: every metric, every candidate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import LOWER, metric_name
from truetune.reports.phrases import in_language
from truetune.reports.plots.intervals import Line, Mark, dots
from truetune.reports.sections.scores import difference_cells, tone
from truetune.reports.visible import one_line
from truetune.reports.words import Say

Json = Mapping[str, Any]

SAME = ("candidate", "difference", "low", "high", "p_value", "gained", "lost")
"""Comparisons that agree in all of these are the same numbers under several names."""


def comparisons_section(say: Say, comparison: Json) -> Section:
    """Return the table of all comparisons with their plot, the warnings, and how each was made."""
    ones, repeated = _without_repeats(comparison["comparisons"])
    several = len(comparison.get("systems") or ()) != 2
    columns = [Column(say["column.metric"])]
    columns += [Column(say["column.candidate"])] if several else []
    columns += [Column(say["column.difference"], True), Column("p", True), Column(say["column.detectable"], True)]
    columns += [Column(say["changes.part.gained"], True), Column(say["changes.part.lost"], True)]
    columns += [Column(say["column.verdict"])]
    rows = tuple(_row(say, one, several, comparison.get("primary")) for one in ones)
    parts: list[Part] = [Paragraph(say["comparisons.lead"])]
    parts.append(Table("comparisons", say["comparisons.caption"], tuple(columns), rows, comparison["comparisons"]))
    if repeated:
        names = "; ".join(f"{', '.join(dict.fromkeys(same))} = {kept}" for kept, same in repeated.items())
        parts.append(Paragraph(say["scores.repeated"].format(names=names), "note"))
    reasons = {one["reason"]: one["metric"] for one in ones if one.get("reason")}
    parts += [Paragraph(f"{metric}: {in_language(reason, say.language)}", "note") for reason, metric in reasons.items()]
    parts += [Paragraph(in_language(text, say.language), "warning") for text in comparison.get("warnings") or ()]
    figure = _figure(say, ones, several)
    parts += [figure] if figure else []
    parts.append(_signatures(say, comparison))
    return Section("comparisons", say["comparisons.title"], tuple(parts))


def _without_repeats(ones: Sequence[Json]) -> tuple[list[Json], dict[str, list[str]]]:
    """Return the comparisons to show, and by metric which others are the very same numbers."""
    first: dict[tuple[object, ...], str] = {}
    shown, repeated = [], dict[str, list[str]]()
    for one in ones:
        key = tuple(one.get(name) for name in SAME)
        if one["low"] is not None and key in first:
            repeated.setdefault(first[key], []).append(one["metric"])
        else:
            first[key] = one["metric"]
            shown.append(one)
    return shown, repeated


def _row(say: Say, one: Json, several: bool, primary: object) -> tuple[Cell, ...]:
    name = metric_name(one["metric"], say.language)
    return (
        Cell(name, one["metric"], css="primary" if one["metric"] == primary else ""),
        *([Cell(one_line(str(one["candidate"])))] if several else []),
        *difference_cells(say, one)[:3],
        Cell(numbers.count(one.get("gained"))),
        Cell(numbers.count(one.get("lost"))),
        difference_cells(say, one)[3],
    )


def _figure(say: Say, ones: Sequence[Json], several: bool) -> Figure | None:
    """Return the differences of metrics that are shares and better when higher, against zero."""
    lines = []
    for one in ones:
        if one["difference"] is None or abs(one["difference"]) > 1 or one["metric"] in LOWER:
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
    rows = tuple(
        (Cell(metric, css="code"), Cell(in_language(signature, say.language))) for metric, signature in sorted(found)
    )
    records = [{"metric": metric, "signature": signature} for metric, signature in sorted(found)]
    columns = (Column(say["column.metric"]), Column(say["column.signature"]))
    return Table("signatures", "", columns, rows, records, folded=say["scores.signatures"])
