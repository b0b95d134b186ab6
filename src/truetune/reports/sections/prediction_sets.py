"""Prediction sets: what they promise, what they hold on the test part, for all texts and for those of each label."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Paragraph, Part, Table
from truetune.reports.visible import one_line
from truetune.reports.words import Say

Json = Mapping[str, Any]
MOST = 25
"""Labels that are shown before the table is folded away."""


def prediction_sets(say: Say, promised: Json, worth: Json) -> list[Part]:
    """Return the sentence, the sizes of the sets, and how often they hold each label."""
    found = worth["sets"]
    parts: list[Part] = [Paragraph(_sentence(say, promised, found))]
    if all(limit is None for limit in promised.get("limits", [promised.get("limit")])):
        parts.append(Paragraph(say["sets.all"], "warning"))
    parts.append(_sizes(say, found, worth["examples"]))
    if found.get("labels"):
        parts.append(_by_label(say, found["labels"], promised.get("gold")))
    return parts


def _sentence(say: Say, promised: Json, found: Json) -> str:
    if promised.get("each_label"):
        name = "each"
    elif promised.get("several"):
        name = "share" if promised["way"] == "fnr" else "several"
    else:
        name = "one"
    kept, whole = found.get("kept"), found["coverage"]
    return say[f"sets.{name}"].format(
        level=numbers.share(promised["level"]),
        way=promised["way"].upper(),
        coverage=_bounded(whole),
        kept=_bounded(kept),
        size=numbers.number(found["mean_size"]),
    )


def _bounded(one: Json | None) -> str:
    if one is None:
        return numbers.NONE
    return f"{numbers.share(one['value'])} {numbers.interval(one['low'], one['high'])}".strip()


def _sizes(say: Say, found: Json, examples: int) -> Table:
    rows = tuple(
        (Cell(size), Cell(numbers.count(count)), Cell(numbers.share(count / examples)))
        for size, count in found["sizes"].items()
    )
    columns = (Column(say["sets.size"], True), Column(say["column.examples"], True), Column(say["column.share"], True))
    records = [{"size": int(size), "examples": count} for size, count in found["sizes"].items()]
    return Table("set-sizes", say["sets.sizes"], columns, rows, records)


def _by_label(say: Say, labels: Json, gold: Json | None) -> Table:
    rows, records = [], []
    for name, one in labels.items():
        shown = (Cell(numbers.NONE), Cell("0"))
        if one is not None:
            bounds = numbers.interval(one["low"], one["high"])
            shown = (Cell(numbers.share(one["value"]), bounds), Cell(numbers.count(one["examples"])))
        rested = () if gold is None else (Cell(numbers.count(gold[name])),)
        rows.append((Cell(one_line(name)), *shown, *rested))
        records.append({"label": name, **(one or {}), **({} if gold is None else {"validation": gold[name]})})
    columns = (
        Column(say["column.label"]),
        Column(say["sets.held"], True),
        Column(say["column.examples"], True),
        *(() if gold is None else (Column(say["sets.rests"], True),)),
    )
    folded = say["labels.folded"].format(all=numbers.count(len(labels))) if len(labels) > MOST else ""
    return Table("set-labels", say["sets.labels"], columns, tuple(rows), records, folded)
