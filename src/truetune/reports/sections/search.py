"""A search for better settings: what was tried, how the trials raced, what was confirmed, and what was taken."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Head, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.phrases import in_language
from truetune.reports.plots.race import Lap, race
from truetune.reports.words import Say

Json = Mapping[str, Any]
SHOWN = 12
"""Tables of more trials are folded away."""


def search_head(say: Say, log: Json, name: str) -> Head:
    """Return what was taken, and why."""
    winner = int(log["winner"])
    states = [trial["state"] for trial in log["trials"]]
    counts = {state: numbers.count(states.count(state)) for state in ("finished", "stopped", "failed")}
    tried = say["search.tried"].format(
        trials=numbers.count(len(states)), time=numbers.duration(log["seconds"]), **counts
    )
    took = log.get("confirming_seconds")
    confirming = (say["search.confirmed"].format(time=numbers.duration(took)),) if took else ()
    changes = changes_text(say, log["changes"])
    statement = say["search.taken"].format(number=winner, changes=changes) if winner else say["search.nothing"]
    lines = (in_language(log["why"], say.language), tried, *confirming, _optimism(say, log))
    metric = metric_name(log["metric"], say.language)
    return Head(say["search.kicker"], name, metric, "better" if winner else "open", statement, lines)


def race_section(say: Say, log: Json) -> Section:
    """Return the trials over their training, and the table of all of them."""
    trials = log["trials"]
    winner, metric = log["winner"], metric_name(log["metric"], say.language)
    laps = [
        Lap(_css(trial, winner), say["search.trial"].format(number=trial["number"]), rungs)
        for trial in sorted(trials, key=lambda one: (one["number"] == winner, one["number"] == 0))
        if (rungs := tuple((rung["share"], rung["value"]) for rung in trial["rungs"] if rung["value"] is not None))
    ]
    parts: list[Part] = [Paragraph(say["search.race.lead"])]
    if laps:
        key = [("before", say["search.given"]), ("other", say["search.others"])]
        key += [("after", say["search.trial"].format(number=winner))] if winner else []
        described = (say["search.race"], say["search.race.described"].format(number=numbers.count(len(laps))))
        drawn = race(laps, (say["search.share"], metric), key, described)
        parts.append(Figure(say["search.race"], drawn, say["search.race.caption"]))
    parts.append(_trials(say, log, metric))
    return Section("race", say["search.race.title"], tuple(parts))


def confirmation_section(say: Say, log: Json) -> Section:
    """Return the finalists' new runs against the config as it was given."""
    title = say["search.confirmation"]
    found, failed = log["confirmation"], ", ".join(map(str, log.get("not_confirmed", ())))
    left_out = [Paragraph(say["search.confirmation.failed"].format(numbers=failed))] if failed else []
    if not found:
        return Section("confirmation", title, (Paragraph(in_language(log["why"], say.language), "missing"), *left_out))
    columns = (
        Column(say["search.column.trial"]),
        Column(say["column.difference"], True),
        Column("p", True, say["search.holm"]),
        Column(say["search.column.seeds"], True),
        Column(say["search.column.examples"], True),
        Column(say["column.verdict"]),
    )
    rows = []
    for one in found:
        difference = one["difference"]
        rows.append(
            (
                Cell(say["search.trial"].format(number=one["number"])),
                Cell(
                    numbers.signed(difference["value"]),
                    numbers.interval(difference["low"], difference["high"], sign=True),
                    in_language(difference["method"], say.language),
                ),
                Cell(numbers.p_value(one["p_adjusted"])),
                Cell(numbers.number(difference["seed_deviation"])),
                Cell(numbers.number(difference["example_error"])),
                Cell(verdict_of(say, one)),
            )
        )
    table = Table("confirmation", say["search.confirmation.caption"], columns, tuple(rows), found)
    return Section("confirmation", title, (Paragraph(say["search.confirmation.lead"]), table, *left_out))


def verdict_of(say: Say, finalist: Json) -> str:
    """Return what the new runs of a finalist show, in words."""
    if finalist["better"]:
        return say["search.better"]
    return say["search.kept" if finalist.get("kept") else "search.not better"]


def score_of(trial: Json, log: Json) -> float | None:
    """Return the best score of a trial's rungs; None where it has none."""
    values = [float(rung["value"]) for rung in trial["rungs"] if rung["value"] is not None]
    return (max if log["better"] == "higher" else min)(values, default=None)


def space_section(say: Say, log: Json) -> Section:
    """Return what could be changed."""
    columns = (
        Column(say["search.column.setting"]),
        Column(say["search.column.values"]),
        Column(say["search.column.why"]),
        Column(say["search.column.source"]),
    )
    rows = tuple(
        (
            Cell(move["key"]),
            Cell(_values(say, move["values"])),
            Cell(in_language(move["why"], say.language)),
            Cell(move["source"]),
        )
        for move in log["space"]
    )
    table = Table("space", say["search.space.caption"], columns, rows, log["space"])
    return Section("space", say["search.space"], (*_first(say, log), table))


def _first(say: Say, log: Json) -> list[Part]:
    """Return which trials a diagnosis asked for; nothing where there was none."""
    if not log.get("first"):
        return []
    told = [
        say["search.first.trial"].format(
            number=one["trial"],
            cause=in_language(one["cause"], say.language),
            changes=changes_text(say, one["changes"]),
        )
        for one in log["first"]
    ]
    return [Paragraph(say["search.first"].format(run=log["diagnosis"])), *map(Paragraph, told)]


def changes_text(say: Say, changes: Json) -> str:
    """Return changed settings as one line."""
    return ", ".join(f"{key}={_short(value)}" for key, value in changes.items()) or say["search.given"]


def _optimism(say: Say, log: Json) -> str:
    return say["search.optimism"].format(optimism=numbers.number(log["optimism"]))


def _trials(say: Say, log: Json, metric: str) -> Table:
    trials, costs = log["trials"], log.get("objectives", {}).get("costs", {})
    columns = (
        Column(say["search.column.trial"]),
        Column(metric, True),
        *(Column(say.name("cost", name), True, unit) for name, unit in costs.items()),
        Column(say["search.column.rungs"], True),
        Column(say["search.column.time"], True),
        Column(say["search.column.state"]),
        Column(say["search.column.changes"]),
    )
    rows = []
    for trial in trials:
        rungs = trial["rungs"]
        rows.append(
            (
                Cell(str(trial["number"])),
                Cell(numbers.number(score_of(trial, log))),
                *(Cell(numbers.number(trial["costs"].get(name))) for name in costs),
                Cell(numbers.share(rungs[-1]["share"]) if rungs else numbers.NONE),
                Cell(numbers.duration(rungs[-1]["seconds"]) if rungs else numbers.NONE),
                Cell(say.name("state", trial["state"]), "", in_language(trial["reason"], say.language)),
                Cell(changes_text(say, trial["changes"])),
            )
        )
    folded = say["search.trials.folded"].format(number=numbers.count(len(rows))) if len(rows) > SHOWN else ""
    return Table("trials", say["search.trials.caption"], columns, tuple(rows), trials, folded)


def _css(trial: Json, winner: int) -> str:
    if trial["number"] == winner and winner:
        return "after"
    return "before" if trial["number"] == 0 else "other"


def _values(say: Say, values: Any) -> str:
    if isinstance(values, Mapping):
        text = say["search.range.log" if values["log"] else "search.range"]
        return text.format(low=_short(values["low"]), high=_short(values["high"]))
    return ", ".join(_short(value) for value in values)


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else "null" if value is None else str(value)
