"""Which texts are best labelled next: those that the model is unsure of, and that are unlike each other.

The doubt of a text is 1 minus the distance between its two most probable labels (margin sampling: Scheffer, Decomain
and Wrobel 2001); of several labels a text, the greatest doubt 1 - |2p - 1| of any label. The most doubtful texts alone
are often alike, so of several times as many as are asked for, k-means with the doubts as weights makes as many
clusters, and of each the text nearest to its centre is taken (Zhdanov 2019, Diverse mini-batch Active Learning).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from truetune.types import Floats, Ints

CROWD = 10
"""How many times as many doubtful texts are looked at for unlike ones as are asked for."""


def doubts(scores: Sequence[Mapping[str, float]], multiple: bool) -> Floats:
    """Return how unsure the probabilities of each text are, `[texts]`, from 0 to 1."""
    table = np.array([list(one.values()) for one in scores], dtype=np.float64)
    if multiple:
        found: Floats = (1 - np.abs(2 * table - 1)).max(axis=1)
        return found
    if table.shape[1] == 1:
        return np.zeros(len(table))
    second, first = np.partition(table, -2, axis=1)[:, -2:].T
    doubt: Floats = 1 - (first - second)
    return doubt


def unlike(doubt: Floats, features: Floats, number: int, seed: int = 0) -> Ints:
    """Return the places of at most `number` texts, doubtful and unlike each other, the most doubtful first.

    `doubt` `[texts]`, 0 or more; `features` `[texts, dimensions]`, what tells texts apart. Texts without doubt are
    taken only where there are too few others.
    """
    order = np.argsort(-doubt, kind="stable")
    if len(order) <= number:
        return order.astype(np.int64)
    crowd = order[: CROWD * number]
    crowd = crowd[: max(number, int((doubt[crowd] > 0).sum()))]
    if len(crowd) > number:
        crowd = crowd[_central(features[crowd], doubt[crowd], number, seed)]
    return crowd[np.argsort(-doubt[crowd], kind="stable")].astype(np.int64)


def _central(features: Floats, weights: Floats, number: int, seed: int) -> Ints:
    """Return one place a cluster: of those that are left, the one nearest to its centre."""
    from sklearn.cluster import KMeans

    length = np.linalg.norm(features, axis=1, keepdims=True)
    directions = features / np.where(length > 0, length, 1.0)
    # Equal texts make fewer clusters than are asked for; the rest is filled up by doubt.
    clusters = min(number, len(np.unique(directions, axis=0)))
    means = KMeans(clusters, n_init=1, random_state=seed).fit(directions, sample_weight=weights)
    distances = np.linalg.norm(directions - means.cluster_centers_[means.labels_], axis=1)
    nearest_first = np.argsort(distances, kind="stable")
    _, first = np.unique(means.labels_[nearest_first], return_index=True)
    nearest = nearest_first[first]
    rest = [place for place in np.argsort(-weights, kind="stable").tolist() if place not in set(nearest.tolist())]
    return np.array([*nearest, *rest[: number - len(nearest)]], dtype=np.int64)
