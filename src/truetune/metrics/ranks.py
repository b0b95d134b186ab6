"""Ranks of weighted values, where equal values share the middle of their places."""

from __future__ import annotations

import numpy as np

from truetune.types import Floats, Numbers


def middle_ranks(values: Floats, counts: Numbers) -> Floats:
    """Return how many examples lie below each value, plus half of those equal to it, `[..., distinct]`.

    `values` is `[distinct]`, `counts` `[..., distinct]` says how many examples have each of them. With
    one example each and no ties these are the ranks 1/2, 3/2, 5/2...
    """
    if not len(values):
        return np.zeros(counts.shape)
    order = np.argsort(values)
    ascending = values[order]
    new = np.r_[True, ascending[1:] != ascending[:-1]]
    held = np.add.reduceat(counts[..., order], np.flatnonzero(new), axis=-1)
    middle = np.cumsum(held, axis=-1) - held / 2
    ranks = np.empty(counts.shape)
    ranks[..., order] = middle[..., np.cumsum(new) - 1]
    return ranks
