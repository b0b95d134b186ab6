"""Probes of a pretraining: what its checkpoints score on a task when each is fine-tuned."""

from __future__ import annotations

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.intervals import Line, dots
from truetune.reports.run import AFTER, BEFORE, SavedRun
from truetune.reports.sections.scores import difference_cells, mark, score_cell
from truetune.reports.words import Say


def probes_section(say: Say, run: SavedRun) -> Section | None:
    """Return the score of each probe and its difference from the start; None of a run that has none."""
    if run.probes is None:
        return None
    name, found = metric_name(run.probes["metric"], say.language), run.probes["probes"]
    lines, rows = [], []
    for one in found:
        step = numbers.count(one["step"])
        label = say["probes.shipped" if one["shipped"] else "probes.step"].format(step=step)
        drawn = mark(say, one["score"], AFTER if one["shipped"] else BEFORE, label)
        lines += [Line(label, (drawn,))] if drawn else []
        rows.append((Cell(label), score_cell(say, one["score"]), *difference_cells(say, one["against_start"])))
    columns = (
        Column(say["probes.model"]),
        Column(name, True),
        Column(say["column.difference"], True),
        Column("p", True),
        Column(say["column.detectable"], True),
        Column(say["column.verdict"]),
    )
    lead = Paragraph(say["probes.lead"].format(task=say.name("task", run.probes["task"])))
    table = Table("probes", say["probes.caption"], columns, tuple(rows), found)
    if not lines:
        return Section("probes", say["probes.title"], (lead, table))
    described = (say["probes.figure"].format(metric=name), "; ".join(line.marks[0].said for line in lines))
    figure = Figure(described[0], dots(lines, described, name, ()), say["probes.figure.caption"])
    return Section("probes", say["probes.title"], (lead, figure, table))
