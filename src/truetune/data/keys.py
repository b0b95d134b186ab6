"""Sixteen bytes an example in place of its text or group: what is equal, and an order that looks random."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from truetune.data.stored import values_at
from truetune.types import Ints

Keys = npt.NDArray[np.bytes_]
"""`[examples]`, 16 bytes each. Of a billion different values, two are equal with a probability of about 1e-21."""
SIZE = 16
KEY = np.dtype((np.bytes_, SIZE))


def hashed(values: Iterable[str], number: int) -> Keys:
    """Return `[number]` keys that are equal for equal values."""
    digests = (hashlib.blake2b(one.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest() for one in values)
    return np.fromiter(digests, dtype=KEY, count=number)


def ranked(values: Iterable[str], number: int, seed: int) -> Keys:
    """Return `[number]` keys, equal for equal values, whose order looks random and depends on seed and values only."""
    begin = f"{seed}\n".encode()
    digests = (hashlib.sha256(begin + one.encode("utf-8", "surrogatepass")).digest()[:SIZE] for one in values)
    return np.fromiter(digests, dtype=KEY, count=number)


def hashed_with_lengths(values: Iterable[str], number: int) -> tuple[Keys, Ints]:
    """Return the keys of values as `hashed` does, but empty for empty ones, and how many characters they have."""
    pairs = (
        (hashlib.blake2b(one.encode("utf-8", "surrogatepass"), digest_size=SIZE).digest() if one else b"", len(one))
        for one in values
    )
    found = np.fromiter(pairs, dtype=np.dtype([("key", KEY), ("length", np.int64)]), count=number)
    return np.ascontiguousarray(found["key"]), np.ascontiguousarray(found["length"])


def together(columns: Sequence[Keys]) -> Keys:
    """Return keys of examples that are equal where those in all columns are; of 16 bytes a column."""
    if len(columns) == 1:
        return columns[0]
    table = np.stack(columns, axis=1)
    return np.frombuffer(table.tobytes(), dtype=f"S{SIZE * len(columns)}")


def first_places(keys: Keys) -> tuple[Keys, Ints]:
    """Return the distinct keys that are not empty, in order, and where each stands first."""
    values, places = np.unique(keys, return_index=True)
    begin = int(len(values) > 0 and values[0] == b"")
    return values[begin:], places[begin:]


def places_in(known: tuple[Keys, Ints], keys: Keys) -> Ints:
    """Return `[keys]`, where each key stands first, as `first_places` found it; -1 for one that does not."""
    values, places = known
    if not len(values):
        return np.full(len(keys), -1, dtype=np.int64)
    near = np.minimum(np.searchsorted(values, keys), len(values) - 1)
    found: Ints = np.where(values[near] == keys, places[near], -1)
    return found


def linked(groups: Sequence[str], texts: Keys, seed: int) -> Keys:
    """Return `ranked` keys that are equal for examples that are linked by a group or by an equal text.

    Links are followed: a document shared with a second example, and that one's text with a third, put all three
    together. The key is that of the first group in alphabetical order, so it does not depend on the order of the
    examples.
    """
    from scipy.sparse import coo_matrix
    from scipy.sparse.csgraph import connected_components

    keys = ranked((f"0 {group}" for group in groups), len(groups), seed)
    group_of = np.unique(keys, return_inverse=True)[1]
    text_of = np.unique(texts, return_inverse=True)[1]
    if not len(keys):
        return keys
    number = int(group_of.max()) + 1
    nodes = number + int(text_of.max()) + 1
    links = coo_matrix((np.ones(len(keys), dtype=np.int8), (group_of, number + text_of)), shape=(nodes, nodes))
    _, components = connected_components(links, directed=False)
    several = np.bincount(components[:number]) > 1
    joined: Ints = np.flatnonzero(several[components[group_of]])
    owners = components[group_of[joined]].tolist()
    names: dict[int, str] = {}
    for owner, name in zip(owners, values_at(groups, joined), strict=True):
        names[owner] = min(names.get(owner, name), name)
    keys[joined] = ranked((f"0 {names[owner]}" for owner in owners), len(joined), seed)
    return keys
