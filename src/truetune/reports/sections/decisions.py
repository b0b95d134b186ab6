"""What is made of probabilities: how it was chosen on validation, and what it gains and costs on the test part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from truetune.decisions.decision import all_right
from truetune.decisions.selective import risk_coverage
from truetune.metrics.label_scores import LabelScores
from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.examples import right
from truetune.reports.metric_names import metric_name
from truetune.reports.phrases import in_language
from truetune.reports.plots.curves import Curve, Frame, curves
from truetune.reports.plots.svg import Point
from truetune.reports.predictions import Predictions
from truetune.reports.run import SavedRun
from truetune.reports.sections.prediction_sets import prediction_sets
from truetune.reports.sections.scores import score_cell
from truetune.reports.visible import one_line
from truetune.reports.words import Say
from truetune.types import Floats

Json = Mapping[str, Any]
MOST = 25
"""Thresholds that are shown before the table is folded away."""
SIDES = ("as the model says", "decided")


def decisions_section(say: Say, run: SavedRun) -> Section | None:
    """Return how the run decides; None where the model answers as it is."""
    if run.decisions is None:
        return None
    made, worth = run.decisions, run.decided
    lead = say["decisions.lead"].format(
        fitted=numbers.count(made["fitted_on"]), promised=numbers.count(made["promised_on"])
    )
    parts: list[Part] = [Paragraph(lead)]
    if worth is None:
        parts.append(Paragraph(say["decisions.not measured"], "missing"))
    else:
        parts.append(_changed(say, worth))
    if made["thresholds"]:
        parts.append(_thresholds(say, made["thresholds"]))
    for one in made["thresholds"]:
        if one["reason"]:
            said = f"{one_line(one['label'])}: {in_language(one['reason'], say.language)}"
            parts.append(Paragraph(said, "warning"))
    unkept = (made["abstention"] or {}).get("reason")
    if unkept:
        parts.append(Paragraph(in_language(unkept, say.language), "warning"))
    predictions = run.after.predictions if run.after else None
    if made["abstention"] and worth is not None and worth["answered"] is not None:
        parts += _answered(say, worth["answered"], predictions)
    if made["conformal"] and worth is not None and worth["sets"] is not None:
        parts += prediction_sets(say, made["conformal"], worth)
    parts += [Paragraph(in_language(text, say.language), "warning") for text in made["warnings"]]
    return Section("decisions", say["decisions.title"], tuple(parts))


def _changed(say: Say, worth: Json) -> Table:
    """Return scores of the test part before and after the decision, and their paired difference."""
    by_metric = {one["metric"]: one for one in worth["comparison"]["comparisons"]}
    before, after = ({one["metric"]: one for one in worth["scores"][side]} for side in SIDES)
    rows: list[tuple[Cell, ...]] = []
    records = []
    for metric in before:
        one = by_metric.get(metric)
        difference = Cell(numbers.NONE)
        if one is not None and one["difference"] is not None:
            bounds = numbers.interval(one["low"], one["high"], sign=True)
            difference = Cell(numbers.signed(one["difference"]), bounds)
        name = Cell(metric_name(metric, say.language), metric)
        rows.append((name, score_cell(say, before[metric]), score_cell(say, after.get(metric)), difference))
        records.append({"metric": metric, "before": before[metric], "after": after.get(metric), "comparison": one})
    cost = worth["cost"]
    if cost is not None:
        cells = [score_cell(say, {**cost[side], "reason": ""}) for side in SIDES]
        rows.append((Cell(say["decisions.cost"]), *cells, Cell(numbers.NONE)))
        records.append({"metric": "cost", "before": cost[SIDES[0]], "after": cost[SIDES[1]]})
    columns = (
        Column(say["column.metric"]),
        Column(say["decisions.as it is"], True),
        Column(say["decisions.decided"], True),
        Column(say["column.difference"], True),
    )
    return Table("decided", say["decisions.caption"], columns, tuple(rows), records)


def _thresholds(say: Say, choices: list[Json]) -> Table:
    """Return each threshold, what it is worth (with its cost where costs chose it), and how often a floor is kept."""
    columns = {name: Column(say[f"column.{name}"], True) for name in ("precision", "recall", "f1")}
    if any(one["by"] == "cost" for one in choices):
        columns["cost"] = Column(say["decisions.cost"], True)
    floors = any(one["kept"] is not None for one in choices)
    rows = []
    for one in choices:
        cut = Cell(numbers.number(one["threshold"]), numbers.interval(one["low"], one["high"]))
        cells = [
            Cell(
                numbers.number(worth["value"]),
                numbers.interval(worth["low"], worth["high"]),
                say["decisions.seen"].format(value=numbers.number(worth["seen"])),
            )
            for worth in (one["worth"][name] for name in columns)
        ]
        kept = [Cell(numbers.share(one["kept"]) if one["kept"] is not None else numbers.NONE)] if floors else []
        rows.append((Cell(one_line(one["label"])), Cell(numbers.count(one["gold"])), cut, *cells, *kept))
    heads = (
        Column(say["column.label"]),
        Column(say["column.support"], True),
        Column(say["decisions.threshold"], True),
        *columns.values(),
        *([Column(say["decisions.kept"], True)] if floors else []),
    )
    folded = say["labels.folded"].format(all=numbers.count(len(choices))) if len(choices) > MOST else ""
    return Table("thresholds", say["decisions.thresholds"], heads, tuple(rows), choices, folded)


def _answered(say: Say, found: Json, predictions: Predictions | None) -> list[Part]:
    """Return what abstaining costs and gains, and the curve of risk over coverage."""

    def shown(one: Json | None) -> str:
        if one is None:
            return numbers.NONE
        return f"{numbers.share(one['value'])} {numbers.interval(one['low'], one['high'])}".strip()

    said = say["decisions.answered"].format(
        coverage=shown(found["coverage"]), risk=shown(found["risk"]), all=shown(found["risk_of_all"])
    )
    parts: list[Part] = [Paragraph(said)]
    if predictions is not None and "labels" in predictions.predicted:
        parts.append(Paragraph(say["decisions.answered.several"]))
    correct = right(predictions) if predictions is not None else None
    if predictions is None or correct is None or predictions.scores is None or not len(correct):
        return parts
    curve = risk_coverage(correct, _confidence(predictions, predictions.scores))
    title = say["decisions.curve"]
    rows, records = [], []
    for share in (0.5, 0.7, 0.8, 0.9, 1.0):
        point = curve.at(share)
        values = {"coverage": float(curve.coverage[point]), "risk": float(curve.risk[point])}
        texts = (numbers.share(values["coverage"]), numbers.share(values["risk"]))
        rows.append((*map(Cell, texts), Cell(numbers.number(float(curve.confidence[point])))))
        records.append({**values, "confidence": float(curve.confidence[point])})
    columns = (
        Column(say["decisions.coverage"], True),
        Column(say["decisions.risk"], True),
        Column(say["reliability.confidence"], True),
    )
    table = Table("risk-coverage", title, columns, tuple(rows), records)
    whole = float(curve.risk[-1])
    frame = Frame(say["decisions.coverage"], say["decisions.risk"], (Point(0, whole), Point(1, whole)))
    described = (title, "; ".join(f"{row[0].text}: {row[1].text}" for row in rows))
    drawn = curves([Curve("after", title, curve.coverage, curve.risk, False)], frame, described)
    return [*parts, Figure(title, drawn, say["decisions.curve.caption"], table)]


def _confidence(predictions: Predictions, scores: LabelScores) -> Floats:
    """Return how sure each answer is, `[examples]`, as `answered` was decided by it."""
    places = {label: place for place, label in enumerate(scores.labels)}
    if "label" not in predictions.predicted:
        said = [{str(label) for label in some or ()} for some in predictions.predicted["labels"]]
        return all_right(scores.values, np.array([[name in some for name in scores.labels] for some in said]))
    own = np.array([places[str(label)] for label in predictions.predicted["label"]])
    return np.asarray(scores.values[np.arange(len(own)), own])
