"""Values with their intervals as dots and whiskers, several systems on one scale."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, across, around, ticks
from truetune.reports.plots.legend import legend
from truetune.reports.plots.svg import SIZE, Point, circle, drawing, fitted, group, line, rectangle
from truetune.reports.visible import one_line, width

ROW, TOP, LEGEND, BOTTOM = 30.0, 8.0, 28.0, 50.0
LABELS = 300.0
"""The most room that row labels take."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A value with its interval, in the look of one of the series; bounds may be missing."""

    value: float
    low: float | None
    high: float | None
    series: str
    """CSS class: `before`, `after` or `change`."""
    shown: str
    """The value as text."""
    said: str
    """What the pointer resting on it shows."""

    @property
    def ends(self) -> tuple[float, ...]:
        """All that the scale must hold."""
        return tuple(end for end in (self.low, self.value, self.high) if end is not None)


@dataclass(frozen=True, slots=True)
class Line:
    """One labelled row of marks."""

    label: str
    marks: tuple[Mark, ...]


def dots(
    lines: Sequence[Line],
    described: tuple[str, str],
    axis: str,
    series: Sequence[tuple[str, str]],
    full_width: float = 1040.0,
    zero: bool = False,
) -> Markup:
    """Return rows of dots with whiskers on one common scale.

    `series` are (CSS class, name) of the legend; with `zero` the scale holds 0 and marks it, as
    differences need it.
    """
    ends = [end for row in lines for mark in row.marks for end in mark.ends]
    low, high = around([*ends, 0.0] if zero else ends, None if zero else _limits(ends))
    left = min(LABELS, max(width(one_line(row.label), SIZE) for row in lines)) + 16
    pitch = ROW if max(len(row.marks) for row in lines) < 2 else ROW + 6
    top = TOP + (LEGEND if series else 0)
    bottom = top + pitch * len(lines)
    scale = Scale(low, high, left + 8, full_width - 24)
    axis_at = Axis(scale, ticks(low, high, max(3, int((full_width - left) / 110))), axis)
    drawn = [*legend(series, Point(left + 8, 14)), *across(axis_at, top - 6, bottom)]
    if zero:
        drawn.append(line(Point(scale(0), top - 6), Point(scale(0), bottom), "zero"))
    for number, row in enumerate(lines):
        middle = top + pitch * (number + 0.5)
        if number % 2:
            drawn.insert(0, rectangle(Point(0, middle - pitch / 2), full_width, pitch, "band"))
        drawn.append(fitted(row.label, Point(left - 8, middle + 4.5), left - 12, "end"))
        for place, mark in enumerate(row.marks):
            offset = (place - (len(row.marks) - 1) / 2) * 13
            drawn.append(whisker(mark, scale, middle + offset))
    return drawing(full_width, bottom + BOTTOM, described, drawn)


def whisker(mark: Mark, scale: Scale, y: float) -> Markup:
    """Return a dot with its interval as a line with end strokes."""
    drawn = []
    if mark.low is not None and mark.high is not None:
        low, high = scale(mark.low), scale(mark.high)
        drawn.append(line(Point(low, y), Point(high, y), "whisker"))
        drawn += [line(Point(x, y - 4), Point(x, y + 4), "whisker") for x in (low, high)]
    drawn.append(circle(Point(scale(mark.value), y), 5, "dot"))
    return group(drawn, mark.series, mark.said)


def _limits(ends: Sequence[float]) -> tuple[float, float] | None:
    """Return [0, 1] where all is a share: the scale then does not run past it."""
    inside = all(0 <= end <= 1 for end in ends if math.isfinite(end))
    return (0.0, 1.0) if inside else None
