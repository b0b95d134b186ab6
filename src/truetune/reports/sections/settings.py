"""What the settings did in a search: how much of the trials' leads each explains, and all values beside them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.axes import around
from truetune.reports.plots.parallel import Strand, parallel
from truetune.reports.plots.rail import Rail, choice_rail, number_rail, shown
from truetune.reports.plots.slices import Dot, Panel, slices
from truetune.reports.words import Say

Json = Mapping[str, Any]
MOST = 11
"""So many settings are drawn, the most important ones."""
GOOD = 0.25
"""The best quarter of the trials stands out."""


@dataclass(frozen=True)
class Drawn:
    """A trial as the plots have it."""

    css: str
    name: str
    values: Mapping[str, Any]
    lead: float
    """Over the config as it was given, at the same share of training."""


def settings_section(say: Say, log: Json) -> Section | None:
    """Return importances, parallel coordinates and slices; None for a log that has not what the config itself had."""
    if not log.get("given"):
        return None
    trials = drawn_trials(say, log)
    varied = [key for key in _ordered(log) if len({shown(one.values[key]) for one in trials}) > 1]
    parts: list[Part] = [_importances(say, log)]
    if trials and varied:
        parts += _figures(say, log, trials, varied[:MOST])
    return Section("settings", say["search.settings"], tuple(parts))


def drawn_trials(say: Say, log: Json) -> list[Drawn]:
    """Return the trials that have a lead, what stands out last."""
    sign = 1 if log["better"] == "higher" else -1
    scored = [trial for trial in log["trials"] if trial["lead"] is not None]
    ranked = sorted(scored, key=lambda trial: -sign * trial["lead"])
    good = {trial["number"] for trial in ranked[: int(GOOD * len(ranked))]}
    found = []
    for trial in scored:
        number = trial["number"]
        given, winner = number == 0, number == log["winner"] != 0
        css = "after" if winner else "before" if given else "good" if number in good else "other"
        name = f"{say['search.trial'].format(number=number)}: {numbers.signed(trial['lead'])}"
        found.append(Drawn(css, name, {**log["given"], **trial["changes"]}, trial["lead"]))
    return sorted(found, key=lambda one: ("other", "good", "before", "after").index(one.css))


def _ordered(log: Json) -> list[str]:
    """Return the settings, the most important first, then those of which nothing is known."""
    ranked = [one["key"] for one in log.get("importances", [])]
    return [*ranked, *(move["key"] for move in log["space"] if move["key"] not in ranked)]


def _importances(say: Say, log: Json) -> Part:
    found = log.get("importances", [])
    if not found:
        return Paragraph(say["search.importances.none"], "missing")
    columns = (
        Column(say["search.column.setting"]),
        Column(say["search.column.explains"], True),
        Column("p", True, say["search.beyond the others"]),
    )
    rows = tuple(
        (
            Cell(one["key"]),
            Cell(numbers.share(one["share"]), bar=one["share"]),
            Cell(numbers.p_value(one["p_adjusted"])),
        )
        for one in found
    )
    return Table("importances", say["search.importances.caption"], columns, rows, found)


def _figures(say: Say, log: Json, trials: Sequence[Drawn], keys: Sequence[str]) -> list[Part]:
    moves = {move["key"]: move["values"] for move in log["space"]}
    rails = [_rail(key, moves[key], [one.values[key] for one in trials]) for key in keys]
    title = say["search.lead"].format(metric=metric_name(log["metric"], say.language))
    ahead = number_rail(title, *around([one.lead for one in trials]), about=6)
    classes = {one.css for one in trials}
    names = (
        ("before", say["search.given"]),
        ("after", say["search.trial"].format(number=log["winner"])),
        ("good", say["search.good"]),
        ("other", say["search.others"]),
    )
    key = [(css, name) for css, name in names if css in classes]
    strands = [
        Strand(
            one.css,
            one.name,
            (*(rail.place(one.values[key]) for rail, key in zip(rails, keys, strict=True)), ahead.place(one.lead)),
        )
        for one in trials
    ]
    panels = [
        Panel(rail, tuple(Dot(one.css, one.name, rail.place(one.values[key]), one.lead) for one in trials))
        for rail, key in zip(rails, keys, strict=True)
    ]
    described = say["search.parallel.described"].format(number=numbers.count(len(trials)), settings=", ".join(keys))
    return [
        Figure(
            say["search.parallel"],
            parallel(strands, [*rails, ahead], key, (say["search.parallel"], described)),
            say["search.parallel.caption"],
        ),
        Figure(
            say["search.slices"],
            slices(panels, title, key, (say["search.slices"], described)),
            say["search.slices.caption"],
        ),
    ]


def _rail(key: str, values: Any, seen: Sequence[Any]) -> Rail:
    """Return the axis of a setting, wide enough for what the config itself has."""
    title = key.rpartition(".")[2]
    if isinstance(values, Mapping) and all(isinstance(one, int | float) for one in seen):
        low, high = min(values["low"], *seen), max(values["high"], *seen)
        return number_rail(title, low, high, values["log"])
    return choice_rail(title, [*(() if isinstance(values, Mapping) else values), *seen])
