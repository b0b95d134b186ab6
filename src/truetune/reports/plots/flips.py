"""What changed between two systems: a bar of all examples, and gained against lost by label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from truetune.reports.plots.axes import Scale
from truetune.reports.plots.svg import SIZE, Point, drawing, fitted, group, label, line, rectangle
from truetune.reports.visible import one_line, width

WIDE, BAR, ROW = 1040.0, 34.0, 26.0


@dataclass(frozen=True, slots=True)
class Part:
    """A part of all examples: CSS class, name, number."""

    css: str
    name: str
    examples: int


@dataclass(frozen=True, slots=True)
class Change:
    """Examples of one gold label that became right, and that became wrong."""

    label: str
    gained: int
    lost: int


def whole_and_parts(parts: Sequence[Part], described: tuple[str, str]) -> Markup:
    """Return one bar cut into its parts, each named below with its number and share."""
    total = sum(part.examples for part in parts) or 1
    drawn, x, name_at = [], 0.0, 0.0
    for part in parts:
        wide = WIDE * part.examples / total
        said = f"{part.name}: {part.examples:,} ({part.examples / total:.1%})"
        drawn.append(group([rectangle(Point(x, 4), wide - 1.5, BAR, "bar")], part.css, said))
        sample = rectangle(Point(name_at, BAR + 19), 11, 11, "bar")
        drawn.append(group([sample, label(said, Point(name_at + 18, BAR + 29))], part.css))
        x += wide
        name_at += width(said, SIZE) + 54
    return drawing(max(WIDE, name_at), BAR + 44, described, drawn)


def gained_and_lost(changes: Sequence[Change], names: tuple[str, str], described: tuple[str, str]) -> Markup:
    """Return a row a label: examples lost to the left of zero, gained to the right."""
    left = min(260.0, max(width(one_line(change.label), SIZE) for change in changes)) + 16
    lost, gained = max(change.lost for change in changes), max(change.gained for change in changes)
    scale = Scale(-max(lost, 1), max(gained, 1), left + 70, WIDE - 70)
    zero, top = scale(0), 30.0
    bottom = top + ROW * len(changes)
    drawn = [
        label(names[1], Point(zero - 14, 16), "lost-name", "end"),
        label(names[0], Point(zero + 14, 16), "gained-name"),
    ]
    for number, change in enumerate(changes):
        y = top + ROW * number
        middle = y + ROW / 2 + 4.5
        drawn.append(fitted(change.label, Point(left - 8, middle), left - 12, "end"))
        to_left, to_right = zero - scale(-change.lost), scale(change.gained) - zero
        drawn.append(group([rectangle(Point(zero - to_left, y + 4), to_left, ROW - 8, "bar")], "lost"))
        drawn.append(group([rectangle(Point(zero, y + 4), to_right, ROW - 8, "bar")], "gained"))
        drawn.append(label(f"{change.lost:,}", Point(zero - to_left - 7, middle), "number", "end"))
        drawn.append(label(f"{change.gained:,}", Point(zero + to_right + 7, middle), "number"))
    drawn.append(line(Point(zero, top - 4), Point(zero, bottom), "zero"))
    return drawing(WIDE, bottom + 8, described, drawn)
