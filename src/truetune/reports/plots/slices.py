"""Slices: for every setting, its values across and how far the trials were ahead upright."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, around, ticks, upright
from truetune.reports.plots.legend import legend
from truetune.reports.plots.rail import Rail
from truetune.reports.plots.svg import Point, circle, drawing, fitted, group, label, line

ACROSS = 4
WIDE, TALL, LEFT, GAP, TOP, BELOW, RIGHT = 1040.0, 150.0, 64.0, 26.0, 34.0, 30.0, 8.0


@dataclass(frozen=True, slots=True)
class Dot:
    """One trial: its CSS class, its name, its value of the setting, from 0 to 1, and its lead."""

    css: str
    name: str
    place: float
    lead: float


@dataclass(frozen=True, slots=True)
class Panel:
    """One setting, with a dot a trial, the later ones on top."""

    rail: Rail
    dots: tuple[Dot, ...]


def slices(panels: Sequence[Panel], title: str, key: Sequence[tuple[str, str]], described: tuple[str, str]) -> Markup:
    """Return the panels in rows of four with one upright axis; `key` are (CSS class, name)."""
    low, high = around([dot.lead for panel in panels for dot in panel.dots])
    room = (WIDE - LEFT - RIGHT - GAP * (ACROSS - 1)) / ACROSS
    height = TOP + TALL + BELOW
    drawn: list[Markup] = []
    for number, panel in enumerate(panels):
        row, column = divmod(number, ACROSS)
        left, top = LEFT + column * (room + GAP), row * height + TOP
        y = Scale(low, high, top + TALL, top)
        marks = ticks(low, high, 4)
        if column == 0:
            drawn += upright(Axis(y, marks, title), left, left + room)
        else:
            drawn += [line(Point(left, y(tick)), Point(left + room, y(tick)), "grid") for tick in marks]
        drawn.append(fitted(panel.rail.title, Point(left, top - 12), room))
        x = Scale(0, 1, left + 8, left + room - 8)
        drawn += [label(text, Point(x(place), top + TALL + 16), "tick", "middle") for place, text in panel.rail.ticks]
        for dot in panel.dots:
            drawn.append(group([circle(Point(x(dot.place), y(dot.lead)), 4, "dot")], dot.css, dot.name))
    rows = -(-len(panels) // ACROSS)
    drawn += legend(key, Point(LEFT, rows * height + 18))
    return drawing(WIDE, rows * height + 30, described, drawn)
