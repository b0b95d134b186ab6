"""Before and after on one scale, and beside it their difference against zero."""

from __future__ import annotations

from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, across, around, ticks
from truetune.reports.plots.intervals import Line, Mark, whisker
from truetune.reports.plots.svg import SIZE, Point, drawing, fitted, label, line
from truetune.reports.visible import one_line, width

WIDE, ROW, TOP, BOTTOM, GAP = 1040.0, 40.0, 14.0, 48.0, 64.0
SHARE = 0.56
"""The left panel's share of the room that labels leave."""


@dataclass(frozen=True, slots=True)
class Panels:
    """The rows of the left panel, the one row of the right panel, and the titles of the two axes."""

    systems: tuple[Line, ...]
    change: Line
    axis: str
    change_axis: str


def difference(panels: Panels, described: tuple[str, str]) -> Markup:
    """Return both panels; each dot's number stands beside it."""
    left = min(320.0, max(width(one_line(row.label), SIZE) for row in panels.systems)) + 16
    room = WIDE - left - GAP - 20
    bottom = TOP + ROW * len(panels.systems)
    values = [end for row in panels.systems for mark in row.marks for end in mark.ends]
    shares = all(0 <= value <= 1 for value in values)
    low, high = around(values, (0.0, 1.0) if shares else None)
    scale = Scale(low, high, left, left + room * SHARE)
    drawn = across(Axis(scale, ticks(low, high, 5), panels.axis), TOP, bottom)
    for number, row in enumerate(panels.systems):
        middle = TOP + ROW * (number + 0.5)
        drawn.append(fitted(row.label, Point(left - 14, middle + 4.5), left - 16, "end"))
        drawn += _marks(row, scale, middle)
    change = [end for mark in panels.change.marks for end in mark.ends]
    low, high = around([*change, 0.0])
    scale = Scale(low, high, left + room * SHARE + GAP, WIDE - 20)
    drawn += across(Axis(scale, ticks(low, high, 4), panels.change_axis), TOP, bottom)
    drawn.append(line(Point(scale(0), TOP), Point(scale(0), bottom), "zero"))
    drawn += _marks(panels.change, scale, (TOP + bottom) / 2)
    return drawing(WIDE, bottom + BOTTOM, described, drawn)


def _marks(row: Line, scale: Scale, middle: float) -> list[Markup]:
    return [part for mark in row.marks for part in (whisker(mark, scale, middle), _value(mark, scale, middle))]


def _value(mark: Mark, scale: Scale, middle: float) -> Markup:
    """Return the value above its dot, kept inside the panel."""
    half = width(mark.shown, SIZE) / 2
    x = min(max(scale(mark.value), scale.start + half), scale.end - half)
    return label(mark.shown, Point(x, middle - 9), "number strong", "middle")
