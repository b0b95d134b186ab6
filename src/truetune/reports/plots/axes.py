"""Scales, round ticks, and the frame of a plot with two axes."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.svg import Point, label, line, text_element


@dataclass(frozen=True, slots=True)
class Scale:
    """A linear map from values `[low, high]` to places `[start, end]` in the drawing."""

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """Return the place of a value."""
        return self.start + (value - self.low) / (self.high - self.low) * (self.end - self.start)


@dataclass(frozen=True, slots=True)
class Axis:
    """A scale with its ticks and its title."""

    scale: Scale
    ticks: tuple[float, ...]
    title: str = ""


def ticks(low: float, high: float, about: int = 5) -> tuple[float, ...]:
    """Return round values inside `[low, high]`: steps of 1, 2, 2.5 or 5 times a power of ten."""
    raw = (high - low) / max(about, 1)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 2.5, 5, 10) if factor * power >= raw * 0.999)
    first, last = math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9)
    return tuple(round(number * step, 12) + 0.0 for number in range(first, last + 1))


def around(values: Sequence[float], limits: tuple[float, float] | None = None) -> tuple[float, float]:
    """Return a range that holds all values with a little room, inside `limits` where they are given."""
    low, high = min(values), max(values)
    room = 0.06 * (high - low) or 0.05 * abs(high) or 0.5
    low, high = low - room, high + room
    if limits:
        low, high = max(low, limits[0]), min(high, limits[1])
    return low, high


def tick_label(value: float, all_ticks: Sequence[float]) -> str:
    """Return a tick's text, with as many digits as tell the ticks apart."""
    step = min((b - a for a, b in itertools.pairwise(all_ticks)), default=1.0)
    for digits in range(7):
        if abs(round(step, digits) - step) < 1e-9 * max(1.0, abs(step)):
            return f"{value:,.{digits}f}"
    return f"{value:g}"


def across(axis: Axis, top: float, bottom: float) -> list[Markup]:
    """Return the horizontal axis at `bottom`, with grid lines up to `top`."""
    drawn = []
    for tick in axis.ticks:
        x = axis.scale(tick)
        drawn.append(line(Point(x, top), Point(x, bottom), "grid"))
        drawn.append(label(tick_label(tick, axis.ticks), Point(x, bottom + 18), "tick", "middle"))
    if axis.title:
        middle = (axis.scale.start + axis.scale.end) / 2
        drawn.append(label(axis.title, Point(middle, bottom + 38), "axis", "middle"))
    return drawn


def upright(axis: Axis, left: float, right: float) -> list[Markup]:
    """Return the vertical axis at `left`, with grid lines to `right`."""
    drawn = []
    for tick in axis.ticks:
        y = axis.scale(tick)
        drawn.append(line(Point(left, y), Point(right, y), "grid"))
        drawn.append(label(tick_label(tick, axis.ticks), Point(left - 8, y + 4.5), "tick", "end"))
    if axis.title:
        middle, x = (axis.scale.start + axis.scale.end) / 2, left - 44
        turn = f"rotate(-90 {x:.1f} {middle:.1f})"
        place = {"x": x, "y": middle, "class": "axis", "text-anchor": "middle", "transform": turn}
        drawn.append(text_element("text", axis.title, place))
    return drawn
