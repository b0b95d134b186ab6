"""Every system that was measured on the test part, on the metric that decides."""

from __future__ import annotations

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.intervals import Line, dots
from truetune.reports.run import AFTER, BEFORE, SavedRun, System
from truetune.reports.sections.scores import mark, score_cell
from truetune.reports.visible import one_line
from truetune.reports.words import Say


def baselines_section(say: Say, run: SavedRun) -> Section | None:
    """Return all baselines beside the fine-tuned model; None where the run has none."""
    if not run.baselines:
        return None
    systems = _ordered(run)
    metric = run.primary
    name = metric_name(metric, say.language)
    lines = []
    for role, system in systems:
        drawn = mark(say, system.score(metric), AFTER if role == AFTER else BEFORE, system.name)
        if drawn:
            lines.append(Line(_named(say, role, system), (drawn,)))
    rows = [
        (
            Cell(one_line(system.name)),
            Cell(say[f"column.{role}"] if role else ""),
            score_cell(say, system.score(metric)),
        )
        for role, system in systems
    ]
    columns = (Column(say["column.system"]), Column(say["column.role"]), Column(name, True))
    records = [{"system": system.name, "role": role or None, metric: system.score(metric)} for role, system in systems]
    table = Table("baselines", say["baselines.caption"], columns, tuple(rows), records)
    lead = Paragraph(say["baselines.lead"])
    if not lines:
        return Section("baselines", say["baselines.title"], (lead, table))
    described = (
        say["baselines.figure"].format(metric=name),
        "; ".join(f"{line.label}: {numbers.number(line.marks[0].value)}" for line in lines),
    )
    figure = Figure(described[0], dots(lines, described, name, ()), say["baselines.figure.caption"])
    return Section("baselines", say["baselines.title"], (lead, figure, table))


def _ordered(run: SavedRun) -> list[tuple[str, System]]:
    """Return (role, system) from the weakest baseline to the fine-tuned model; `before` is one of them."""
    before = run.before.name if run.before else None
    systems = [(BEFORE if system.name == before else "", system) for system in run.baselines]
    if run.before and all(role != BEFORE for role, _ in systems):
        systems.append((BEFORE, run.before))
    systems.sort(key=lambda pair: _value(pair[1], run.primary))
    return [*systems, (AFTER, run.after)] if run.after else systems


def _value(system: System, metric: str) -> float:
    score = system.score(metric)
    return -1.0 if score is None or score["value"] is None else float(score["value"])


def _named(say: Say, role: str, system: System) -> str:
    return say["series"].format(role=say[f"column.{role}"], name=system.name) if role else system.name
