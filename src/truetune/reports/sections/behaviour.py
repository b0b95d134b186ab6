"""How the model takes small changes of texts, where `truetune check` asked: rates, and what changed in the texts."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.evaluation.behaviour.check import TOLERANCE
from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Example, Examples, Paragraph, Part, Piece, Reading, Section, Table
from truetune.reports.phrases import in_language
from truetune.reports.run import SavedRun
from truetune.reports.visible import one_line, visible
from truetune.reports.words import Say

Json = Mapping[str, Any]
TOLD = 4
"""Of so many changes, those that are broken most often, examples are shown."""
ROOM = 120
"""Characters that are shown before and behind what changed."""


def behaviour_section(say: Say, run: SavedRun) -> Section | None:
    """Return how often each change breaks what was expected, with texts; None where nobody asked."""
    found = run.behaviour
    if found is None:
        return None
    source = say["behaviour.validation"] if found["source"] is None else one_line(found["source"])
    parts: list[Part] = [Paragraph(say["behaviour.lead"].format(texts=numbers.count(found["texts"]), source=source))]
    known = {one["change"]: _about(say, one) for one in found["checks"]}
    for name in found["above"]:
        said = say["behaviour.above"].format(change=known[name], most=numbers.share(found["most"]))
        parts.append(Paragraph(said, "warning"))
    some = [one for one in found["checks"] if one["changed"]]
    if some:
        parts.append(_table(say, some, found["level"]))
    none = [known[one["change"]] for one in found["checks"] if not one["changed"]]
    if none:
        parts.append(Paragraph(say["behaviour.no text"].format(changes=say["behaviour.between"].join(none)), "missing"))
    if not found["judged"]:
        parts.append(Paragraph(say["behaviour.negations"], "missing"))
    worst = sorted((one for one in some if one["examples"]), key=lambda one: -one["low"])
    parts += [_examples(say, one) for one in worst[:TOLD]]
    return Section("behaviour", say["behaviour.title"], tuple(parts))


def _about(say: Say, check: Json) -> str:
    return in_language(check["about"], say.language)


def _table(say: Say, checks: list[Json], level: float) -> Table:
    columns = (
        Column(say["behaviour.change"]),
        Column(say["behaviour.expected"]),
        Column(say["behaviour.texts"], True),
        Column(say["behaviour.broken"], True),
        Column(say["behaviour.rate"], True),
    )
    expected = {"same": say["behaviour.same"], "less": say["behaviour.less"].format(tolerance=TOLERANCE)}
    rows = tuple(
        (
            Cell(_about(say, one)),
            Cell(expected[one["expected"]]),
            Cell(numbers.count(one["changed"])),
            Cell(numbers.count(one["broken"])),
            Cell(numbers.share(one["rate"]), numbers.interval(one["low"], one["high"])),
        )
        for one in checks
    )
    return Table("behaviour", say["behaviour.caption"].format(level=f"{level:.0%}"), columns, rows, checks)


def _examples(say: Say, check: Json) -> Examples:
    title = say["behaviour.examples"].format(change=_about(say, check))
    items = []
    for one in check["examples"]:
        before, after = _marked(one["text"], one["changed"])
        readings = (Reading(say["behaviour.before"], before), Reading(say["behaviour.after"], after))
        facts = (
            (say["behaviour.said before"], Cell(one_line(one["before"]))),
            (say["behaviour.said after"], Cell(one_line(one["after"]), css="wrong")),
        )
        items.append(Example("", facts, readings=readings))
    table = Table(f"behaviour-{check['change']}", title, (Column(""),), (), check["examples"])
    return Examples(title, tuple(items), table)


def _marked(text: str, changed: str) -> tuple[tuple[Piece, ...], tuple[Piece, ...]]:
    """Return both texts with what differs marked: from the first to the last character that is not the same."""
    least = min(len(text), len(changed))
    start = next((place for place in range(least) if text[place] != changed[place]), least)
    end = next((place for place in range(least - start) if text[-1 - place] != changed[-1 - place]), least - start)
    return _pieces(text, start, len(text) - end), _pieces(changed, start, len(changed) - end)


def _pieces(text: str, start: int, end: int) -> tuple[Piece, ...]:
    before, after = text[:start], text[end:]
    pieces = [
        Piece(("… " if len(before) > ROOM else "") + visible(before[-ROOM:])),
        Piece(visible(text[start:end]), css="changed"),
        Piece(visible(after[:ROOM]) + (" …" if len(after) > ROOM else "")),
    ]
    return tuple(piece for piece in pieces if piece.text)
