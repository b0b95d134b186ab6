"""The legend of a plot: a sample of each series and its name."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup

from truetune.reports.plots.svg import SIZE, Point, circle, group, label, line
from truetune.reports.visible import one_line, shortened, width

ROOM = 340.0
"""The most room that a name takes."""


def legend(series: Sequence[tuple[str, str]], at: Point, strokes: bool = False) -> list[Markup]:
    """Return samples and names from left to right; `series` are (CSS class, name).

    A sample is a dot, or with `strokes` a piece of a line.
    """
    drawn = []
    x = at.x
    for css, name in series:
        short = shortened(one_line(name), ROOM, SIZE)
        sample = (
            line(Point(x, at.y - 4), Point(x + 22, at.y - 4), "curve")
            if strokes
            else circle(Point(x + 5, at.y - 4), 5, "dot")
        )
        start = x + (30 if strokes else 17)
        drawn.append(group([sample, label(short, Point(start, at.y))], css))
        x = start + width(short, SIZE) + 26
    return drawn
