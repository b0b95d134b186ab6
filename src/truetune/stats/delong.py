"""The area under the ROC curve: its variance, and that of a difference, without resampling.

DeLong, DeLong and Clarke-Pearson (1988), through ranks as Sun and Xu (2014): O(n log n). With groups the
same components are summed by group (Obuchowski 1997).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Area:
    """An area under the ROC curve and each example's part in it."""

    value: float
    components: Floats
    """`[examples]`: for a positive the share of negatives scored below it (ties half), for a negative the
    share of positives scored above it."""
    positive: Bools
    """`[examples]`"""


def area(rows: Rows) -> Area:
    """Return the area for rows `[distinct, 2]` of (gold is positive, score); NaN where a class is missing."""
    table = rows.table
    if table.ndim != 2 or table.shape[1] != 2 or not np.isin(table[:, 0], (0, 1)).all():
        raise MetricError(
            f"DeLong's interval reads rows of (gold is positive: 0 or 1, score); found a table of shape {table.shape}"
        )
    positive, counts = table[:, 0] == 1, rows.counts
    scores, place = np.unique(table[:, 1], return_inverse=True)
    above = np.bincount(place, weights=counts * positive, minlength=len(scores))
    below = np.bincount(place, weights=counts * ~positive, minlength=len(scores))
    positives, negatives = above.sum(), below.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        beaten = (np.cumsum(below) - below / 2) / negatives
        beating = 1 - (np.cumsum(above) - above / 2) / positives
        value = float(above @ beaten / positives)
    parts = np.where(positive, beaten[place], beating[place])
    return Area(value, parts[rows.index], positive[rows.index])


def standard_error(components: Floats, positive: Bools, groups: Ints | None = None) -> float:
    """Return the standard error of an area, or of a difference for components that are differences.

    NaN with fewer than two positives or negatives (or groups): they show no spread.
    """
    number = (int(np.sum(~positive)), int(np.sum(positive)))
    if min(number) < 2:
        return float("nan")
    if groups is None:
        return float(
            np.sqrt(
                np.var(components[positive], ddof=1) / number[1] + np.var(components[~positive], ddof=1) / number[0]
            )
        )
    centre = np.where(positive, components[positive].mean(), components[~positive].mean())
    parts = (components - centre) / np.where(positive, number[1], number[0])
    sums = np.bincount(groups, weights=parts)
    units = len(sums)
    return float(np.sqrt(units / (units - 1) * np.sum(sums**2))) if units > 1 else float("nan")
