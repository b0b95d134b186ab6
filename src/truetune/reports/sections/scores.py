"""Scores with their intervals: one system's, or before and after with their paired difference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import LOWER, metric_name
from truetune.reports.phrases import in_language
from truetune.reports.plots.intervals import Line, Mark, dots
from truetune.reports.run import System
from truetune.reports.words import Say

Json = Mapping[str, Any]

PLOTTED = 16
"""At most this many metrics are drawn; the table has all."""


def scores_section(say: Say, systems: Sequence[System], compared: Mapping[str, Json], primary: str) -> Section:
    """Return the table of all overall scores, their plot, their warnings, and how each was made.

    `compared` holds the comparison of two systems by metric; it is empty for one.
    """
    overall = _overall(systems, primary)
    shown, repeated = _without_repeats(systems, overall)
    level = numbers.level(score for system in systems for score in system.scores["scores"])
    lead = say["scores.lead" if len(systems) == 1 else "scores.lead.both"].format(level=level)
    parts: list[Part] = [Paragraph(lead)]
    parts.append(_table(say, systems, compared, shown, primary))
    if repeated:
        names = "; ".join(f"{', '.join(same)} = {kept}" for kept, same in repeated.items())
        parts.append(Paragraph(say["scores.repeated"].format(names=names), "note"))
    parts += _undefined(say, systems, shown)
    warnings = dict.fromkeys(text for system in systems for text in system.scores.get("warnings", ()))
    parts += [Paragraph(in_language(text, say.language), "warning") for text in warnings]
    figure = _figure(say, systems, shown, level)
    if figure:
        parts.append(figure)
    parts.append(_signatures(say, systems[-1], overall))
    return Section("scores", say["scores.title"], tuple(parts))


def score_cell(say: Say, score: Json | None) -> Cell:
    """Return value and interval; a dash with the reason as its title where undefined."""
    if score is None:
        return Cell(numbers.NONE)
    return Cell(
        numbers.number(score["value"]),
        numbers.interval(score["low"], score["high"]),
        in_language(str(score.get("reason") or ""), say.language),
    )


def mark(say: Say, score: Json | None, css: str, name: str) -> Mark | None:
    """Return what a plot draws of a score; None where it has no value."""
    if score is None or score["value"] is None:
        return None
    bounds = numbers.interval(score["low"], score["high"]) or say["no interval"]
    shown = numbers.number(score["value"])
    return Mark(score["value"], score["low"], score["high"], css, shown, f"{name}: {shown} {bounds}")


def _overall(systems: Sequence[System], primary: str) -> list[str]:
    """Return the metrics of all examples, the one that decides first; those of single labels are left out."""
    names = (score["metric"] for system in reversed(systems) for score in system.scores["scores"])
    overall = [name for name in dict.fromkeys(names) if "/" not in name]
    return sorted(overall, key=lambda name: name != primary)


def _without_repeats(systems: Sequence[System], metrics: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Return the metrics to show, and which others are the very same numbers as one of these."""
    shown: dict[tuple[object, ...], str] = {}
    repeated: dict[str, list[str]] = {}
    for metric in metrics:
        found = [system.score(metric) or {} for system in systems]
        key = tuple(part for score in found for part in (score.get("value"), score.get("low"), score.get("high")))
        if found[-1].get("value") is not None and key in shown:
            repeated.setdefault(shown[key], []).append(metric)
        else:
            shown[key] = metric
    dropped = {name for same in repeated.values() for name in same}
    return [metric for metric in metrics if metric not in dropped], repeated


def _table(
    say: Say, systems: Sequence[System], compared: Mapping[str, Json], metrics: Sequence[str], primary: str
) -> Table:
    titles = [say[f"column.{system.role}"] for system in systems] if len(systems) > 1 else [say["column.score"]]
    columns = [Column(say["column.metric"])]
    columns += [
        Column(title, True, system.name if len(systems) > 1 else "")
        for title, system in zip(titles, systems, strict=True)
    ]
    if compared:
        columns += [
            Column(say["column.difference"], True),
            Column("p", True),
            Column(say["column.detectable"], True),
            Column(say["column.verdict"]),
        ]
    rows = []
    for metric in metrics:
        row = [Cell(metric_name(metric, say.language), metric, css="primary" if metric == primary else "")]
        row += [score_cell(say, system.score(metric)) for system in systems]
        if compared:
            row += difference_cells(say, compared.get(metric))
        rows.append(tuple(row))
    records = [
        {
            "metric": metric,
            **{system.role: system.score(metric) for system in systems},
            **({"comparison": compared.get(metric)} if compared else {}),
        }
        for metric in metrics
    ]
    caption = say["scores.caption" if len(systems) == 1 else "scores.caption.both"]
    return Table("scores", caption, tuple(columns), tuple(rows), records)


def difference_cells(say: Say, one: Json | None) -> list[Cell]:
    """Return difference with interval, p, detectable difference and verdict of a comparison."""
    if one is None:
        return [Cell(numbers.NONE)] * 3 + [Cell("")]
    adjusted = one.get("p_adjusted")
    changed = adjusted is not None and adjusted != one["p_value"]
    note = say["p.adjusted"].format(p=numbers.p_value(adjusted)) if changed else ""
    return [
        Cell(
            numbers.signed(one["difference"]),
            numbers.interval(one["low"], one["high"], sign=True),
            in_language(str(one.get("reason") or ""), say.language),
        ),
        Cell(numbers.p_value(one["p_value"]), note, in_language(_made(one), say.language)),
        Cell(numbers.number(one["detectable"])),
        Cell(say.name("verdict", one["verdict"]), css=f"verdict {tone(one['verdict'])}"),
    ]


def _made(one: Json) -> str:
    """Return how a comparison was made, and how its p-value was adjusted."""
    return "; ".join(str(one[name]) for name in ("signature", "correction") if one.get(name))


def tone(verdict: str) -> str:
    """Return the look of a verdict: `better`, `worse`, or `open` for what is not shown."""
    if verdict in ("better", "not worse", "equivalent"):
        return "better"
    return "worse" if verdict == "worse" else "open"


def _undefined(say: Say, systems: Sequence[System], metrics: Sequence[str]) -> list[Part]:
    """Return a sentence for each reason why a value or an interval is missing."""
    reasons: dict[str, list[str]] = {}
    for system in systems:
        for metric in metrics:
            score = system.score(metric)
            if score and score.get("reason"):
                names = reasons.setdefault(in_language(str(score["reason"]), say.language), [])
                names += [] if metric in names else [metric]
    return [Paragraph(f"{', '.join(names)}: {reason}", "note") for reason, names in reasons.items()]


def _figure(say: Say, systems: Sequence[System], metrics: Sequence[str], level: str) -> Figure | None:
    """Return the plot of those scores that are shares and better when higher, so that right means better."""
    lines = []
    for metric in metrics:
        found = [(system, system.score(metric)) for system in systems]
        values = [score["value"] for _, score in found if score and score["value"] is not None]
        if not values or metric in LOWER or not all(0 <= value <= 1 for value in values):
            continue
        marks = [
            drawn for system, score in found if (drawn := mark(say, score, system.role, say[f"column.{system.role}"]))
        ]
        lines.append(Line(metric_name(metric, say.language), tuple(marks)))
    if not lines:
        return None
    series = [(system.role, _series_name(say, system)) for system in systems] if len(systems) > 1 else []
    described = (say["scores.figure"], say["scores.figure.desc"].format(level=level))
    caption = say["scores.figure.caption"].format(level=level)
    return Figure(say["scores.figure"], dots(lines[:PLOTTED], described, say["axis.score"], series), caption)


def _series_name(say: Say, system: System) -> str:
    return say["series"].format(role=say[f"column.{system.role}"], name=system.name)


def _signatures(say: Say, system: System, metrics: Sequence[str]) -> Table:
    found = [score for metric in metrics if (score := system.score(metric))]
    rows = [
        (
            Cell(score["metric"], css="code"),
            Cell(numbers.count(score["examples"])),
            Cell(in_language(score["signature"], say.language)),
        )
        for score in found
    ]
    columns = (
        Column(say["column.metric"]),
        Column(say["column.examples"], True),
        Column(say["column.signature"]),
    )
    records = [{"metric": score["metric"], "signature": score["signature"]} for score in found]
    return Table("signatures", "", columns, tuple(rows), records, folded=say["scores.signatures"])
