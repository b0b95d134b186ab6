"""Beyond accuracy: how much of a catalogue is ever recommended, how little known items are, how unlike each other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import blake2b
from itertools import combinations
from typing import Any

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, Pooled
from truetune.rows import Rows
from truetune.types import Column, Floats, Numbers

DEPTH = 10


def catalogue_rows(gold: Column, predicted: Column, depth: int = DEPTH) -> Rows:
    """Return rows `[users, 2 * width]`: numbers of items, in turn one recommended and one that is only known.

    Recommended are the first `depth` of a user's ranking; known are those further down and all that gold
    judges. 0 fills up. The numbers are hashes of the items, the same in every shard.
    """
    users = []
    for relevant, ranking in zip(gold, predicted, strict=True):
        first = list(map(_number, ranking[:depth]))
        rest = sorted({_number(item) for item in (*relevant, *ranking[depth:])} - set(first))
        users.append((first, rest))
    width = max((max(len(first), len(rest)) for first, rest in users), default=0)
    table = np.zeros((len(users), width, 2), dtype=np.int64)
    for row, parts in zip(table, users, strict=True):
        for side, items in enumerate(parts):
            row[: len(items), side] = items
    return Rows(table.reshape(len(users), 2 * width), np.arange(len(users), dtype=np.int64))


def _number(item: str) -> int:
    return int.from_bytes(blake2b(str(item).encode(), digest_size=8).digest(), "little", signed=True) or 1


def _covered(rows: Rows, counts: Numbers) -> Floats:
    """Return distinct recommended items over distinct known ones, of each weighted set of users."""
    weights = np.asarray(counts).reshape(-1, len(rows.table))
    values = np.full(len(weights), np.nan)
    for place, weight in enumerate(weights):
        held = rows.table[weight > 0]
        recommended = np.unique(held[:, ::2])
        known = np.unique(held)
        if np.count_nonzero(known):
            values[place] = np.count_nonzero(recommended) / np.count_nonzero(known)
    return values.reshape(np.shape(counts)[:-1])


def novelty(popularity: Sequence[float], depth: int = DEPTH) -> float:
    """Return the mean of -log2(popularity) of the first `depth` items, in bits; NaN for an empty ranking.

    `popularity` `[ranked]` holds the share of users who know each ranked item, above 0 and at most 1.
    """
    shares = np.asarray(popularity[:depth], dtype=np.float64)
    if not ((shares > 0) & (shares <= 1)).all():
        wrong = shares[~((shares > 0) & (shares <= 1))][0]
        raise MetricError(f"the popularity of a ranked item is {wrong:g}; expected a share of users above 0, at most 1")
    return float(-np.log2(shares).mean()) if len(shares) else float("nan")


def diversity(categories: Sequence[Sequence[str]], depth: int = DEPTH) -> float:
    """Return the mean distance of two of the first `depth` items; NaN for fewer than two.

    `categories` `[ranked]` holds those of each ranked item; the distance is 1 - shared / all categories of two.
    """
    sets = [frozenset(each) for each in categories[:depth]]
    found = [1 - len(one & other) / max(1, len(one | other)) for one, other in combinations(sets, 2)]
    return float(np.mean(found)) if found else float("nan")


def diversity_of_vectors(vectors: Floats) -> float:
    """Return the mean of 1 - cosine over pairs of items `[items, dimensions]`; NaN for fewer than two.

    For items with embeddings or other features instead of categories. Raises `MetricError` for a vector of zeros.
    """
    lengths = np.linalg.norm(vectors, axis=1)
    if not (lengths > 0).all():
        raise MetricError(f"the vector of item {int(np.argmin(lengths))} is zero; it has no direction to compare")
    number = len(vectors)
    if number < 2:
        return float("nan")
    total = np.square((vectors / lengths[:, None]).sum(axis=0)).sum() - number
    return float(1 - total / (number * (number - 1)))


def list_rows(gold: Column, predicted: Column, measure: Callable[[Any], float]) -> Rows:
    """Return rows `[distinct, 2]`: a measure of each user's list and 1, or 0 and 0 where it is undefined."""
    values = np.array([measure(one) for one in predicted], dtype=np.float64)
    known = np.isfinite(values)
    return Rows.of(np.stack([np.where(known, values, 0.0), known.astype(np.float64)], axis=1))


def _mean(sums: Numbers) -> Floats:
    value: Floats = sums[..., 0] / sums[..., 1]
    return value


def _listed(
    name: str, predicted: str, measure: Callable[[Any], float], definition: str, limits: tuple[float, float]
) -> Additive:
    return Additive(
        name=name,
        rows=partial(list_rows, measure=measure),
        formula=_mean,
        gold="relevant",
        predicted=predicted,
        definition=f"{definition}; mean over users",
        unit="user",
        interval="t",
        ratio=lambda sums: (sums[..., 0], sums[..., 1]),
        undefined="no user has such a list",
        limits=limits,
    )


def beyond_accuracy(depth: int) -> tuple[Pooled, Additive, Additive]:
    """Return coverage, novelty and diversity of the first `depth` recommended items."""
    return (
        Pooled(
            name=f"coverage@{depth}",
            rows=partial(catalogue_rows, depth=depth),
            pooled=_covered,
            gold="relevant",
            predicted="ranking",
            definition=f"catalogue coverage: items in the first {depth} of any user / items that gold judges or that "
            "stand in any ranking (Ge et al. 2010); grows with the number of users, so compare equal numbers only",
            unit="user",
            interval="none",
            undefined="there is no item",
            limits=(0.0, 1.0),
        ),
        _listed(
            f"novelty@{depth}",
            "popularity",
            partial(novelty, depth=depth),
            f"self-information of the first {depth} items: mean of -log2(share of users who know the item), bits "
            "(Zhou et al. 2010)",
            (0.0, float("inf")),
        ),
        _listed(
            f"diversity@{depth}",
            "categories",
            partial(diversity, depth=depth),
            f"intra-list diversity: mean over pairs of the first {depth} items of 1 - shared / all categories of the "
            "two (Ziegler et al. 2005, distance by Jaccard)",
            (0.0, 1.0),
        ),
    )


BEYOND_ACCURACY = beyond_accuracy(DEPTH)
"""The metrics of the task `recommendation` that no relevance enters."""
