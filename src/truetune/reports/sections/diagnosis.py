"""What holds the score back, where `truetune diagnose` looked for it: causes, what shows them, what to try."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.phrases import in_language
from truetune.reports.run import SavedRun
from truetune.reports.visible import one_line
from truetune.reports.words import Say

Json = Mapping[str, Any]


def diagnosis_section(say: Say, run: SavedRun) -> Section | None:
    """Return the causes in their order with what would help; None where nobody looked for them."""
    found = run.diagnosis
    if found is None:
        return None
    parts: list[Part] = [Paragraph(say["diagnosis.lead"]), Paragraph(_score(say, found))]
    if found["causes"]:
        parts.append(_causes(say, found["causes"]))
        parts.append(_moves(say, found["causes"]))
    else:
        parts.append(Paragraph(say["diagnosis.nothing"], "note"))
    if found["learning_curve"] is not None:
        parts.append(_learning_curve(say, found["learning_curve"], found["metric"]))
        parts += [Paragraph(_more(say, more)) for more in found["learning_curve"]["more"]]
    parts += [Paragraph(in_language(line, say.language), "missing") for line in found["not_tried"]]
    return Section("diagnosis", say["diagnosis.title"], tuple(parts))


def _score(say: Say, found: Json) -> str:
    score, gap = found["score"], found["gap"]
    return say["diagnosis.score"].format(
        metric=metric_name(found["metric"], say.language),
        value=numbers.number(score["value"]),
        interval=numbers.interval(score["low"], score["high"]),
        train=numbers.number(score["train"]),
        gap=numbers.signed(gap["value"]),
        gap_interval=numbers.interval(gap["low"], gap["high"], sign=True),
    )


def _causes(say: Say, causes: list[Json]) -> Table:
    columns = (
        Column(say["diagnosis.column.cause"]),
        Column(say["diagnosis.column.gain"], True, say["diagnosis.gain.note"]),
        Column(say["diagnosis.column.evidence"]),
    )
    rows = tuple(
        (
            Cell(in_language(cause["name"], say.language)),
            _gain(say, cause["gain"]),
            Cell(one_line(say["diagnosis.joint"].join(in_language(line, say.language) for line in cause["evidence"]))),
        )
        for cause in causes
    )
    return Table("diagnosis", say["diagnosis.caption"], columns, rows, causes)


def _gain(say: Say, gain: Json | None) -> Cell:
    if gain is None:
        return Cell(numbers.NONE)
    bounds = numbers.interval(gain["low"], gain["high"], sign=True)
    metric = metric_name(gain["metric"], say.language)
    return Cell(numbers.signed(gain["value"]), f"{bounds} {metric}".strip(), in_language(gain["how"], say.language))


def _moves(say: Say, causes: list[Json]) -> Table:
    columns = (
        Column(say["diagnosis.column.cause"]),
        Column(say["search.column.setting"]),
        Column(say["search.column.values"]),
        Column(say["diagnosis.column.what"]),
        Column(say["search.column.source"]),
    )
    moves = [(cause, move) for cause in causes for move in cause["moves"]]
    rows = tuple(
        (
            Cell(in_language(cause["name"], say.language)),
            Cell(move["key"] or ""),
            Cell(", ".join("null" if value is None else str(value) for value in move["values"])),
            Cell(in_language(move["what"], say.language)),
            Cell(move["source"]),
        )
        for cause, move in moves
    )
    records = [{"cause": cause["name"], **move} for cause, move in moves]
    return Table("moves", say["diagnosis.moves"], columns, rows, records)


def _learning_curve(say: Say, curve: Json, metric: str) -> Table:
    columns = (Column(say["column.examples"], True), Column(metric_name(metric, say.language), True))
    pairs = list(zip(curve["sizes"], curve["scores"], strict=True))
    rows = tuple((Cell(numbers.count(size)), Cell(numbers.number(score))) for size, score in pairs)
    records = [{"examples": size, metric: score} for size, score in pairs]
    return Table("labels-needed", say["diagnosis.curve"], columns, rows, records)


def _more(say: Say, more: Json) -> str:
    return say["diagnosis.more"].format(
        examples=numbers.count(more["examples"]),
        value=numbers.signed(more["value"]),
        low=numbers.signed(more["low"]),
        high=numbers.signed(more["high"]),
    )
