"""Parallel coordinates: an upright axis a setting, what came of it last, a line a trial."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.legend import legend
from truetune.reports.plots.rail import Rail
from truetune.reports.plots.svg import Point, drawing, fitted, group, label, line, polyline

WIDE, TALL, LEFT, RIGHT, TOP, BOTTOM = 1040.0, 280.0, 60.0, 34.0, 52.0, 34.0


@dataclass(frozen=True, slots=True)
class Strand:
    """One trial: its CSS class, its name, and its place from 0 to 1 on every axis."""

    css: str
    name: str
    places: tuple[float, ...]


def parallel(
    strands: Sequence[Strand], rails: Sequence[Rail], key: Sequence[tuple[str, str]], described: tuple[str, str]
) -> Markup:
    """Return the axes from left to right with a line a trial, the later ones on top; `key` are (CSS class, name)."""
    step = (WIDE - LEFT - RIGHT) / max(1, len(rails) - 1)
    across = [LEFT + step * number for number in range(len(rails))]
    drawn: list[Markup] = []
    for number, (x, rail) in enumerate(zip(across, rails, strict=True)):
        drawn.append(line(Point(x, TOP), Point(x, TOP + TALL), "epoch"))
        # Names take two lines by turns, so that long ones do not meet.
        last = number == len(rails) - 1
        at = Point(x + (RIGHT - 4 if last else 0), TOP - 14 - (18 if number % 2 else 0))
        drawn.append(fitted(rail.title, at, 1.9 * step - 14, "end" if last else "middle"))
    for strand in strands:
        points = [Point(x, _y(place)) for x, place in zip(across, strand.places, strict=True)]
        drawn.append(group([polyline(points, "curve")], strand.css, strand.name))
    for x, rail in zip(across, rails, strict=True):
        drawn += [label(text, Point(x - 5, _y(place) + 4), "halo", "end") for place, text in rail.ticks]
    drawn += legend(key, Point(LEFT, TOP + TALL + BOTTOM), strokes=True)
    return drawing(WIDE, TOP + TALL + BOTTOM + 14, described, drawn)


def _y(place: float) -> float:
    return TOP + TALL * (1 - place)
