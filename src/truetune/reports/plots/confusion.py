"""A matrix of gold against predicted as a heat map with its counts."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from truetune.reports.plots.svg import (
    SIZE,
    Point,
    drawing,
    fitted,
    group,
    label,
    rectangle,
    text_element,
    turned,
)
from truetune.reports.visible import one_line, width
from truetune.types import Floats, Ints

DARK = 0.8
"""Depth of colour from which figures are light: there both inks have about equal contrast."""
ROOM = 170.0
"""The most room that a label takes."""


@dataclass(frozen=True, slots=True)
class Matrix:
    """Counts `[gold, predicted]` with their row and column heads.

    `shares` `[rows, columns]` give the depth of colour, NaN for cells that cannot be filled: they stay blank.
    `right` are the cells (row, column) that count as correct, `mixed` those that hold both correct ones and
    errors; every other one is an error.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    counts: Ints
    shares: Floats
    right: frozenset[tuple[int, int]]
    mixed: frozenset[tuple[int, int]] = frozenset()

    def hue(self, cell: tuple[int, int]) -> str:
        """Return the look of a cell."""
        return "hit" if cell in self.right else ("mixed" if cell in self.mixed else "miss")


def heat_map(matrix: Matrix, titles: tuple[str, str], described: tuple[str, str], width_left: float = 1040.0) -> Markup:
    """Return the matrix coloured by its shares; `titles` are those of rows and columns.

    Correct cells and errors have hues of their own, so that neither hides the other.
    """
    left = min(ROOM, max(width(one_line(name), SIZE) for name in matrix.rows)) + 36
    longest = min(ROOM, max(width(one_line(name), SIZE) for name in matrix.columns))
    cell = min(96.0, max(34.0, (width_left - left - longest * 0.75) / len(matrix.columns)))
    cell = min(cell, 420.0 / len(matrix.rows)) if len(matrix.rows) <= 8 else min(cell, 46.0)
    slanted = longest > cell - 6
    top = (longest * 0.64 + 20 if slanted else 22.0) + 24
    right = left + cell * len(matrix.columns)
    bottom = top + cell * len(matrix.rows)
    drawn = [
        label(titles[1], Point((left + right) / 2, 14), "axis", "middle"),
        _upright(titles[0], Point(14, (top + bottom) / 2)),
        *_cells(matrix, Point(left, top), cell),
    ]
    for number, name in enumerate(matrix.rows):
        middle = top + cell * (number + 0.5)
        drawn.append(fitted(name, Point(left - 8, middle + 4.5), ROOM, "end"))
    for number, name in enumerate(matrix.columns):
        middle = left + cell * (number + 0.5)
        head = Point(middle, top - 8)
        drawn.append(turned(name, head, -40, ROOM) if slanted else fitted(name, head, cell, "middle"))
    whole = right + (longest * 0.78 if slanted else 12)
    return drawing(whole, bottom + 12, described, drawn)


def _cells(matrix: Matrix, corner: Point, cell: float) -> list[Markup]:
    drawn = []
    for row, name in enumerate(matrix.rows):
        for column, other in enumerate(matrix.columns):
            count = int(matrix.counts[row, column])
            share = float(matrix.shares[row, column])
            if math.isnan(share):
                continue
            depth = round(share**0.7, 3)
            place = Point(corner.x + cell * column, corner.y + cell * row)
            ink = "on-heat" if depth > DARK else ("faint" if not count else "number")
            said = f"{name} → {other}: {count:,} ({share:.1%})"
            parts = [
                rectangle(place, cell - 2, cell - 2, "cell"),
                rectangle(place, cell - 2, cell - 2, f"heat {matrix.hue((row, column))}", depth),
                *_figures(count, share, Point(place.x + cell / 2 - 1, place.y + cell / 2), (cell, ink)),
            ]
            drawn.append(group(parts, title=said))
    return drawn


def _figures(count: int, share: float, middle: Point, look: tuple[float, str]) -> list[Markup]:
    cell, ink = look
    if cell < 56:
        small = " small" if len(f"{count:,}") * 8 > cell - 6 else ""
        return [label(f"{count:,}", Point(middle.x, middle.y + 4.5), ink + small, "middle")]
    return [
        label(f"{count:,}", Point(middle.x, middle.y + 0.5), f"{ink} strong", "middle"),
        label(f"{share:.1%}", Point(middle.x, middle.y + 17), f"{ink} small", "middle"),
    ]


def _upright(title: str, at: Point) -> Markup:
    turn = f"rotate(-90 {at.x:.1f} {at.y:.1f})"
    place = {"x": at.x, "y": at.y, "class": "axis", "text-anchor": "middle", "transform": turn}
    return text_element("text", title, place)


def row_shares(counts: Ints) -> Floats:
    """Return each cell's share of its row, 0 in rows without any."""
    shares: Floats = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    return shares
