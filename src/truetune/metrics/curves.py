"""ROC and precision-recall curves, and fewer of their points for plotting."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.metrics.f_measures import quotient
from truetune.metrics.score_rows import binary_rows
from truetune.types import Bools, Floats, Ints


@dataclass(frozen=True, slots=True, eq=False)
class RocCurve:
    """Points from (0, 0) to (1, 1), `[points]` each; straight lines between them. NaN without a class."""

    false_positive_rate: Floats
    true_positive_rate: Floats
    thresholds: Floats
    """Scores at or above count as positive; the first is infinity."""


@dataclass(frozen=True, slots=True, eq=False)
class PrecisionRecallCurve:
    """Points by ascending recall, `[points]` each, one a threshold; precision is step-wise between them."""

    recall: Floats
    precision: Floats
    thresholds: Floats
    """Scores at or above count as positive, descending."""


def roc_curve(positive: Bools, score: Floats) -> RocCurve:
    """Return the ROC curve; equal scores are one point, and points on a line between others are dropped.

    `positive` and `score` are `[examples]`; a higher score speaks for positive. Raises as `binary_rows`.
    """
    thresholds, found, false = _cumulated(positive, score)
    found, false, thresholds = np.r_[0, found], np.r_[0, false], np.r_[np.inf, thresholds]
    up, right = np.diff(found), np.diff(false)
    corners = np.ones(len(found), dtype=np.bool_)
    corners[1:-1] = up[:-1] * right[1:] != up[1:] * right[:-1]
    return RocCurve(quotient(false[corners], false[-1:]), quotient(found[corners], found[-1:]), thresholds[corners])


def precision_recall_curve(positive: Bools, score: Floats) -> PrecisionRecallCurve:
    """Return the precision-recall curve; equal scores are one point.

    Of the points with one recall only the outer two are kept. Recall is NaN without a positive. There is
    no made-up point at recall 0: no threshold has it.
    """
    thresholds, found, false = _cumulated(positive, score)
    outer = np.ones(len(found), dtype=np.bool_)
    outer[1:-1] = (np.diff(found)[:-1] != 0) | (np.diff(found)[1:] != 0)
    kept = found[outer]
    return PrecisionRecallCurve(quotient(kept, found[-1:]), quotient(kept, kept + false[outer]), thresholds[outer])


def _cumulated(positive: Bools, score: Floats) -> tuple[Floats, Ints, Ints]:
    """Return distinct scores, descending, and how many positives and negatives score at least that."""
    rows = binary_rows(positive, score)
    gold, scores = rows.table[::-1].T
    counts = rows.counts[::-1]
    last = np.r_[scores[1:] != scores[:-1], True] if len(scores) else np.zeros(0, dtype=np.bool_)
    found = np.cumsum(counts * (gold == 1))
    return scores[last], found[last], np.cumsum(counts)[last] - found[last]


def plotted_points(x: Floats, y: Floats, most: int = 400) -> npt.NDArray[np.int64]:
    """Return the positions of at most `most` points that are evenly spaced along the curve, ends included."""
    if len(x) <= most:
        return np.arange(len(x), dtype=np.int64)
    way = np.r_[0.0, np.cumsum(np.hypot(np.diff(x), np.diff(y)))]
    places = np.searchsorted(way, np.linspace(0.0, way[-1], most))
    places[-1] = len(x) - 1
    return np.unique(places).astype(np.int64)
