"""What fine-tuning changed, example by example: gained, lost, and the texts of both."""

from __future__ import annotations

from collections import Counter

import numpy as np

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.examples import Said, listed, probability, right
from truetune.reports.plots.flips import Change, gained_and_lost, whole_and_parts
from truetune.reports.plots.flips import Part as BarPart
from truetune.reports.predictions import Predictions
from truetune.reports.run import SavedRun
from truetune.reports.words import Say
from truetune.types import Bools, Ints

SHOWN, LABELS = 8, 12


def changes_section(say: Say, run: SavedRun) -> Section:
    """Return gained and lost examples of `after` against `before`, on the same examples."""
    title = say["changes.title"]
    before = run.before.predictions if run.before else None
    after = run.after.predictions if run.after else None
    if before is None or after is None:
        return Section("changes", title, (Paragraph(say["missing.predictions.both"], "missing"),))
    if list(before.ids) != list(after.ids):
        return Section("changes", title, (Paragraph(say["changes.other examples"], "missing"),))
    was, now = right(before), right(after)
    if was is None or now is None:
        return Section("changes", title, (Paragraph(say["changes.none for task"], "missing"),))
    parts: list[Part] = [Paragraph(say["changes.lead"]), _whole(say, was, now)]
    by_label = _by_label(say, after, was, now)
    parts += [by_label] if by_label else []
    parts += [Paragraph(say["spans.boxes"], "note")] if "spans" in after.gold else []
    systems = [Said(say["column.before"], before), Said(say["column.after"], after)]
    for name, flipped in (("gained", ~was & now), ("lost", was & ~now)):
        places = _most_changed(before, after, np.flatnonzero(flipped))
        heading = say[f"changes.{name}"].format(
            number=numbers.count(len(places)), shown=numbers.count(min(SHOWN, len(places)))
        )
        if len(places):
            parts.append(listed(say, name, heading, [int(place) for place in places[:SHOWN]], systems))
        else:
            parts.append(Paragraph(say[f"changes.no {name}"]))
    return Section("changes", title, tuple(parts))


def _whole(say: Say, was: Bools, now: Bools) -> Figure:
    cells = (
        ("kept", was & now),
        ("gained", ~was & now),
        ("lost", was & ~now),
        ("wrong", ~was & ~now),
    )
    bars = [BarPart(name, say[f"changes.part.{name}"], int(mask.sum())) for name, mask in cells]
    rows = tuple(
        (Cell(bar.name), Cell(numbers.count(bar.examples)), Cell(numbers.share(bar.examples / len(was))))
        for bar in bars
    )
    columns = (Column(""), Column(say["column.examples"], True), Column(say["column.share"], True))
    records = [{"part": bar.css, "examples": bar.examples} for bar in bars]
    table = Table("changes", say["changes.figure"], columns, rows, records)
    sentence = "; ".join(f"{bar.name}: {bar.examples:,}" for bar in bars)
    drawn = whole_and_parts(bars, (say["changes.figure"], sentence))
    return Figure(say["changes.figure"], drawn, say["changes.figure.caption"], table)


def _by_label(say: Say, after: Predictions, was: Bools, now: Bools) -> Figure | None:
    """Return gained and lost by gold label, the most changed first; None for tasks without one label."""
    if "label" not in after.gold:
        return None
    gold = np.array([str(label) for label in after.gold["label"]])
    gained, lost = Counter(gold[~was & now].tolist()), Counter(gold[was & ~now].tolist())
    labels = sorted({*gained, *lost}, key=lambda label: (-gained[label] - lost[label], label))
    if not labels:
        return None
    changes = [Change(label, gained[label], lost[label]) for label in labels]
    rows = tuple((Cell(c.label), Cell(numbers.count(c.gained)), Cell(numbers.count(c.lost))) for c in changes)
    columns = (
        Column(say["column.label"]),
        Column(say["changes.part.gained"], True),
        Column(say["changes.part.lost"], True),
    )
    records = [{"label": c.label, "gained": c.gained, "lost": c.lost} for c in changes]
    title = say["changes.by label"]
    table = Table("changes-by-label", title, columns, rows, records)
    names = (say["changes.part.gained"], say["changes.part.lost"])
    sentence = "; ".join(f"{c.label}: +{c.gained:,} −{c.lost:,}" for c in changes[:LABELS])
    drawn = gained_and_lost(changes[:LABELS], names, (title, sentence))
    caption = say["changes.by label.caption"].format(shown=min(LABELS, len(labels)), all=len(labels))
    return Figure(title, drawn, caption, table)


def _most_changed(before: Predictions, after: Predictions, places: Ints) -> Ints:
    """Return places by how much gold's probability moved; in file order where there are no probabilities."""
    if "label" not in after.gold:
        return places
    was = probability(before.scores, before.gold["label"])
    now = probability(after.scores, after.gold["label"])
    if was is None or now is None:
        return places
    moved = np.nan_to_num(np.abs(now - was)[places])
    return places[np.argsort(-moved, kind="stable")]
