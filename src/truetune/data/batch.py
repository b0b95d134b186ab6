"""Batches by token budget: inputs of like length together, so that little is computed on padding."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from truetune.types import IGNORED, Batch, Encoded, Ints

JITTER = 0.04
"""How far, as a share of its length, an input may move among its neighbours before batches are cut."""


def token_batches(lengths: Ints, tokens: int, rng: np.random.Generator | None = None) -> list[Ints]:
    """Return positions in batches of at most `tokens` pieces, padding counted; each position once.

    Inputs are sorted by length and cut greedily; one that is longer than the budget is a batch of its own.
    With `rng` they are shuffled within their length (and a little beyond it), and the batches among each other;
    without it the order is fixed, the longest first, so that a lack of memory shows at once.
    """
    keys = -lengths.astype(np.float64)
    if rng is not None:
        keys *= 1 + rng.uniform(0, JITTER, len(lengths))
        order = np.lexsort((rng.permutation(len(lengths)), keys))
    else:
        order = np.argsort(keys, kind="stable")
    batches = []
    start, longest = 0, 0
    sizes = lengths[order].tolist()
    for place, size in enumerate(sizes):
        if place > start and max(longest, size) * (place - start + 1) > tokens:
            batches.append(order[start:place])
            start, longest = place, 0
        longest = max(longest, size)
    if start < len(order):
        batches.append(order[start:])
    if rng is not None:
        batches = [batches[place] for place in rng.permutation(len(batches))]
    return batches


def packed_batches(lengths: Ints, tokens: int, rng: np.random.Generator) -> list[Ints]:
    """Return positions in batches of at most `tokens` pieces, drawn without regard to length; each position once."""
    batches, batch, size = [], list[int](), 0
    for place in rng.permutation(len(lengths)).tolist():
        if batch and size + int(lengths[place]) > tokens:
            batches.append(np.array(batch))
            batch, size = [], 0
        batch.append(place)
        size += int(lengths[place])
    return [*batches, np.array(batch)] if batch else batches


def packed(encoded: Sequence[Encoded], positions: Ints, pad: int) -> Batch:
    """Return the inputs at `positions`, several in a row: none is longer than the longest input alone.

    The longest first, each goes into the first row that has room for it.
    """
    chosen = [encoded[position] for position in positions.tolist()]
    sizes = [len(one.ids) for one in chosen]
    longest = max(sizes)
    rows: list[list[int]] = []
    room: list[int] = []
    for place in sorted(range(len(sizes)), key=lambda place: -sizes[place]):
        row = next((number for number, left in enumerate(room) if left >= sizes[place]), len(rows))
        if row == len(rows):
            rows.append([])
            room.append(longest)
        rows[row].append(place)
        room[row] -= sizes[place]
    together = [_joined([chosen[place] for place in row]) for row in rows]
    batch = padded(together, np.arange(len(rows)), pad)
    of_pieces = chosen[0].target.ndim == 1 and chosen[0].target.dtype.kind == "i"
    targets = batch.targets if of_pieces else np.stack([one.target for one in chosen])
    belongs = [np.repeat(row, [sizes[place] for place in row]) for row in rows]
    return replace(batch, targets=targets, inputs=positions, packed=_filled(batch.mask, belongs, -1))


def padded(encoded: Sequence[Encoded], positions: Ints, pad: int) -> Batch:
    """Return the inputs at `positions` as arrays, padded to the longest of them and no further."""
    chosen = [encoded[position] for position in positions.tolist()]
    sizes = np.array([len(one.ids) for one in chosen], dtype=np.int64)
    mask = np.arange(sizes.max(initial=0)) < sizes[:, None]
    return Batch(
        ids=_filled(mask, [one.ids for one in chosen], pad),
        mask=mask,
        segments=_filled(mask, [one.segments for one in chosen], 0),
        targets=_targets(chosen, mask),
        inputs=positions,
    )


def target_number(batch: Batch) -> int:
    """Return how many targets of a batch count in the loss; all spans of a text are one."""
    if batch.targets.ndim == 3:
        return len(batch.targets)
    return int((batch.targets != IGNORED).sum())


def pairs_number(batch: Batch) -> int:
    """Return the sum of the squared lengths of the inputs of a batch."""
    if batch.packed is None:
        return int((batch.mask.sum(axis=1) ** 2).sum())
    return int((np.bincount(batch.packed[batch.mask]) ** 2).sum())


def padding_share(lengths: Ints, batches: Sequence[Ints]) -> float:
    """Return which share of all padded pieces is padding."""
    computed = sum(int(lengths[batch].max()) * len(batch) for batch in batches)
    used = sum(int(lengths[batch].sum()) for batch in batches)
    return 1 - used / computed if computed else 0.0


def _joined(chosen: Sequence[Encoded]) -> Encoded:
    """Return inputs as one, one after the other; a target of a whole input has no place in it."""
    parts = {name: np.concatenate([getattr(one, name) for one in chosen]) for name in ("ids", "segments")}
    of_pieces = chosen[0].target.ndim == 1 and chosen[0].target.dtype.kind == "i"
    target = np.concatenate([one.target for one in chosen]) if of_pieces else chosen[0].target
    return replace(chosen[0], ids=parts["ids"], segments=parts["segments"], target=target)


def _filled(mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]], parts: list[Ints], fill: int) -> Ints:
    table = np.full(mask.shape, fill, dtype=np.int64)
    table[mask] = np.concatenate(parts) if parts else ()
    return table


def _targets(chosen: Sequence[Encoded], mask: np.ndarray[tuple[int, ...], np.dtype[np.bool_]]) -> Ints:
    first = chosen[0].target
    if first.ndim == 1 and first.dtype.kind == "i":
        return _filled(mask, [one.target for one in chosen], IGNORED)
    if first.ndim == 2:
        table = np.full((len(chosen), max(len(one.target) for one in chosen), first.shape[1]), IGNORED, dtype=np.int64)
        for row, one in zip(table, chosen, strict=True):
            row[: len(one.target)] = one.target
        return table
    return np.stack([one.target for one in chosen])
