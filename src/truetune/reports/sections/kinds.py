"""Kinds of errors: how many of each, and the texts of the most frequent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.evaluation.error_kinds import ErrorKind, error_kinds
from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Paragraph, Part, Section, Table
from truetune.reports.examples import Said, listed
from truetune.reports.run import SavedRun
from truetune.reports.visible import one_line
from truetune.reports.words import Say

TOLD, EACH = 4, 2
"""Of so many kinds so many examples are shown."""


def kinds_section(say: Say, run: SavedRun) -> Section | None:
    """Return what kinds of errors the fine-tuned model makes; None for tasks whose errors have no kinds."""
    predictions = run.after.predictions if run.after else None
    if predictions is None:
        return None
    kinds = error_kinds(predictions.gold, predictions.predicted, predictions.texts)
    if not kinds:
        return None
    parts: list[Part] = [Paragraph(say["kinds.lead"]), _table(say, kinds)]
    if run.entities:
        parts.append(_entities(say, run.entities["entities"]))
    said = [Said(say["predicted"], predictions)]
    for number, one in enumerate(kinds[:TOLD]):
        title = say["kinds.examples"].format(kind=kind_name(say, one.kind))
        parts.append(listed(say, f"kind-{number + 1}", title, list(one.places[:EACH]), said))
    return Section("kinds", say["kinds.title"], tuple(parts))


def kind_name(say: Say, kind: Sequence[str]) -> str:
    """Return a kind in the words of the page; for labels with gold and said."""
    labels = [one_line(label) for label in kind[1:]]
    if kind[0] == "label":
        return say["kinds.label"].format(gold=labels[0], said=labels[1])
    if kind[0] in ("missed label", "extra label"):
        return say[f"kinds.{kind[0]}"].format(label=labels[0])
    return say[f"kinds.{kind[0]}"]


def _entities(say: Say, found: Sequence[Mapping[str, Any]]) -> Table:
    """Return recall by how often training has an entity."""
    rows = tuple(
        (
            Cell(_seen(say, one["seen"])),
            Cell(numbers.count(one["entities"])),
            Cell(numbers.count(one["found"])),
            Cell(numbers.number(one["recall"]), numbers.interval(one["low"], one["high"])),
        )
        for one in found
    )
    columns = (
        Column(say["kinds.seen"]),
        Column(say["kinds.entities"], True),
        Column(say["kinds.found"], True),
        Column(say["column.recall"], True),
    )
    return Table("entities-by-training", say["kinds.seen.caption"], columns, rows, found)


def _seen(say: Say, step: str) -> str:
    return say[f"kinds.seen.{step}"]


def _table(say: Say, kinds: Sequence[ErrorKind]) -> Table:
    rows = tuple(
        (
            Cell(kind_name(say, one.kind)),
            Cell(numbers.count(one.count)),
            Cell(numbers.count(one.total)),
            Cell(numbers.share(one.count / one.total), numbers.interval(one.low, one.high), bar=one.count / one.total),
        )
        for one in kinds
    )
    columns = (
        Column(say["kinds.kind"]),
        Column(say["kinds.count"], True),
        Column(say["kinds.total"], True, say["kinds.total.note"]),
        Column(say["column.share"], True),
    )
    return Table("error-kinds", say["kinds.caption"], columns, rows, [one.to_dict() for one in kinds])
