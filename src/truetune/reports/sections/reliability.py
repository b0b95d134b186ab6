"""Whether the model is right as often as it is sure: the reliability curve beside the calibration error."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.metrics.calibration import BINS, confidence_rows, equal_width_bins, reliability_curve
from truetune.reports import numbers
from truetune.reports.content import Beside, Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.reliability import Bin, Reliability, Words, reliability
from truetune.reports.predictions import Predictions
from truetune.reports.run import System
from truetune.reports.sections.scores import score_cell
from truetune.reports.words import Say

QUOTED = ("ece", "ece_equal_mass", "calibration_error_debiased", "brier", "log_loss")


def reliability_section(say: Say, systems: Sequence[System]) -> Section:
    """Return the curve of every system with probabilities; a sentence instead where there is none."""
    title = say["reliability.title"]
    known = [(system, system.predictions) for system in systems if system.predictions]
    if not known:
        return Section("reliability", title, (Paragraph(say["missing.predictions"], "missing"),))
    if all("label" not in predictions.gold for _, predictions in known):
        return Section("reliability", title, (Paragraph(say["reliability.none for task"], "missing"),))
    drawn = [(system, predictions) for system, predictions in known if predictions.scores]
    if not drawn:
        return Section("reliability", title, (Paragraph(say["reliability.no scores"], "missing"),))
    parts: list[Part] = [Paragraph(say["reliability.lead"])]
    without = [system.name for system, predictions in known if not predictions.scores]
    if without:
        parts.append(Paragraph(say["curves.without"].format(systems=", ".join(without)), "missing"))
    quoted = _quoted(say, [system for system, _ in drawn])
    parts.append(Beside((_figure(say, drawn), *([quoted] if quoted else []))))
    return Section("reliability", title, tuple(parts))


def _figure(say: Say, drawn: Sequence[tuple[System, Predictions]]) -> Figure:
    curves, rows, records = [], [], []
    for system, predictions in drawn:
        role = say[f"column.{system.role}"]
        curve = reliability_curve(confidence_rows(predictions.gold["label"], predictions.scores))
        bins = []
        for place, confidence, accuracy, examples in zip(
            equal_width_bins(curve.confidence).tolist(),
            curve.confidence.tolist(),
            curve.accuracy.tolist(),
            curve.examples.tolist(),
            strict=True,
        ):
            low, high = place / BINS, (place + 1) / BINS
            said = say["reliability.bin"].format(
                role=role,
                confidence=numbers.share(confidence),
                accuracy=numbers.share(accuracy),
                examples=numbers.count(examples),
            )
            bins.append(Bin(low, high, confidence, accuracy, examples, said))
            edges = f"{low:.2f}–{high:.2f}"
            texts = (role, edges, numbers.share(confidence), numbers.share(accuracy), numbers.count(examples))
            rows.append(tuple(Cell(text) for text in texts))
            record = {"system": system.role, "low": low, "high": high, "confidence": confidence}
            records.append({**record, "accuracy": accuracy, "examples": examples})
        name = say["series"].format(role=role, name=system.name)
        curves.append(Reliability(system.role, name, tuple(bins)))
    words = Words(say["reliability.confidence"], say["reliability.accuracy"], say["reliability.examples"])
    title = say["reliability.figure"]
    described = (title, "; ".join(part.said for curve in curves for part in curve.bins))
    columns = (
        Column(say["column.system"]),
        Column(say["reliability.bins"], True),
        Column(say["reliability.confidence"], True),
        Column(say["reliability.accuracy"], True),
        Column(say["column.examples"], True),
    )
    table = Table("reliability", title, columns, tuple(rows), records)
    return Figure(title, reliability(curves, words, described), say["reliability.caption"], table)


def _quoted(say: Say, systems: Sequence[System]) -> Table | None:
    """Return the calibration scores that `scores.json` holds."""
    metrics = [name for name in QUOTED if any(system.score(name) for system in systems)]
    if not metrics:
        return None
    rows = tuple(
        (Cell(metric_name(name, say.language)), *(score_cell(say, system.score(name)) for system in systems))
        for name in metrics
    )
    columns = (
        Column(say["column.metric"]),
        *(Column(say[f"column.{system.role}"], True) for system in systems),
    )
    records = [{"metric": name, **{system.role: system.score(name) for system in systems}} for name in metrics]
    return Table("calibration", say["reliability.scores"], columns, rows, records)
