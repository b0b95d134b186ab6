"""MinHash signatures of texts, and where they agree (Broder 1997).

The least value of a random hash over the n-grams of a text is that of another text as often as their Jaccard
similarity says. Bands of several such values find pairs in time that grows with the number of texts (Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, chapter 3).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import numpy.typing as npt

from truetune.types import Bools, Ints

Hashes = npt.NDArray[np.uint64]
Signatures = npt.NDArray[np.uint32]
"""`[texts, BANDS * ROWS]`"""

BANDS, ROWS = 16, 4
SHORTEST = 10
"""N-grams that a text must have: of short texts, one word more makes another text."""
_CHUNK = 1 << 15
"""Characters that are hashed at once: few enough to stay in the cache of a core."""
_PAIRS = 1 << 16
"""Pairs of signatures that are compared at once."""


def signatures(texts: Iterable[str], number: int, length: int) -> tuple[Signatures, Bools]:
    """Return the signatures of `number` texts by n-grams of `length`, and whether each is long enough to have one."""
    found = np.zeros((number, BANDS * ROWS), dtype=np.uint32)
    long = np.zeros(number, dtype=np.bool_)
    for places, some in _chunks(texts, length):
        found[places] = _least_hashes(some, length)
        long[places] = True
    return found, long


def band_of(found: Signatures, band: int) -> Hashes:
    """Return one band of each text, `[texts]`: equal for two with the probability `similarity ** ROWS`."""
    values = np.zeros(len(found), dtype=np.uint64)
    for column in range(band * ROWS, (band + 1) * ROWS):
        values = _mixed(values + found[:, column])
    return values


def agreement(first: Signatures, there: Ints, second: Signatures, here: Ints) -> Ints:
    """Return in how many values the signatures of each pair agree, `[pairs]`."""
    return np.concatenate(
        [np.zeros(0, dtype=np.int64)]
        + [
            (first[there[start : start + _PAIRS]] == second[here[start : start + _PAIRS]]).sum(axis=1)
            for start in range(0, len(there), _PAIRS)
        ]
    )


def _chunks(texts: Iterable[str], length: int) -> Iterator[tuple[list[int], list[str]]]:
    """Yield the texts that are long enough, with their places, some at a time."""
    places: list[int] = []
    some: list[str] = []
    size = 0
    for place, text in enumerate(texts):
        if len(text) < length + SHORTEST - 1:
            continue
        if some and size + len(text) > _CHUNK:
            yield places, some
            places, some, size = [], [], 0
        places.append(place)
        some.append(text)
        size += len(text)
    if some:
        yield places, some


def _least_hashes(texts: list[str], length: int) -> Signatures:
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    ends = np.cumsum(sizes)
    grams = np.zeros(len(codes) - length + 1, dtype=np.uint64)
    for place in range(length):
        grams *= np.uint64(0x9E3779B97F4A7C15)
        grams += codes[place : place + len(grams)]
    own = np.ones(len(codes), dtype=np.bool_)
    for place in range(1, length):  # n-grams that would reach into the next text
        own[ends - place] = False
    few = (_mixed(grams[own[: len(grams)]]) >> np.uint64(32)).astype(np.uint32)
    numbers = sizes - length + 1
    starts = np.cumsum(numbers) - numbers
    found = np.empty((len(texts), BANDS * ROWS), dtype=np.uint32)
    hashed = np.empty_like(few)
    for column, (flip, factor) in enumerate(_HASHES):
        np.bitwise_xor(few, flip, out=hashed)
        np.multiply(hashed, factor, out=hashed)
        found[:, column] = np.minimum.reduceat(hashed, starts)
    return found


def _mixed(values: Hashes) -> Hashes:
    """Return 64 bits in which every bit of the input counts (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


_HASHES = np.random.default_rng(0).integers(0, 2**32, (BANDS * ROWS, 2), dtype=np.uint32) | np.array(
    [0, 1], dtype=np.uint32
)
"""For each hash, the bits that are turned and the odd factor: a rearrangement of all numbers of 32 bits."""
