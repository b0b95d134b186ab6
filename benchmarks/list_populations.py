"""Worlds of lists and of matched texts: what novelty, diversity and similarity by embeddings average.

Each is made from its parts (popularities, categories, vectors), so that the values have the skew and the
ties of real ones. The formulas stand here for themselves.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from truetune.rows import Rows
from truetune.types import Bools, Floats, Ints

LISTED = 10
"""Items of a list."""
ITEMS, CATEGORIES = 2_000, 12
PIECES, DIMENSIONS = 12, 16
TOO_SHORT = 0.04
"""Share of users without a list that can be measured."""

Own = Callable[[float], Floats]
Vectors = npt.NDArray[np.float32]


def novelties(own: Own, rng: np.random.Generator) -> Callable[[float], Rows]:
    """Mean of -log2(share of users who know the item), items by a power law; the novelty seekers are few."""

    def system(ease: float) -> Rows:
        reach = 1 / (1 + np.exp(1.5 + own(ease)))
        drawn = rng.random((len(reach), LISTED)) ** (1 / (0.4 + 3 * reach[:, None]))
        share = 0.6 * np.floor(1 + (ITEMS - 1) ** drawn) ** -0.8
        return _listed((-np.log2(share)).mean(axis=1), rng)

    return system


def diversities(own: Own, rng: np.random.Generator) -> Callable[[float], Rows]:
    """Mean of 1 - shared / all categories over pairs of items; many users want little but one category."""

    def system(ease: float) -> Rows:
        users = len(hardness := own(ease))
        focus = 1 / (1 + np.exp(-1.2 * hardness))
        wanted = rng.integers(0, CATEGORIES, users)[:, None]
        main = np.where(
            rng.random((users, LISTED)) < focus[:, None], wanted, rng.integers(0, CATEGORIES, (users, LISTED))
        )
        second = np.where(rng.random(main.shape) < 0.3, rng.integers(0, CATEGORIES, main.shape), main)
        return _listed(_distances(main, second).mean(axis=1), rng)

    return system


def _distances(main: Ints, second: Ints) -> Floats:
    """Return 1 - shared / all of the categories of each pair of a user's items, `[users, pairs]`."""
    has = np.zeros((*main.shape, CATEGORIES), dtype=np.float32)
    for category in (main, second):
        np.put_along_axis(has, category[..., None], 1, axis=2)
    shared = has @ has.transpose(0, 2, 1)
    sizes = has.sum(axis=2)
    together = sizes[:, :, None] + sizes[:, None, :] - shared
    one, other = np.triu_indices(LISTED, 1)
    return np.asarray(1 - shared / together, dtype=np.float64)[:, one, other]


def similarities(own: Own, rng: np.random.Generator) -> Callable[[float], Rows]:
    """F1 of greedily matched pieces; what a text keeps of its reference goes with its quality, its length varies."""
    size = len(own(0.0))
    pieces = rng.integers(3, PIECES + 1, size)
    reference = rng.normal(size=(size, PIECES, DIMENSIONS)).astype(np.float32)

    def system(ease: float) -> Rows:
        kept = 1 / (1 + np.exp(own(ease) - 1))
        copied = rng.random((size, PIECES)) < kept[:, None]
        noise = rng.normal(size=reference.shape).astype(np.float32)
        said = np.where(copied[..., None], reference + 0.5 * noise, noise)
        length = np.clip(pieces + rng.integers(-2, 3, size), 2, PIECES)
        inside = [np.arange(PIECES) < number[:, None] for number in (length, pieces)]
        return Rows.of(np.stack([_matched(said, reference, *inside), np.ones(size)], axis=1))

    return system


def _matched(said: Vectors, reference: Vectors, in_said: Bools, in_reference: Bools) -> Floats:
    """Return the harmonic mean of the mean best cosines, pieces of the text and of the reference, `[texts]`."""
    directions = [vectors / np.linalg.norm(vectors, axis=2, keepdims=True) for vectors in (said, reference)]
    cosines = directions[0] @ directions[1].transpose(0, 2, 1)
    cosines[~(in_said[:, :, None] & in_reference[:, None, :])] = -1
    precision = np.where(in_said, cosines.max(axis=2), 0).sum(axis=1) / in_said.sum(axis=1)
    recall = np.where(in_reference, cosines.max(axis=1), 0).sum(axis=1) / in_reference.sum(axis=1)
    return np.asarray(2 * precision * recall / (precision + recall), dtype=np.float64)


def _listed(values: Floats, rng: np.random.Generator) -> Rows:
    """Return rows of (value, 1), or (0, 0) for users whose list is too short."""
    known = rng.random(len(values)) >= TOO_SHORT
    return Rows.of(np.stack([np.where(known, values, 0), known], axis=1).astype(np.float64))
