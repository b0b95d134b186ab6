"""Calibration of confidence: binned calibration errors and the reliability curve. Fields `label`, `scores`.

The prediction is the label with the highest probability (the first in sorted order of equal ones), its
confidence is that probability. A model is calibrated if of the predictions of confidence c a share c is
right. Binned errors of a finite sample are biased upward: a calibrated model does not get 0.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from truetune.metric import Pooled
from truetune.metrics.f_measures import quotient
from truetune.metrics.label_scores import gold_places, probabilities
from truetune.metrics.ranks import middle_ranks
from truetune.metrics.score_rows import binary_rows
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints, Numbers

BINS = 15


def confidence_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: (the prediction is right: 0 or 1, its confidence)."""
    scores = probabilities(predicted, exclusive=True)
    places = gold_places(gold, scores)
    if not len(scores):
        return Rows(np.zeros((0, 2)), np.zeros(0, dtype=np.int64))
    top = scores.values.argmax(axis=1)
    return binary_rows(places == top, scores.values[np.arange(len(top)), top])


def equal_width_bins(confidence: Floats) -> Ints:
    """Return the bin `[distinct]` of each confidence: (0, 1/15], (1/15, 2/15] ... (14/15, 1] (Guo 2017).

    Confidence 1 is in the last bin, confidence 0 in the first.
    """
    edges = np.linspace(0, 1, BINS + 1)
    bins: Ints = np.maximum(np.searchsorted(edges, confidence, side="left") - 1, 0).astype(np.int64)
    return bins


def equal_mass_bins(confidence: Floats, counts: Numbers) -> Ints:
    """Return the bin `[..., distinct]` of each confidence: 15 bins of as equal numbers as ties allow.

    Equal confidences stay together, in the bin of their middle rank, so that the order of examples does
    not matter. With more than 15 ties at one place some bins are empty.
    """
    place = quotient(middle_ranks(confidence, counts) * BINS, counts.sum(axis=-1, keepdims=True))
    bins: Ints = np.minimum(np.nan_to_num(place), BINS - 1).astype(np.int64)
    return bins


def _bin_sums(rows: Rows, counts: Numbers, bins: Ints) -> tuple[Floats, Floats, Floats]:
    """Return examples, right predictions and summed confidence by bin, `[..., BINS]` each."""
    if counts.ndim == 2 and bins.ndim == 1:
        return _fixed_bin_sums(rows, counts, bins)
    leading = counts.shape[:-1]
    samples = int(np.prod(leading, dtype=np.int64))
    offsets = BINS * np.arange(samples).reshape(*leading, 1)
    cells = (bins + offsets).ravel()
    right, confidence = rows.table.T

    def summed(weights: Numbers) -> Floats:
        sums = np.bincount(cells, weights.ravel(), BINS * samples)
        return sums.astype(np.float64).reshape(*leading, BINS)

    return summed(counts), summed(counts * right), summed(counts * confidence)


def _fixed_bin_sums(rows: Rows, counts: Numbers, bins: Ints) -> tuple[Floats, Floats, Floats]:
    """Return the sums for counts `[draws, distinct]` where bins are the same in every draw: one product each."""
    from scipy import sparse

    by_row = np.ascontiguousarray(counts.T, dtype=np.float64)
    shape, cells = (BINS, len(bins)), (bins, np.arange(len(bins)))
    right, confidence = rows.table.T
    examples, hits, sure = (
        np.asarray(sparse.csr_array((weights, cells), shape=shape) @ by_row).T
        for weights in (np.ones(len(bins)), right, confidence)
    )
    return examples, hits, sure


def _equal_mass_sums(rows: Rows, counts: Numbers) -> tuple[Floats, Floats, Floats]:
    """Return the sums by `equal_mass_bins`; of many draws by where bins begin in ascending order."""
    if counts.ndim != 2 or not counts.size:
        return _bin_sums(rows, counts, equal_mass_bins(rows.table[:, 1], counts))
    order = np.argsort(rows.table[:, 1], kind="stable")
    right, confidence = rows.table[order].T
    lasts = np.flatnonzero(np.r_[confidence[1:] != confidence[:-1], True])
    held = counts[:, order].astype(np.float64)
    up_to = np.cumsum(held, axis=1)
    at_end = up_to[:, lasts]
    middle = at_end.copy()
    middle[:, 1:] += at_end[:, :-1]
    place = quotient(middle * (BINS / 2), at_end[:, -1:])
    wanted, after = np.arange(1, BINS), np.r_[-1, lasts]
    ends = np.array([after[np.searchsorted(each, wanted)] for each in place])  # the last row before each bin

    def between(summed: Floats) -> Floats:
        before = np.where(ends >= 0, np.take_along_axis(summed, np.maximum(ends, 0), axis=1), 0.0)
        return np.diff(before, axis=1, prepend=0.0, append=summed[:, -1:])

    hits, sure = (between(np.cumsum(held * weights, axis=1)) for weights in (right, confidence))
    return between(up_to), hits, sure


def _gap(sums: tuple[Floats, Floats, Floats]) -> Floats:
    examples, right, confidence = sums
    return quotient(np.abs(right - confidence).sum(axis=-1), examples.sum(axis=-1))


def _equal_width(rows: Rows, counts: Numbers) -> Floats:
    return _gap(_bin_sums(rows, counts, equal_width_bins(rows.table[:, 1])))


def _equal_mass(rows: Rows, counts: Numbers) -> Floats:
    return _gap(_equal_mass_sums(rows, counts))


def _debiased(rows: Rows, counts: Numbers) -> Floats:
    examples, right, confidence = _equal_mass_sums(rows, counts)
    share = quotient(right, examples)
    noise = quotient(share * (1 - share), examples - 1)
    square = (quotient(right - confidence, examples) ** 2 - noise) * examples
    total = np.where(examples > 1, square, 0.0).sum(axis=-1)
    return np.sqrt(np.maximum(quotient(total, examples.sum(axis=-1)), 0.0))


ECE = Pooled(
    name="ece",
    rows=confidence_rows,
    pooled=_equal_width,
    gold="label",
    predicted="scores",
    definition=(
        "expected calibration error: sum over bins of |right - confidence| share, top label, 15 bins of equal "
        "width, each closed above (Guo 2017); biased upward"
    ),
    unit="example",
    better="lower",
    interval="none",
    undefined="there is no example",
    limits=(0.0, 1.0),
)
ECE_EQUAL_MASS = replace(
    ECE,
    name="ece_equal_mass",
    pooled=_equal_mass,
    definition=(
        "expected calibration error: sum over bins of |right - confidence| share, top label, 15 bins of equal "
        "numbers, equal confidences together in the bin of their middle rank; biased upward"
    ),
)
CALIBRATION_ERROR = replace(
    ECE,
    name="calibration_error_debiased",
    pooled=_debiased,
    definition=(
        "root of the mean over examples of (a - c)^2 - a (1 - a) / (n - 1), for share right a, mean confidence c "
        "and number n of the example's bin, 0 where that is negative; top label, 15 bins of equal numbers, bins "
        "of one example left out (L2, debiased: Kumar, Liang and Ma 2019)"
    ),
)
METRICS = (ECE, ECE_EQUAL_MASS, CALIBRATION_ERROR)
"""None has an interval: resamples of a binned error lie above its value, and need not contain it."""


@dataclass(frozen=True, slots=True, eq=False)
class ReliabilityCurve:
    """The bins that hold examples, `[bins]` each."""

    confidence: Floats
    """Mean confidence."""
    accuracy: Floats
    """Share of right predictions."""
    examples: Ints
    right: Ints


def reliability_curve(rows: Rows, equal_mass: bool = False) -> ReliabilityCurve:
    """Return the reliability curve from `confidence_rows`: calibrated is confidence equal to accuracy."""
    confidence = rows.table[:, 1]
    bins = equal_mass_bins(confidence, rows.counts) if equal_mass else equal_width_bins(confidence)
    examples, right, summed = (sums for sums in _bin_sums(rows, rows.counts, bins))
    held = examples > 0
    examples, right, summed = examples[held], right[held], summed[held]
    return ReliabilityCurve(summed / examples, right / examples, examples.astype(np.int64), right.astype(np.int64))
