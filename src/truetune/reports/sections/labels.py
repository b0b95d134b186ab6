"""Scores of single labels (or span types), the weak ones first."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.plots.intervals import Line, dots
from truetune.reports.run import System
from truetune.reports.sections.scores import mark, score_cell
from truetune.reports.visible import one_line
from truetune.reports.words import Say

DRAWN = 20
FOLDED = 25
"""More labels than this are folded away; the plot shows the weakest."""
MEASURES = ("precision", "recall", "f1")


def labels_section(say: Say, systems: Sequence[System], support: Mapping[str, int]) -> Section | None:
    """Return precision, recall and F1 of each label; None where no score is of a single label."""
    last = systems[-1]
    names = [
        score["metric"].partition("/")[2]
        for score in last.scores["scores"]
        if score["metric"].partition("/")[0] == "f1" and "/" in score["metric"]
    ]
    if not names:
        return None
    weak_first = sorted(names, key=lambda label: _value(last, f"f1/{label}"))
    drawn = weak_first[:DRAWN]
    parts: list[Part] = [Paragraph(say["labels.lead"])]
    if len(names) > DRAWN:
        parts.append(Paragraph(say["labels.weakest"].format(shown=len(drawn), all=numbers.count(len(names))), "note"))
    figure = _figure(say, systems, drawn)
    parts += [figure] if figure else []
    parts.append(_table(say, systems, weak_first, support))
    return Section("labels", say["labels.title"], tuple(parts))


def _value(system: System, metric: str) -> float:
    score = system.score(metric)
    return -1.0 if score is None or score["value"] is None else float(score["value"])


def _figure(say: Say, systems: Sequence[System], labels: Sequence[str]) -> Figure | None:
    lines = []
    for label in labels:
        drawn = [
            mark(say, system.score(f"f1/{label}"), system.role, say[f"column.{system.role}"]) for system in systems
        ]
        lines.append(Line(one_line(label), tuple(one for one in drawn if one)))
    if not any(line.marks for line in lines):
        return None
    series = [(system.role, say[f"column.{system.role}"]) for system in systems] if len(systems) > 1 else []
    described = (say["labels.figure"], say["labels.figure.desc"])
    return Figure(say["labels.figure"], dots(lines, described, "F1", series), say["labels.figure.caption"])


def _table(say: Say, systems: Sequence[System], labels: Sequence[str], support: Mapping[str, int]) -> Table:
    last, earlier = systems[-1], systems[:-1]
    columns = [Column(say["column.label"])]
    columns += [Column(say["column.support"], True)] if support else []
    columns += [Column(say[f"column.{measure}"], True) for measure in MEASURES]
    columns += [Column(say["column.f1.before"], True) for _ in earlier]
    rows, records = [], []
    for label in labels:
        scores: dict[str, Any] = {measure: last.score(f"{measure}/{label}") for measure in MEASURES}
        row = [Cell(one_line(label))]
        row += [Cell(numbers.count(support.get(label, 0)))] if support else []
        row += [score_cell(say, scores[measure]) for measure in MEASURES]
        row += [score_cell(say, system.score(f"f1/{label}")) for system in earlier]
        rows.append(tuple(row))
        before = {f"f1_{system.role}": system.score(f"f1/{label}") for system in earlier}
        records.append({"label": label, "support": support.get(label), **scores, **before})
    folded = say["labels.folded"].format(all=numbers.count(len(labels))) if len(labels) > FOLDED else ""
    return Table("labels", say["labels.caption"], tuple(columns), tuple(rows), records, folded)
