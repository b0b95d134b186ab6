"""Choices that stand one after the other in an input, a row each for an exported model, and their scores put together.

The same as `torch_choices` does inside of the network, in arrays.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from truetune.backbones.form import LEAST
from truetune.types import Batch, Bools, Floats


def choices_apart(batch: Batch) -> Batch:
    """Return the choices of a batch as inputs of their own: those of the first input, then of the second, and so on.

    Segment 2 n is of the first part of choice n, 2 n + 1 of its second.
    """
    sizes = _sizes(batch)
    lengths = sizes[sizes > 0]
    mask = np.arange(lengths.max()) < lengths[:, None]
    ids, segments = np.full(mask.shape, batch.ids[0, 0]), np.zeros(mask.shape, dtype=np.int64)
    # The pieces of an input stand in the order of its choices.
    ids[mask], segments[mask] = batch.ids[batch.mask], batch.segments[batch.mask] % 2
    return replace(batch, ids=ids, mask=mask, segments=segments)


def choice_scores(rows: Floats, batch: Batch, most: int) -> Floats:
    """Return `[batch, most]` of the scores `[choices, 1]` of all choices; one that an input lacks has `LEAST`."""
    there: Bools = _sizes(batch) > 0
    scores = np.full((len(there), most), LEAST)
    scores[:, : there.shape[1]][there] = rows[:, 0]
    return scores


def _sizes(batch: Batch) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
    """Return the pieces of each choice of each input, `[batch, choices]`."""
    places = np.arange(int(batch.segments[batch.mask].max()) // 2 + 1)
    found: np.ndarray[tuple[int, ...], np.dtype[np.int64]] = (
        (batch.segments[:, :, None] // 2 == places) & batch.mask[:, :, None]
    ).sum(axis=1)
    return found
