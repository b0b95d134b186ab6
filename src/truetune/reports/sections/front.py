"""What the trials of a search cost beside what they score, where costs count."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.axes import around
from truetune.reports.plots.rail import number_rail
from truetune.reports.plots.slices import Dot, Panel, slices
from truetune.reports.sections.search import changes_text, score_of, verdict_of
from truetune.reports.words import Say

Json = Mapping[str, Any]
ON_TOP = ("other", "good", "before", "after")
"""In this order dots are drawn."""


def front_section(say: Say, log: Json) -> Section | None:
    """Return score over cost of the finished trials and the table of the front; None where only the score counts."""
    costs = log.get("objectives", {}).get("costs")
    if not costs:
        return None
    finished = [trial for trial in log["trials"] if trial["state"] == "finished" and score_of(trial, log) is not None]
    parts: list[Part] = [Paragraph(say["search.front.lead"].format(give=numbers.number(log["objectives"]["give"])))]
    if finished:
        parts += [_figure(say, log, finished), _table(say, log, finished)]
    return Section("front", say["search.front"], tuple(parts))


def _figure(say: Say, log: Json, finished: list[Json]) -> Figure:
    winner, front = log["winner"], set(log["front"])

    def css(number: int) -> str:
        if number == 0:
            return "before"
        return "after" if number == winner else "good" if number in front else "other"

    panels = []
    for name, unit in log["objectives"]["costs"].items():
        values = [trial["costs"][name] for trial in finished]
        rail = number_rail(f"{say.name('cost', name)} ({unit})", *around(values, (0.0, float("inf"))), about=5)
        dots = [
            Dot(
                css(trial["number"]),
                f"{say['search.trial'].format(number=trial['number'])}: {numbers.number(score_of(trial, log))}",
                rail.place(trial["costs"][name]),
                float(score_of(trial, log) or 0.0),
            )
            for trial in finished
        ]
        panels.append(
            Panel(rail, tuple(sorted(dots, key=lambda dot: ("other", "good", "before", "after").index(dot.css))))
        )
    names = (
        ("before", say["search.given"]),
        ("after", say["search.trial"].format(number=winner)),
        ("good", say["search.on the front"]),
        ("other", say["search.others"]),
    )
    there = {css(trial["number"]) for trial in finished}
    described = (say["search.front"], say["search.front.described"].format(number=numbers.count(len(finished))))
    metric = metric_name(log["metric"], say.language)
    drawn = slices(panels, metric, [(one, name) for one, name in names if one in there], described)
    return Figure(say["search.front"], drawn, say["search.front.caption"])


def _table(say: Say, log: Json, finished: list[Json]) -> Table:
    costs = log["objectives"]["costs"]
    columns = (
        Column(say["search.column.trial"]),
        Column(metric_name(log["metric"], say.language), True),
        *(Column(say.name("cost", name), True, unit) for name, unit in costs.items()),
        Column(say["column.verdict"]),
        Column(say["search.column.changes"]),
    )
    verdicts = {one["number"]: verdict_of(say, one) for one in log["confirmation"]}
    shown = [trial for trial in finished if trial["number"] in {*log["front"], 0, log["winner"]}]
    shown.sort(key=lambda trial: [trial["costs"][name] for name in costs])
    rows = tuple(
        (
            Cell(str(trial["number"])),
            Cell(numbers.number(score_of(trial, log))),
            *(Cell(numbers.number(trial["costs"][name])) for name in costs),
            Cell(verdicts.get(trial["number"], ""), css="verdict open"),
            Cell(changes_text(say, trial["changes"])),
        )
        for trial in shown
    )
    return Table("front", say["search.front.table"], columns, rows, shown)
