"""The counts behind a row of a report: which true positives and predictions print as its cells.

A row prints P = TP / predictions, R = TP / support and F1 = 2 TP / (support + predictions), rounded. In the
plane of (TP, predictions) each cell admits a wedge or a strip with straight sides, so the counts of a row
are the whole points of a convex polygon. That gives exact answers: whether there is such a point, and the
smallest and largest value of each share over all of them.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isnan

import numpy as np

from truetune.evaluation.report_cells import ANY_SHARE, F1, PRECISION, RECALL, SLACK, Cell, Shares
from truetune.types import Floats

ENUMERATED = 512
"""Up to so many numbers of true positives, bounds are over whole points; above, over the polygon."""
SCANNED = 200_000
"""Up to so many, a whole point is looked for; above, a polygon of that width is taken to hold one."""

Range = tuple[float, float]
Lines = list[tuple[float, float]]
"""(slope, intercept): predictions as a function of true positives."""


@dataclass(frozen=True, slots=True)
class Counts:
    """All counts that a row admits, between two chains of points (true positives, predictions).

    `least` `[points, 2]` is convex, `most` `[points, 2]` concave, both over the same true positives; `most`
    is None where the predictions have no upper bound.
    """

    least: Floats
    most: Floats | None
    ranges: dict[str, Range | None]
    """Column -> the values that the share takes, before rounding; None where it prints `nan`."""


@dataclass(frozen=True, slots=True)
class _Strip:
    """Predictions `low` to `high` (infinite where unbounded) admitted at each number of true positives."""

    tp: Floats
    low: Floats
    high: Floats


def counts_of(shares: Shares, support: float, whole: bool, undefined: float) -> Counts | None:
    """Return the counts that print as `shares`, or None when there are none.

    `whole`: examples count 1 each, so the counts are whole numbers; otherwise they are any numbers from 0.
    `undefined` is what 0 / 0 prints as: 0, 1 or NaN (the argument `zero_division` of the libraries).
    """
    strips = []
    if _prints(shares, undefined, support, undefined):
        strips.append(_point(0.0, 0.0))
    if _prints(shares, 0.0, support, undefined):
        strips.append(_point(1.0 if whole else 0.0, inf))
    found = _something_found(shares, support, whole) if support > 0 else None
    if found is not None:
        strips.append(found)
    if not strips:
        return None
    every = _joined(strips)
    predictions = np.stack((every.low, every.high))
    precision = _ratio(every.tp, predictions, undefined)
    recall = _ratio(every.tp, np.array(support), undefined)
    f1 = _ratio(2 * every.tp, support + predictions, undefined)
    values = {PRECISION: precision, RECALL: recall, F1: f1}
    ranges = {column: _range(values[column], cell) for column, cell in shares.columns.items()}
    return _counts(every, ranges)


def loose_counts(shares: Shares, support: float) -> Counts:
    """Return counts that hold P and R only, in any numbers: what an impossible row still says of the sums."""
    precision, recall = (cell if _usable(cell) else ANY_SHARE for cell in (shares.precision, shares.recall))
    strips = []
    if support == 0 or recall.low <= 0:
        strips.append(_point(0.0, 0.0 if support > 0 and precision.low > 0 else inf))
    found = _something_found(Shares(precision, recall, ANY_SHARE), support, whole=False)
    if found is not None:
        strips.append(found)
    ranges = {column: _clipped(cell) for column, cell in shares.columns.items()}
    return _counts(_joined(strips), ranges)


def _prints(shares: Shares, precision: float, support: float, undefined: float) -> bool:
    """Return whether a row without true positives prints as `shares`.

    Its P is 0, or 0 / 0 without predictions; R is 0, or 0 / 0 without support; F1 is 0, or 0 / 0 without both.
    """
    without_both = support == 0 and (precision == undefined or isnan(precision))
    recall = undefined if support == 0 else 0.0
    f1 = undefined if without_both else 0.0
    # scikit-learn before 1.3 computed F1 from P and R, so it was NaN with them.
    f1_prints = shares.f1.admits(f1) or (shares.f1.undefined and (isnan(precision) or isnan(recall)))
    return shares.precision.admits(precision) and shares.recall.admits(recall) and f1_prints


def _something_found(shares: Shares, support: float, whole: bool) -> _Strip | None:
    """Return the counts with true positives, or None."""
    cells = (shares.precision, shares.recall, shares.f1)
    if not all(_usable(cell) and cell.high > 0 for cell in cells):
        return None
    lows = [max(cell.low, 0.0) for cell in cells]
    highs = [min(cell.high, 1.0) for cell in cells]
    over = [(1 / highs[0], 0.0), (2 / highs[2], -support)]
    under = [(1 / lows[0], 0.0)] if lows[0] > 0 else []
    under += [(2 / lows[2], -support)] if lows[2] > 0 else []
    polygon = _polygon(lows[1] * support, highs[1] * support, over, under)
    if polygon is None or not whole:
        return polygon
    first = max(1.0, np.ceil(polygon.tp[0] * (1 - SLACK)))
    last = min(support, np.floor(polygon.tp[-1] * (1 + SLACK)))
    if last < first:
        return None
    if last - first >= SCANNED:
        return polygon
    tp = np.arange(first, last + 1)
    low = np.maximum(np.ceil(_highest(over, tp, 1 - SLACK)), tp)
    high = np.floor(_lowest(under, tp, 1 + SLACK))
    there = low <= high
    if not there.any():
        return None
    return _Strip(tp[there], low[there], high[there]) if len(tp) <= ENUMERATED else polygon


def _polygon(first: float, last: float, over: Lines, under: Lines) -> _Strip | None:
    """Return the corners of the counts from `first` to `last`, above the lines `over`, below `under`."""
    corners = [first, last]
    lines = over + under
    for number, (slope, intercept) in enumerate(lines):
        for other, shift in lines[number + 1 :]:
            if slope != other and first < (at := (shift - intercept) / (slope - other)) < last:
                corners.append(at)
    tp = np.unique(corners)
    low, high = _highest(over, tp, 1.0), _lowest(under, tp, 1.0)
    there = low <= high + 10 * SLACK * np.abs(low)
    if not there.any():
        return None
    return _Strip(tp[there], low[there], np.maximum(high[there], low[there]))


def _highest(lines: Lines, tp: Floats, stretch: float) -> Floats:
    """Return the highest line at each `tp`; the slopes are stretched by a factor against rounding errors."""
    return np.asarray(np.max([slope * tp * stretch + intercept for slope, intercept in lines], axis=0))


def _lowest(lines: Lines, tp: Floats, stretch: float) -> Floats:
    if not lines:
        return np.full(tp.shape, inf)
    return np.asarray(np.min([slope * tp * stretch + intercept for slope, intercept in lines], axis=0))


def _ratio(part: Floats, whole: Floats, undefined: float) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.where(whole == 0, undefined, part / np.where(whole == 0, 1.0, whole))


def _range(values: Floats, cell: Cell) -> Range | None:
    """Return the range of a share. A ratio of linear functions is extreme at corners, so they suffice."""
    if cell.undefined:
        return None
    return max(float(np.nanmin(values)), cell.low, 0.0), min(float(np.nanmax(values)), cell.high, 1.0)


def _clipped(cell: Cell) -> Range | None:
    if cell.undefined:
        return None
    return (max(cell.low, 0.0), min(cell.high, 1.0)) if cell.is_share else (0.0, 1.0)


def _counts(strip: _Strip, ranges: dict[str, Range | None]) -> Counts:
    most = None if np.isinf(strip.high).any() else convex_chain(strip.tp, -strip.high) * np.array([1, -1])
    return Counts(convex_chain(strip.tp, strip.low), most, ranges)


def convex_chain(x: Floats, y: Floats) -> Floats:
    """Return the corners `[points, 2]` of the lower convex hull of points, from left to right."""
    chain: list[tuple[float, float]] = []
    order = np.lexsort((y, x))
    for point in zip(x[order].tolist(), y[order].tolist(), strict=True):
        if chain and chain[-1][0] == point[0]:
            continue
        while len(chain) > 1 and _above(chain[-1], chain[-2], point):
            chain.pop()
        chain.append(point)
    return np.array(chain)


def _above(middle: tuple[float, float], left: tuple[float, float], right: tuple[float, float]) -> bool:
    """Return whether `middle` lies on or above the line from `left` to `right`."""
    return (middle[1] - left[1]) * (right[0] - left[0]) >= (right[1] - left[1]) * (middle[0] - left[0])


def _joined(strips: list[_Strip]) -> _Strip:
    return _Strip(
        np.concatenate([strip.tp for strip in strips]),
        np.concatenate([strip.low for strip in strips]),
        np.concatenate([strip.high for strip in strips]),
    )


def _point(low: float, high: float) -> _Strip:
    """No true positives, and so many predictions."""
    return _Strip(np.zeros(1), np.array([low]), np.array([high]))


def _usable(cell: Cell) -> bool:
    return not cell.undefined and cell.is_share
