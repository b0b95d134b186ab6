"""Square plots of rates against rates: ROC, precision over recall, and what they are read against."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from truetune.reports.plots.axes import Axis, Scale, across, upright
from truetune.reports.plots.legend import legend
from truetune.reports.plots.svg import Point, drawing, line, polyline
from truetune.types import Floats

SIDE, LEFT, TOP, BOTTOM, RIGHT = 400.0, 62.0, 14.0, 46.0, 22.0
SHARES = (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)
STEP = 0.25
"""Points nearer to a drawn one than this many pixels are not drawn."""


@dataclass(frozen=True, slots=True)
class Curve:
    """One line through shares `x`, `y` `[points]`, drawn in order; `css` is its look."""

    css: str
    name: str
    x: Floats
    y: Floats
    listed: bool = True
    """Whether the legend names it."""


@dataclass(frozen=True, slots=True)
class Frame:
    """Titles of the two axes, and the line that a system without skill would draw (None: none)."""

    across: str
    upright: str
    chance: tuple[Point, Point] | None


def curves(shown: Sequence[Curve], frame: Frame, described: tuple[str, str]) -> Markup:
    """Return the curves in the unit square, the legend below, the later ones on top."""
    x = Scale(0, 1, LEFT, LEFT + SIDE)
    y = Scale(0, 1, TOP + SIDE, TOP)
    drawn = [
        *across(Axis(x, SHARES, frame.across), TOP, TOP + SIDE),
        *upright(Axis(y, SHARES, frame.upright), LEFT, LEFT + SIDE),
    ]
    if frame.chance:
        start, end = (Point(x(place.x), y(place.y)) for place in frame.chance)
        drawn.append(line(start, end, "chance"))
    for curve in shown:
        places = np.column_stack([x.start + curve.x * SIDE, y.start - curve.y * SIDE])
        points = [Point(float(left), float(up)) for left, up in thinned(places)]
        drawn.append(polyline(points, f"curve {curve.css}", curve.name))
    named = [(curve.css, curve.name) for curve in shown if curve.listed]
    below = TOP + SIDE + BOTTOM
    for number, entry in enumerate(named):
        drawn += legend([entry], Point(LEFT, below + 20 * (number + 1)), strokes=True)
    return drawing(LEFT + SIDE + RIGHT, below + 20 * len(named) + 12, described, drawn)


def thinned(places: Floats) -> Floats:
    """Return `[kept, 2]` of `[points, 2]` such that no dropped point is further than a pixel's part away.

    Steps keep their corners: a point is dropped only when it lies within `STEP` of the last kept one, or
    on the straight horizontal or vertical line between its neighbours.
    """
    if len(places) < 3:
        return places
    before, here, after = places[:-2], places[1:-1], places[2:]
    straight = ((before == here) & (here == after)).any(axis=1)
    places = places[np.r_[True, ~straight, True]]
    kept = [places[0]]
    for place in places[1:-1]:
        if np.abs(place - kept[-1]).max() >= STEP:
            kept.append(place)
    return np.array([*kept, places[-1]])
