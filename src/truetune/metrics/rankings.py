"""Rankings of weighted examples by score: what stands at and below each distinct score of a positive."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.metrics.score_rows import GOLD, SCORE
from truetune.types import Floats, Ints

Counts = npt.NDArray[Any]
"""Whole numbers, as int64 or float64: how often each row was drawn."""

FEW_STARTS = 8
"""Of a rare label against the rest it is cheaper to sum from one positive to the next than one by one."""


@dataclass(frozen=True, slots=True, eq=False)
class Ranked:
    """The distinct scores of positives, ascending, with what stands at and below each: `[..., scores]`."""

    positives: Counts
    """Positives with this score."""
    tied: Counts
    """Negatives with this score."""
    below: Counts
    """Negatives with a lower one."""
    negatives: Counts
    """All negatives, `[...]`."""


def ranking(gold: Floats, score: Floats, counts: Counts) -> Ranked:
    """Return the ranking of rows (gold is positive, score), each `[distinct]`, for `[..., distinct]` counts."""
    new = score[1:] > score[:-1]
    if not new.all() and (score[1:] < score[:-1]).any():
        order = np.argsort(score)
        gold, score, counts = gold[order], score[order], counts[..., order]
        new = score[1:] > score[:-1]
    positive = np.flatnonzero(gold > 0)
    positives, starts = counts[..., positive], positive
    tied: Counts = np.zeros(1)
    if not new.all():
        group = np.cumsum(np.r_[0, new])
        held, firsts = np.unique(group[positive], return_index=True)
        positives = np.add.reduceat(positives, firsts, axis=-1)
        starts = np.flatnonzero(np.r_[True, new])[held]
        tied = _sums_at(held, group[gold == 0], counts[..., gold == 0])
    below = _sums_before(starts, counts) - (np.cumsum(positives, axis=-1) - positives)
    return Ranked(positives, tied, below, counts.sum(axis=-1) - positives.sum(axis=-1))


def rankings(table: Floats, counts: Counts) -> Iterator[Ranked]:
    """Yield the ranking of each label that has a positive, of rows `[distinct, 2, labels]`, for many counts.

    `counts` are `[draws, distinct]`. Each label's rows fall into cells: the positives of one score, the
    negatives of that score, the negatives up to the next such score. All draws are summed by cell at once.
    """
    from scipy import sparse

    by_row = np.ascontiguousarray(counts.T, dtype=np.float64)
    ones, every = np.ones(len(table)), by_row.sum(axis=0)
    for place in range(table.shape[2]):
        positive, score = table[:, GOLD, place] > 0, table[:, SCORE, place]
        if not positive.any():
            continue
        held = np.unique(score[positive])
        cell = 3 * np.searchsorted(held, score, side="left")  # 3k: below score k, 3k + 1 and 3k + 2: at it
        at = np.zeros(len(score), dtype=np.bool_)
        inside = cell < 3 * len(held)
        at[inside] = held[cell[inside] // 3] == score[inside]
        cell[at] += 1 + positive[at]
        starts = np.r_[0, np.cumsum(np.bincount(cell, minlength=3 * len(held) + 1))]
        summing = sparse.csr_array((ones, np.argsort(cell, kind="stable"), starts), shape=(len(starts) - 1, len(cell)))
        sums = np.asarray(summing @ by_row).T
        lower, tied, positives = (sums[:, start : 3 * len(held) : 3] for start in range(3))
        below = np.cumsum(lower + tied, axis=1) - tied
        yield Ranked(positives, tied, below, every - positives.sum(axis=1))


def _sums_before(starts: Ints, counts: Counts) -> Counts:
    """Return the sum of all counts `[..., n]` before each of the ascending `starts`, `[..., starts]`."""
    if len(starts) * FEW_STARTS > counts.shape[-1]:
        up_to: Counts = np.cumsum(counts, axis=-1)[..., starts]
        up_to -= counts[..., starts]
        return up_to
    between: Counts = np.add.reduceat(counts, starts, axis=-1)
    before_first = counts.sum(axis=-1) - between.sum(axis=-1)
    before: Counts = np.cumsum(between, axis=-1) - between + before_first[..., None]
    return before


def _sums_at(wanted: Ints, places: Ints, counts: Counts) -> Counts:
    """Return the sums of counts `[..., n]` whose ascending `places` are each of the `wanted`, `[..., wanted]`."""
    sums = np.zeros((*counts.shape[:-1], len(wanted)))
    found, starts = np.unique(places, return_index=True)
    if len(found):
        by_place = np.add.reduceat(counts, starts, axis=-1)
        both = np.isin(found, wanted)
        sums[..., np.searchsorted(wanted, found[both])] = by_place[..., both]
    return sums
