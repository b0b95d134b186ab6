"""ROC and precision-recall curves of the test part, with the areas that `scores.json` gives."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.metrics.curves import plotted_points, precision_recall_curve, roc_curve
from truetune.metrics.label_scores import LabelScores
from truetune.reports import numbers
from truetune.reports.content import Beside, Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.plots.curves import Curve, Frame, curves
from truetune.reports.plots.svg import Point
from truetune.reports.predictions import Predictions
from truetune.reports.run import AFTER, System
from truetune.reports.visible import one_line
from truetune.reports.words import Say
from truetune.types import Bools, Floats

NAMED = 5
"""With many labels, the curves of this many weak ones are named and coloured."""
POINTS = {True: 400, False: 80}
"""At most this many points of a named curve, and of one of the many grey ones."""
RATES = (0.01, 0.02, 0.05, 0.1, 0.2, 0.5)
"""False positive rates, and recalls, whose points the tables list."""
RECALLS = (0.5, 0.8, 0.9, 0.95, 0.99)


@dataclass(frozen=True, slots=True)
class Shown:
    """One curve to draw: of which label, in which look, and its area as it was scored."""

    css: str
    name: str
    positive: Bools
    score: Floats
    listed: bool = True


def curves_section(say: Say, systems: Sequence[System]) -> Section:
    """Return both curves; a sentence instead where the predictions have no probabilities."""
    title = say["curves.title"]
    scored = [
        system
        for system in systems
        if system.predictions and system.predictions.scores and _gold(system.predictions) is not None
    ]
    if not scored:
        return Section("curves", title, (Paragraph(_why_not(say, systems), "missing"),))
    lead, roc, precision = _two_labels(say, scored)
    if lead is None:
        lead, roc, precision = _many_labels(say, scored[-1])
    parts: list[Part] = [Paragraph(lead)]
    without = [system.name for system in systems if system not in scored]
    if without:
        parts.append(Paragraph(say["curves.without"].format(systems=", ".join(without)), "missing"))
    parts.append(Beside((_roc(say, roc), _precision_recall(say, precision))))
    return Section("curves", title, tuple(parts))


def _why_not(say: Say, systems: Sequence[System]) -> str:
    predictions = next((system.predictions for system in systems if system.predictions), None)
    if predictions is None:
        return say["missing.predictions"]
    if _gold(predictions) is None:
        return say["curves.none for task"]
    return say["curves.no scores"]


def _gold(predictions: Predictions) -> Sequence[Any] | None:
    return predictions.gold.get("label", predictions.gold.get("labels"))


def _positive(predictions: Predictions, label: str) -> Bools:
    if "label" in predictions.gold:
        return np.array([str(gold) == label for gold in predictions.gold["label"]], dtype=np.bool_)
    return np.array([label in (gold or ()) for gold in predictions.gold["labels"]], dtype=np.bool_)


def _column(scores: LabelScores, label: str) -> Floats:
    column: Floats = scores.values[:, scores.labels.index(label)]
    return column


def _two_labels(say: Say, systems: Sequence[System]) -> tuple[str | None, list[Shown], list[Shown]]:
    """Return before and after of the second label in sorted order, as `roc_auc` has it."""
    last = systems[-1].predictions
    assert last is not None
    assert last.scores is not None
    if len(last.scores.labels) != 2 or "label" not in last.gold:
        return None, [], []
    label = last.scores.labels[1]
    lines: dict[str, list[Shown]] = {"roc_auc": [], "average_precision": []}
    for system in systems:
        predictions = system.predictions
        if predictions is None or predictions.scores is None or label not in predictions.scores.labels:
            continue
        for metric, shown in lines.items():
            name = say["series"].format(role=say[f"column.{system.role}"], name=_area(say, system, metric))
            score = _column(predictions.scores, label)
            shown.append(Shown(system.role, name, _positive(predictions, label), score))
    lead = say["curves.lead.two"].format(label=one_line(label))
    return lead, lines["roc_auc"], lines["average_precision"]


def _many_labels(say: Say, system: System) -> tuple[str, list[Shown], list[Shown]]:
    """Return each label against the rest; the ones of smallest ROC area are named, of few labels all."""
    predictions = system.predictions
    assert predictions is not None
    assert predictions.scores is not None
    labels = predictions.scores.labels
    named = sorted(labels, key=lambda label: _value(system, f"roc_auc/{label}"))[:NAMED]
    lines = []
    for metric in ("roc_auc", "average_precision"):
        shown = [
            Shown(
                f"label-{named.index(label)}" if label in named else "other",
                say["series"].format(role=one_line(label), name=_area(say, system, f"{metric}/{label}")),
                _positive(predictions, label),
                _column(predictions.scores, label),
                label in named,
            )
            for label in [*(label for label in labels if label not in named), *named]
        ]
        lines.append([one for one in shown if one.positive.any() and not one.positive.all()])
    key = "curves.lead.few" if len(labels) <= NAMED else "curves.lead.many"
    role = say[f"column.{system.role or AFTER}"]
    lead = say[key].format(labels=numbers.count(len(labels)), named=NAMED, role=role)
    return lead, lines[0], lines[1]


def _value(system: System, metric: str) -> float:
    score = system.score(metric)
    return 2.0 if score is None or score["value"] is None else float(score["value"])


def _area(say: Say, system: System, metric: str) -> str:
    """Return the area with its interval, as `scores.json` has it."""
    score = system.score(metric)
    if score is None or score["value"] is None:
        return say["no value"]
    return f"{numbers.number(score['value'])} {numbers.interval(score['low'], score['high'])}".rstrip()


def _roc(say: Say, shown: Sequence[Shown]) -> Figure:
    lines, rows, records = [], [], []
    for one in shown:
        curve = roc_curve(one.positive, one.score)
        x, y = curve.false_positive_rate, curve.true_positive_rate
        kept = plotted_points(x, y, POINTS[one.listed])
        lines.append(Curve(one.css, one.name, x[kept], y[kept], one.listed))
        records.append({"curve": one.name, "x": x[kept].tolist(), "y": y[kept].tolist()})
        if one.listed:
            reached = [float(np.interp(rate, x, y)) for rate in RATES]
            rows.append((Cell(one.name), *(Cell(numbers.number(value)) for value in reached)))
    words = Frame(say["curves.fpr"], say["curves.tpr"], (Point(0, 0), Point(1, 1)))
    described = (say["curves.roc"], "; ".join(line.name for line in lines if line.listed))
    columns = (Column(say["curves.roc.at"]), *(Column(f"{rate:.0%}", True) for rate in RATES))
    table = Table("roc", say["curves.roc"], columns, tuple(rows), records)
    return Figure(say["curves.roc"], curves(lines, words, described), say["curves.roc.caption"], table)


def _precision_recall(say: Say, shown: Sequence[Shown]) -> Figure:
    lines, rows, records = [], [], []
    for one in shown:
        curve = precision_recall_curve(one.positive, one.score)
        kept = plotted_points(curve.recall, curve.precision, POINTS[one.listed])
        recall, precision = curve.recall[kept], curve.precision[kept]
        lines.append(Curve(one.css, one.name, *_steps(recall, precision), one.listed))
        records.append({"curve": one.name, "x": recall.tolist(), "y": precision.tolist()})
        if one.listed:
            reached = [float(curve.precision[np.searchsorted(curve.recall, rate)]) for rate in RECALLS]
            rows.append((Cell(one.name), *(Cell(numbers.number(value)) for value in reached)))
    common = len({one.css for one in shown} & {"before", "after"}) > 0
    share = float(shown[-1].positive.mean()) if common and shown else None
    chance = None if share is None else (Point(0, share), Point(1, share))
    words = Frame(say["column.recall"], say["column.precision"], chance)
    described = (say["curves.pr"], "; ".join(line.name for line in lines if line.listed))
    columns = (Column(say["curves.pr.at"]), *(Column(f"{rate:.0%}", True) for rate in RECALLS))
    table = Table("precision-recall", say["curves.pr"], columns, tuple(rows), records)
    caption = say["curves.pr.caption"] + (say["curves.pr.chance"] if chance else "")
    return Figure(say["curves.pr"], curves(lines, words, described), caption, table)


def _steps(recall: Floats, precision: Floats) -> tuple[Floats, Floats]:
    """Return the corners of the step-wise curve: up to each recall, the precision of its threshold holds."""
    x = np.column_stack([np.r_[0.0, recall[:-1]], recall]).ravel()
    return x, np.repeat(precision, 2)
