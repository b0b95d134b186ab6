"""Reliability: how often a system is right when it says how sure it is."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, across, upright
from truetune.reports.plots.curves import BOTTOM, LEFT, RIGHT, SHARES, SIDE, TOP
from truetune.reports.plots.legend import legend
from truetune.reports.plots.svg import Point, circle, drawing, group, label, line, polyline, rectangle

BARS = 70.0
"""Height of the strip that shows how many examples each bin holds."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Examples of similar confidence: their mean confidence, their accuracy, their number."""

    low: float
    high: float
    confidence: float
    accuracy: float
    examples: int
    said: str


@dataclass(frozen=True, slots=True)
class Reliability:
    """The bins of one system, in the look of a series."""

    css: str
    name: str
    bins: tuple[Bin, ...]


@dataclass(frozen=True, slots=True)
class Words:
    """Titles of the axes and of the strip."""

    across: str
    upright: str
    examples: str


def reliability(systems: Sequence[Reliability], words: Words, described: tuple[str, str]) -> Markup:
    """Return accuracy over confidence with the diagonal of perfect calibration, and a strip of counts."""
    x = Scale(0, 1, LEFT, LEFT + SIDE)
    y = Scale(0, 1, TOP + SIDE, TOP)
    strip = TOP + SIDE + 34 + BARS
    drawn = [
        *across(Axis(x, SHARES), TOP, TOP + SIDE),
        *upright(Axis(y, SHARES, words.upright), LEFT, LEFT + SIDE),
        line(Point(x(0), y(0)), Point(x(1), y(1)), "chance"),
        *across(Axis(x, SHARES, words.across), strip - BARS, strip),
        label(words.examples, Point(LEFT + 6, strip - BARS + 12), "tick"),
    ]
    most = max(part.examples for system in systems for part in system.bins)
    for number, system in enumerate(systems):
        drawn.append(_curve(system, x, y, most))
        drawn.append(_bars(system, x, strip, (number, len(systems), most)))
    below = strip + BOTTOM
    for number, system in enumerate(systems):
        drawn += legend([(system.css, system.name)], Point(LEFT, below + 20 * (number + 1)), strokes=True)
    return drawing(LEFT + SIDE + RIGHT, below + 20 * len(systems) + 12, described, drawn)


def _curve(system: Reliability, x: Scale, y: Scale, most: int) -> Markup:
    points = [Point(x(part.confidence), y(part.accuracy)) for part in system.bins]
    spots = [
        group([circle(point, 3 + 5 * math.sqrt(part.examples / most), "dot")], title=part.said)
        for point, part in zip(points, system.bins, strict=True)
    ]
    return group([polyline(points, "curve thin"), *spots], system.css)


def _bars(system: Reliability, x: Scale, bottom: float, place: tuple[int, int, int]) -> Markup:
    number, systems, most = place
    bars = []
    for part in system.bins:
        wide = (x(part.high) - x(part.low) - 2) / systems
        tall = (BARS - 16) * part.examples / most
        corner = Point(x(part.low) + 1 + number * wide, bottom - tall)
        bars.append(group([rectangle(corner, wide - 1, tall, "bar")], title=part.said))
    return group(bars, system.css)
