"""How the training went: the learning curve from the run's events."""

from __future__ import annotations

import math

import numpy as np

from truetune.reports import numbers
from truetune.reports.content import Cell, Column, Figure, Paragraph, Section, Table
from truetune.reports.metric_names import metric_name
from truetune.reports.plots.learning import Learning, Words, learning_curve, thinned
from truetune.reports.run import SavedRun
from truetune.reports.words import Say

COLUMNS = 6
"""How many metrics the table of evaluations shows; its JSON holds all."""

EPOCHS = 30
"""More epochs than this are not marked."""


def learning_section(say: Say, run: SavedRun) -> Section:
    """Return loss by step and validation score by evaluation; a sentence where nothing was recorded."""
    title = say["learning.title"]
    steps = [event for event in run.events if event.get("event") == "step" and _finite(event.get("loss"))]
    evaluated = [event for event in run.events if event.get("event") == "evaluation" and event.get("scores")]
    if not steps and not evaluated:
        return Section("learning", title, (Paragraph(say["learning.none"], "missing"),))
    metric = _metric(run, [set(event["scores"]) for event in evaluated])
    scored = [event for event in evaluated if _finite(event["scores"].get(metric))]
    best = max((place for place, event in enumerate(scored) if event.get("best")), default=None)
    curve = Learning(
        steps=np.array([event["step"] for event in steps], dtype=np.float64),
        losses=np.array([event["loss"] for event in steps], dtype=np.float64),
        epochs=_epochs(say, run),
        evaluated=np.array([event["step"] for event in scored], dtype=np.float64),
        values=np.array([event["scores"][metric] for event in scored], dtype=np.float64),
        best=best,
    )
    name = metric_name(metric, say.language) if metric else ""
    words = Words(say["learning.step"], say["learning.loss"], say["learning.smoothed"], name, say["learning.best"])
    drawn = learning_curve(curve, words, (say["learning.figure"], _sentence(say, curve, name)))
    shown = _shown(metric, [key for event in scored for key in event["scores"]])
    rows = tuple(
        (
            Cell(numbers.count(event["step"])),
            Cell(f"{event.get('epoch', math.nan):.2f}"),
            *(Cell(numbers.number(event["scores"].get(key, math.nan))) for key in shown),
            Cell(say["learning.best"] if place == best else ""),
        )
        for place, event in enumerate(scored)
    )
    drawn_losses = zip(*thinned(curve.steps, curve.losses), strict=True)
    losses = [{"event": "step", "step": float(step), "loss": float(loss)} for step, loss in drawn_losses]
    columns = (
        Column(say["learning.step"], True),
        Column(say["learning.epoch"], True),
        *(Column(metric_name(key, say.language), True) for key in shown),
        Column(""),
    )
    table = Table("learning", say["learning.evaluations"], columns, rows, [*losses, *scored])
    figure = Figure(say["learning.figure"], drawn, say["learning.caption"], table)
    return Section("learning", title, (Paragraph(_sentence(say, curve, name)), figure))


def _metric(run: SavedRun, keys: list[set[str]]) -> str:
    """Return the metric that was followed: the one that decides, else the first that every evaluation has."""
    common = set.intersection(*keys) if keys else set()
    if run.primary in common or not common:
        return run.primary if run.primary in common else ""
    first = next(event for event in run.events if event.get("event") == "evaluation")
    return next(str(name) for name in first["scores"] if name in common)


def _shown(metric: str, names: list[str]) -> list[str]:
    """Return the metrics of the table: the one that was followed first, then the first others."""
    return list(dict.fromkeys([metric, *names]))[:COLUMNS] if metric else []


def _epochs(say: Say, run: SavedRun) -> tuple[tuple[float, str], ...]:
    """Return the last step of each whole epoch."""
    ends: dict[int, float] = {}
    for event in run.events:
        if event.get("event") == "step" and event.get("epoch") is not None:
            ends[max(1, math.ceil(event["epoch"] - 1e-9))] = float(event["step"])
    if len(ends) > EPOCHS:
        return ()
    return tuple((step, say["learning.epoch.end"].format(epoch=epoch)) for epoch, step in ends.items())


def _sentence(say: Say, curve: Learning, name: str) -> str:
    parts = []
    if len(curve.steps):
        parts.append(
            say["learning.loss.sentence"].format(
                steps=numbers.count(curve.steps[-1]),
                first=numbers.number(float(curve.losses[: max(1, len(curve.losses) // 20)].mean())),
                last=numbers.number(float(curve.losses[-max(1, len(curve.losses) // 20) :].mean())),
            )
        )
    if curve.best is not None:
        parts.append(
            say["learning.best.sentence"].format(
                metric=name,
                value=numbers.number(float(curve.values[curve.best])),
                step=numbers.count(float(curve.evaluated[curve.best])),
            )
        )
    return say["sentence end"].join(parts)


def _finite(value: object) -> bool:
    return isinstance(value, int | float) and math.isfinite(value)
