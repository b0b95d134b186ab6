"""The area under the ROC curve: its variance, and that of a difference, without resampling.

DeLong, DeLong and Clarke-Pearson (1988), through ranks as Sun and Xu (2014): O(n log n). The mean of the
areas of several labels, each against the rest, moves with an example by the mean of what the example does
to each area, so that the covariance between labels is in it; so does the mean of the areas of pairs of labels,
each among the examples of the two. With groups the same parts are summed by group (Obuchowski 1997).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import permutations

import numpy as np

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True)
class Area:
    """An area (or a mean of areas), and how far each unit may have moved it."""

    value: float
    """NaN where no label has both a positive and a negative."""
    moves: Floats
    """`[distinct]`, or `[groups]`: what a unit adds to the error of the value. Of two systems on the same
    units, the moves of the difference are the differences of the moves."""
    weights: Ints
    """`[distinct]` or `[groups]`: how many equal units each stands for."""

    @property
    def standard_error(self) -> float:
        """NaN with fewer than two positives or negatives (or groups): they show no spread."""
        return standard_error(self.moves, self.weights)


def standard_error(moves: Floats, weights: Ints) -> float:
    """Return the standard error of a value, or of a difference, that units move by `moves`."""
    return float(np.sqrt(weights @ moves**2))


def area(rows: Rows, groups: Ints | None = None) -> Area:
    """Return the area for rows `[distinct, 2]` of (gold is positive, score), with its moves.

    Rows `[distinct, 2, labels]` of (score, gold) give the unweighted mean over the labels that have both
    positives and negatives. A label with one positive alone adds nothing to the moves of such a mean.
    """
    everyone = slice(None)
    return _mean(((positive, score, everyone) for positive, score in binary(rows)), rows, groups)


def area_of_pairs(rows: Rows, groups: Ints | None = None) -> Area:
    """Return the unweighted mean, over ordered pairs of labels, of the area among the examples of the two alone.

    The first label is the positive one and its score ranks (Hand and Till 2001). Pairs of which a label has no
    example are left out. Rows are those of `area`; of two labels both orders have the one area.
    """
    if not rows.labels:
        return area(rows, groups)
    labels = list(binary(rows))

    def pairs() -> Iterator[_Ranking]:
        for (one, score), (other, _) in permutations(labels, 2):
            inside = np.flatnonzero(one | other)
            yield one[inside], score[inside], inside

    return _mean(pairs(), rows, groups)


AreaOf = Callable[[Rows, Ints | None], Area]

AREAS: dict[str, AreaOf] = {"delong": area, "delong-pairs": area_of_pairs}
"""The area that each interval method is of."""

_Ranking = tuple[Bools, Floats, Ints | slice]
"""Which rows are positive, their scores, and which rows of all they are."""


def _mean(problems: Iterator[_Ranking], rows: Rows, groups: Ints | None) -> Area:
    counts, values, parts = rows.counts, [], np.zeros(len(rows.table))
    for positive, score, inside in problems:
        found = _of_label(positive, score, counts[inside], corrected=groups is None)
        if np.isfinite(found.value):
            values.append(found.value)
            parts[inside] += np.where(np.isfinite(found.moves), found.moves, 0.0) if rows.labels else found.moves
    if not values:
        return Area(float("nan"), np.full(len(parts), np.nan), counts)
    value, parts = float(np.mean(values)), parts / len(values)
    if groups is None:
        return Area(value, parts, counts)
    sums = np.bincount(groups, weights=parts[rows.index])
    with np.errstate(divide="ignore", invalid="ignore"):
        moves = np.sqrt(np.float64(len(sums)) / (len(sums) - 1)) * sums
    return Area(value, moves if len(sums) > 1 else np.full(len(sums), np.nan), np.ones(len(sums), dtype=np.int64))


def binary(rows: Rows) -> Iterator[tuple[Bools, Floats]]:
    """Yield whether each distinct row is positive, and its score, `[distinct]` each, for each label.

    Raises `MetricError` for rows that are something else.
    """
    table = rows.table
    golds, scores = (table[:, 1].T, table[:, 0].T) if rows.labels else (table[:, :1].T, table[:, 1:].T)
    if table.shape[1] != 2 or len(golds) != max(1, len(rows.labels)) or not np.isin(golds, (0, 1)).all():
        raise MetricError(
            "DeLong's interval reads rows of (gold is positive: 0 or 1, score), or by label of (score, gold); "
            f"found a table of shape {table.shape}"
        )
    for gold, score in zip(golds, scores, strict=True):
        yield gold == 1, score


def _of_label(positive: Bools, score: Floats, counts: Ints, *, corrected: bool) -> Area:
    """Return one area. A positive counts by the share of negatives that it beats (ties half), a negative by
    the share of positives that beat it; `corrected` for the degree of freedom that each side's mean takes.
    """
    scores, place = np.unique(score, return_inverse=True)
    above = np.bincount(place, weights=counts * positive, minlength=len(scores))
    below = np.bincount(place, weights=counts * ~positive, minlength=len(scores))
    positives, negatives = above.sum(), below.sum()
    with np.errstate(invalid="ignore", divide="ignore"):
        beaten = (np.cumsum(below) - below / 2) / negatives
        beating = 1 - (np.cumsum(above) - above / 2) / positives
        value = float(above @ beaten / positives)
        sizes = np.where(positive, positives, negatives)
        moves = (np.where(positive, beaten[place], beating[place]) - value) / sizes
        if min(positives, negatives) < 2:
            moves = np.full(len(moves), np.nan)
        elif corrected:
            moves = moves * np.sqrt(sizes / (sizes - 1))
    return Area(value, moves, counts)
