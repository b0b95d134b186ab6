"""The learning curve: loss at every step, and the validation score that chose the checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, across, around, ticks, upright
from truetune.reports.plots.legend import legend
from truetune.reports.plots.svg import Point, circle, drawing, group, label, line, polyline
from truetune.types import Floats

WIDE, LEFT, RIGHT, TOP, GAP, BOTTOM = 1040.0, 64.0, 24.0, 30.0, 46.0, 50.0
TALL = {"loss": 190.0, "score": 170.0}
DRAWN = 500
"""At most this many steps are drawn; more are drawn as means of equal parts."""


@dataclass(frozen=True, slots=True)
class Learning:
    """Steps and losses `[steps]`; validation steps and values `[evaluations]`, and which was the best."""

    steps: Floats
    losses: Floats
    epochs: tuple[tuple[float, str], ...]
    """(step, text) at which an epoch ends."""
    evaluated: Floats
    values: Floats
    best: int | None


@dataclass(frozen=True, slots=True)
class Words:
    """Titles of axes and series."""

    step: str
    loss: str
    smoothed: str
    score: str
    best: str


def learning_curve(run: Learning, words: Words, described: tuple[str, str]) -> Markup:
    """Return loss above and validation score below on one axis of steps; either may be absent."""
    last = float(max([*run.steps[-1:], *run.evaluated[-1:], 1.0]))
    x = Scale(0, last, LEFT, WIDE - RIGHT)
    panels = [name for name, part in (("loss", run.steps), ("score", run.evaluated)) if len(part)]
    drawn: list[Markup] = []
    top = TOP
    for number, name in enumerate(panels):
        bottom = top + TALL[name]
        title = words.step if number == len(panels) - 1 else ""
        drawn += across(Axis(x, ticks(0, last, 8), title), top, bottom)
        drawn += [line(Point(x(step), top), Point(x(step), bottom), "epoch") for step, _ in run.epochs]
        if number == 0:
            drawn += [label(text, Point(x(step) - 5, top + 12), "tick", "end") for step, text in run.epochs]
        panel = _loss if name == "loss" else _score
        drawn += panel(run, words, x, (top, bottom))
        top = bottom + GAP
    return drawing(WIDE, top - GAP + BOTTOM, described, drawn)


def smoothed(values: Floats, share: float = 0.03) -> Floats:
    """Return the exponential moving average over about `share` of the series, corrected for its start."""
    keep = 1 - 1 / max(2.0, share * len(values))
    total = weight = 0.0
    found = np.empty_like(values)
    for place, value in enumerate(values):
        total, weight = keep * total + (1 - keep) * value, keep * weight + (1 - keep)
        found[place] = total / weight
    return found


def thinned(steps: Floats, values: Floats) -> tuple[Floats, Floats]:
    """Return at most `DRAWN` points: means of equal parts of the series."""
    if len(steps) <= DRAWN:
        return steps, values
    parts = np.array_split(np.arange(len(steps)), DRAWN)
    return (
        np.array([steps[part].mean() for part in parts]),
        np.array([values[part].mean() for part in parts]),
    )


def _loss(run: Learning, words: Words, x: Scale, place: tuple[float, float]) -> list[Markup]:
    top, bottom = place
    low, high = around(list(run.losses), (0.0, float("inf")))
    y = Scale(low, high, bottom, top)
    lines = (("raw", run.losses), ("smooth", smoothed(run.losses)))
    drawn = upright(Axis(y, ticks(low, high, 4), words.loss), LEFT, WIDE - RIGHT)
    for css, values in lines:
        points = zip(*thinned(run.steps, values), strict=True)
        drawn.append(polyline([Point(x(step), y(value)) for step, value in points], f"curve {css}"))
    names = (("raw", words.loss), ("smooth", words.smoothed))
    return [*drawn, *legend(names, Point(LEFT, top - 12), strokes=True)]


def _score(run: Learning, words: Words, x: Scale, place: tuple[float, float]) -> list[Markup]:
    top, bottom = place
    low, high = around(list(run.values))
    y = Scale(low, high, bottom, top)
    points = [Point(x(step), y(value)) for step, value in zip(run.evaluated, run.values, strict=True)]
    drawn = upright(Axis(y, ticks(low, high, 4), words.score), LEFT, WIDE - RIGHT)
    spots: Sequence[Markup] = [
        group([circle(point, 4, "dot")], title=f"{words.step} {step:,.0f}: {value:.4f}")
        for point, step, value in zip(points, run.evaluated, run.values, strict=True)
    ]
    drawn.append(group([polyline(points, "curve"), *spots], "after"))
    if run.best is not None:
        drawn.append(circle(points[run.best], 9, "best"))
        drawn.append(_best_label(points[run.best], words.best, (top, bottom)))
    return drawn


def _best_label(at: Point, text: str, place: tuple[float, float]) -> Markup:
    """Return the name of the best point where it does not leave the panel."""
    below = at.y - place[0] < 24
    y = at.y + 24 if below else at.y - 14
    anchor = "end" if at.x > WIDE - 160 else ("start" if at.x < LEFT + 60 else "middle")
    return label(text, Point(at.x, y), "strong", anchor)
