"""How a pretrained model reads and writes: its tokenizer on held-out texts, and what it writes behind beginnings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Example, Examples, Paragraph, Part, Section, Table
from truetune.reports.run import SavedRun
from truetune.reports.words import Say

Json = Mapping[str, Any]


def reading_section(say: Say, run: SavedRun) -> Section | None:
    """Return fertility and samples of a pretraining; None of any other run."""
    found = run.reading
    if found is None:
        return None
    cut = found["tokenizer"]
    lead = say["reading.lead"].format(pieces=numbers.count(cut["pieces"]), used=numbers.share(cut["used"]))
    parts: list[Part] = [Paragraph(lead), _table(say, cut)]
    if found["samples"]:
        parts.append(_examples(say, found["samples"]))
    return Section("reading", say["reading.title"], tuple(parts))


def _table(say: Say, cut: Json) -> Table:
    columns = (
        Column(say["reading.kind"]),
        Column(say["reading.units"], True),
        Column(say["reading.pieces"], True),
        Column(say["reading.whole"], True),
        Column(say["reading.unknown"], True),
    )
    kinds = {kind: say[f"reading.{kind}"] for kind in ("words", "characters")}
    rows = tuple(
        (
            Cell(kinds[one["kind"]]),
            Cell(numbers.count(one["units"])),
            Cell(f"{one['pieces']:.2f}", "" if one["low"] is None else f"{one['low']:.2f} – {one['high']:.2f}"),
            Cell(numbers.share(one["whole"])),
            Cell(numbers.share(one["unknown"])),
        )
        for one in cut["fertility"]
    )
    caption = say["reading.caption"].format(level=numbers.share(cut["level"]))
    return Table("fertility", caption, columns, rows, cut["fertility"])


def _examples(say: Say, samples: list[Json]) -> Examples:
    items = tuple(
        Example(
            str(place),
            (),
            tuple((say[f"reading.{name}"], one[name]) for name in ("beginning", "written", "document")),
        )
        for place, one in enumerate(samples, start=1)
    )
    return Examples(say["reading.samples"], items, Table("samples", "", (), (), samples))
