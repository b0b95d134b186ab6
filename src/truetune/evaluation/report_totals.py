"""The sums of counts over the rows of a report: what its micro average and accuracy are made of.

Each row admits a convex set of (true positives, predictions), so their sums are the Minkowski sum of the
sets: its lower chain is made of the edges of all lower chains, sorted by slope, and so is its upper chain.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truetune.evaluation.report_cells import SLACK, Cell
from truetune.evaluation.report_counts import Counts, Range
from truetune.types import Floats

_TOLERANCE = 10 * SLACK


@dataclass(frozen=True, slots=True)
class Totals:
    """The sums that the rows admit, between two chains of points (true positives, predictions)."""

    support: float
    least: Floats
    """`[points, 2]`, convex: the fewest predictions at each number of true positives."""
    most: Floats | None
    """`[points, 2]`, concave: the most; None where some row's predictions have no upper bound."""

    @property
    def found(self) -> Range:
        """The fewest and the most true positives."""
        return float(self.least[0, 0]), float(self.least[-1, 0])

    @property
    def predictions(self) -> Range:
        """The fewest and the most predictions."""
        most = np.inf if self.most is None else float(self.most[:, 1].max())
        return float(self.least[:, 1].min()), most

    def recall(self) -> Range:
        """Return the range of TP / support; the support must not be 0."""
        first, last = self.found
        return first / self.support, last / self.support

    def precision(self, undefined: float) -> Range:
        """Return the range of TP / predictions; without a lower bound where predictions have no upper one."""
        low = 0.0 if self.most is None else float(_shares(self.most, 0.0, 1.0, undefined).min())
        return low, float(_shares(self.least, 0.0, 1.0, undefined).max())

    def f1(self, undefined: float) -> Range:
        """Return the range of 2 TP / (support + predictions)."""
        low = 0.0 if self.most is None else float(_shares(self.most, self.support, 2.0, undefined).min())
        return low, float(_shares(self.least, self.support, 2.0, undefined).max())

    def with_recall(self, cell: Cell) -> Totals:
        """Return the sums whose micro recall prints as `cell`; the cell must meet the range of the recall."""
        first, last = self.found
        first, last = max(first, cell.low * self.support), min(last, cell.high * self.support)
        last = max(first, last)
        most = None if self.most is None else _clipped(self.most, first, last)
        return Totals(self.support, _clipped(self.least, first, last), most)

    def found_with(self, predictions: float, tolerance: float) -> Range | None:
        """Return the fewest and the most true positives at so many predictions; None when there are none.

        `tolerance` is the relative error of that number.
        """
        tolerance = max(tolerance, _TOLERANCE)
        most = self.least if self.most is None else self.most
        tp = np.concatenate((self.least[:, 0], most[:, 0], *(_crossings(c, predictions) for c in (self.least, most))))
        there = np.interp(tp, *self.least.T) <= predictions * (1 + tolerance)
        if self.most is not None:
            there &= np.interp(tp, *self.most.T) >= predictions * (1 - tolerance)
        return (float(tp[there].min()), float(tp[there].max())) if there.any() else None


def totals_of(counts: Sequence[Counts], support: float) -> Totals:
    """Return the sums over rows of one report; there must be at least one row."""
    least = _added([row.least for row in counts], 1)
    most = [row.most for row in counts if row.most is not None]
    return Totals(support, least, _added(most, -1) if len(most) == len(counts) else None)


def _added(chains: Sequence[Floats], direction: int) -> Floats:
    """Return the sum of chains whose slopes rise (direction 1) or fall (-1)."""
    start = np.sum([chain[0] for chain in chains], axis=0)
    edges = np.concatenate([np.diff(chain, axis=0) for chain in chains])
    order = np.argsort(direction * edges[:, 1] / edges[:, 0], kind="stable")
    return np.concatenate((start[None], start + np.cumsum(edges[order], axis=0)))


def _shares(chain: Floats, shift: float, factor: float, undefined: float) -> Floats:
    """Return factor x TP / (shift + predictions) at the points of a chain; 0 / 0 is `undefined`."""
    base = shift + chain[:, 1]
    empty = base == 0
    if np.isnan(undefined):
        undefined = 0.0
    return np.where(empty, undefined, factor * chain[:, 0] / np.where(empty, 1.0, base))


def _clipped(chain: Floats, first: float, last: float) -> Floats:
    inside = chain[(chain[:, 0] > first) & (chain[:, 0] < last)]
    ends = np.array([first, last])
    points = np.column_stack((ends, np.interp(ends, chain[:, 0], chain[:, 1])))
    return np.concatenate((points[:1], inside, points[1:]))


def _crossings(chain: Floats, level: float) -> Floats:
    """Return where a chain crosses a number of predictions."""
    before, after = chain[:-1], chain[1:]
    crosses = (before[:, 1] - level) * (after[:, 1] - level) < 0
    before, after = before[crosses], after[crosses]
    share = (level - before[:, 1]) / (after[:, 1] - before[:, 1])
    return np.asarray(before[:, 0] + share * (after[:, 0] - before[:, 0]))
