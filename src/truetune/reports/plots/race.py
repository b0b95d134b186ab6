"""The race of a search: the score of every trial over its training, until it ended or was stopped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, across, around, ticks, upright
from truetune.reports.plots.legend import legend
from truetune.reports.plots.svg import Point, circle, drawing, group, polyline

WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM = 1040.0, 300.0, 64.0, 24.0, 24.0, 50.0


@dataclass(frozen=True, slots=True)
class Lap:
    """One trial: its CSS class, its name, and (share of training, score) at each rung."""

    css: str
    name: str
    rungs: tuple[tuple[float, float], ...]


def race(
    laps: Sequence[Lap], axes: tuple[str, str], key: Sequence[tuple[str, str]], described: tuple[str, str]
) -> Markup:
    """Return a line a trial, the later ones on top, with a dot where each ended; `key` are (CSS class, name)."""
    low, high = around([value for lap in laps for _, value in lap.rungs])
    x = Scale(0, 1, LEFT, WIDE - RIGHT)
    y = Scale(low, high, TOP + TALL, TOP)
    drawn = [
        *across(Axis(x, (0.0, 0.25, 0.5, 0.75, 1.0), axes[0]), TOP, TOP + TALL),
        *upright(Axis(y, ticks(low, high, 6), axes[1]), LEFT, WIDE - RIGHT),
    ]
    for lap in laps:
        points = [Point(x(share), y(value)) for share, value in lap.rungs]
        drawn.append(group([polyline(points, "curve"), circle(points[-1], 3.5, "dot")], lap.css, lap.name))
    drawn += legend(key, Point(LEFT, TOP + TALL + BOTTOM + 18), strokes=True)
    return drawing(WIDE, TOP + TALL + BOTTOM + 32, described, drawn)
