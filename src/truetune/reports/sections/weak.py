"""Where the model is worst: rules that were found on one half of the test part, and their numbers on the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Paragraph, Part, Section, Table
from truetune.reports.examples import Said, listed
from truetune.reports.predictions import Predictions
from truetune.reports.run import SavedRun
from truetune.reports.visible import one_line
from truetune.reports.words import Say

TOLD, EACH = 3, 3


def weak_section(say: Say, run: SavedRun) -> Section | None:
    """Return the slices that were found; None where nothing was looked for."""
    if not run.weak:
        return None
    predictions = run.after.predictions if run.after else None
    return Section("weak", say["weak.title"], tuple(weak_parts(say, run.weak, predictions)))


def weak_parts(say: Say, found: Mapping[str, Any], predictions: Predictions | None) -> list[Part]:
    """Return the sentence, the table, and the texts of the slices that are shown to be worse."""
    name = found["loss"]
    lead = say["weak.lead"].format(
        rules=numbers.count(found["rules"]),
        found=numbers.count(found["found_on"]),
        confirmed=numbers.count(found["confirmed_on"]),
        loss=say[f"weak.loss.{name}"],
        mean=numbers.number(found["mean"]),
    )
    parts: list[Part] = [Paragraph(lead)]
    if not found["slices"]:
        return [*parts, Paragraph(say["weak.none"])]
    parts.append(_table(say, found["slices"]))
    worse = [one for one in found["slices"] if one["shown"]]
    if not worse:
        parts.append(Paragraph(say["weak.none shown"]))
    for number, one in enumerate(worse[:TOLD]):
        if predictions is not None and one["places"]:
            title = say["weak.examples"].format(rule=rule_name(say, one["rule"]))
            said = [Said(say["predicted"], predictions)]
            parts.append(listed(say, f"weak-{number + 1}", title, one["places"][:EACH], said))
    return parts


def rule_name(say: Say, rule: Sequence[Mapping[str, str]]) -> str:
    """Return the conditions of a rule in the words of the page."""
    return say["weak.and"].join(_condition(say, one) for one in rule)


def _condition(say: Say, one: Mapping[str, str]) -> str:
    what, value = one["what"], one_line(one["value"])
    if what.startswith("column "):
        return f"{one_line(what.removeprefix('column '))} = {value}"
    if what == "language":
        return say[f"weak.language.{value}"]
    return say[f"weak.condition.{what}"].format(value=value)


def _table(say: Say, slices: Sequence[Mapping[str, Any]]) -> Table:
    rows = tuple(
        (
            Cell(rule_name(say, one["rule"]), css="primary" if one["shown"] else ""),
            Cell(numbers.count(one["examples"])),
            Cell(numbers.number(one["value"]), numbers.interval(one["low"], one["high"])),
            Cell(numbers.number(one["rest"])),
            Cell(numbers.p_value(one["p_adjusted"])),
        )
        for one in slices
    )
    columns = (
        Column(say["weak.rule"]),
        Column(say["column.examples"], True),
        Column(say["weak.inside"], True),
        Column(say["weak.rest"], True),
        Column(say["weak.p"], True),
    )
    return Table("weak", say["weak.caption"], columns, rows, slices)
