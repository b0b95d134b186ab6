"""Nearly equal texts: pairs that share most of their character n-grams.

MinHash signatures (Broder 1997) find the candidates, by locality-sensitive hashing in bands (Leskovec,
Rajaraman and Ullman, Mining of Massive Datasets, chapter 3); the similarity of a candidate is then computed
exactly. A pair that shares 70 % of its n-grams is a candidate with a probability of 0.988, one that shares
80 % of 0.9998.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import numpy.typing as npt

from truetune.audit.parts import SHOWN, AuditPart, Parts, finding, shortened
from truetune.text import script
from truetune.types import Finding

Hashes = npt.NDArray[np.uint64]

LEAST = 0.7
"""Share of n-grams of both texts that stand in each, from which on they are nearly equal (Jaccard)."""
NGRAM = {"zh": 3, "en": 5}
SHORTEST = 10
"""N-grams that a text must have: of short texts, one word more makes another text."""
BANDS, ROWS = 16, 4
TRIED = 4
"""Candidates of a text that are compared with it, those with the most bands in common first."""
_CHUNK = 1_000_000
"""Characters that are hashed at once."""


def near_findings(parts: Parts) -> Iterator[Finding]:
    """Yield texts that are nearly, and not quite, equal: in two parts (warning) and within a part (note)."""
    length = NGRAM[script(text for part in parts.values() for text in part.whole[:1000])]
    column = _most_varied(parts)
    bands = {name: signatures(part.normal[column], length) for name, part in parts.items()}
    for first, second in combinations(parts.values(), 2):
        pairs = _near(first, second, _candidates(bands[first.name], bands[second.name]), length)
        if pairs:
            yield finding(
                "nearly equal texts in two parts",
                "warning",
                _shown(first, second, pairs),
                f"texts of {second.name} stand in {first.name} with few changes: the score on {second.name} counts in "
                "part what was memorised. Look at them; keep what belongs together on one side (data.group)",
                len(pairs),
            )
    for part in parts.values():
        pairs = _near(part, part, _candidates(bands[part.name], bands[part.name], own=True), length)
        if pairs:
            yield finding(
                "nearly equal texts",
                "note",
                _shown(part, part, pairs),
                f"texts of {part.name} repeat others with few changes: they count as more examples than they are",
                len(pairs),
            )


def _most_varied(parts: Parts) -> int:
    """Return which text column has the most different texts: examples that are nearly equal are so in it too."""
    columns = zip(*(part.column_keys for part in parts.values()), strict=True)
    different = [len(np.unique(np.concatenate(keys))) for keys in columns]
    return different.index(max(different))


def signatures(keys: Sequence[str], length: int) -> Hashes:
    """Return the hashes of the bands of each text, `[texts, BANDS]`; zero for texts too short to say.

    Two texts have a band in common with the probability `s ** ROWS`, where `s` is their Jaccard similarity.
    """
    found = np.zeros((len(keys), BANDS), dtype=np.uint64)
    long = [place for place, key in enumerate(keys) if len(key) >= length + SHORTEST - 1]
    start = 0
    while start < len(long):
        end, size = start, 0
        while end < len(long) and (end == start or size + len(keys[long[end]]) <= _CHUNK):
            size += len(keys[long[end]])
            end += 1
        found[long[start:end]] = _bands([keys[place] for place in long[start:end]], length)
        start = end
    return found


def similarity(one: str, other: str, length: int) -> float:
    """Return the Jaccard similarity of the n-grams of two texts."""
    first, second = ({text[place : place + length] for place in range(len(text) - length + 1)} for text in (one, other))
    return len(first & second) / len(first | second) if first and second else 0.0


def _bands(texts: Sequence[str], length: int) -> Hashes:
    codes = np.frombuffer("".join(texts).encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    sizes = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    starts = np.cumsum(sizes) - sizes
    grams = np.zeros(len(codes) - length + 1, dtype=np.uint64)
    for place in range(length):
        grams = _mixed(grams + codes[place : place + len(grams)])
    # N-grams that reach into the next text are made equal to the first of their own.
    last = np.repeat(starts + sizes - length, sizes)[: len(grams)]
    crossing = np.arange(len(grams)) > last
    grams[crossing] = grams[np.repeat(starts, sizes)[: len(grams)][crossing]]
    bands = np.zeros((len(texts), BANDS), dtype=np.uint64)
    for hashing, seed in enumerate(np.random.default_rng(0).integers(1, 2**63, BANDS * ROWS, dtype=np.uint64)):
        least = np.minimum.reduceat(_mixed(grams ^ seed), starts)
        bands[:, hashing // ROWS] = _mixed(bands[:, hashing // ROWS] + least)
    return bands


def _mixed(values: Hashes) -> Hashes:
    """Return 64 bits in which every bit of the input counts (the finaliser of SplitMix64)."""
    values = values + np.uint64(0x9E3779B97F4A7C15)
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def _candidates(first: Hashes, second: Hashes, *, own: bool = False) -> dict[int, Counter[int]]:
    """Return, for texts of `second`, the first text of `first` in each band that they share, and in how many bands.

    A text is no candidate of itself.
    """
    found: dict[int, Counter[int]] = {}
    if not len(first):
        return found
    for there, here in zip(first.T, second.T, strict=True):
        values, places = np.unique(there, return_index=True)
        position = np.minimum(np.searchsorted(values, here), len(values) - 1)
        shared = (values[position] == here) & (here != 0)
        if own:
            shared &= places[position] != np.arange(len(here))
        for place in np.flatnonzero(shared).tolist():
            found.setdefault(place, Counter())[int(places[position[place]])] += 1
    return found


def _near(
    first: AuditPart, second: AuditPart, candidates: Mapping[int, Counter[int]], length: int
) -> list[tuple[float, int, int]]:
    """Return similarity and places of texts and their first candidate that is near enough; equal texts are none."""
    equal = set(first.keys.tolist()) if first is not second else set()
    pairs = []
    for here, there in sorted(candidates.items()):
        if second.keys[here] in equal:
            continue
        for place, _ in there.most_common(TRIED):
            share = _least_similar(first, place, second, here, length)
            if share >= LEAST and first.keys[place] != second.keys[here]:
                pairs.append((share, place, here))
                break
    return pairs


def _least_similar(first: AuditPart, there: int, second: AuditPart, here: int, length: int) -> float:
    """Return the similarity of two examples in the text column in which they differ most."""
    pairs = zip(first.normal, second.normal, strict=True)
    return min(
        1.0 if one[there] == other[here] else similarity(one[there], other[here], length) for one, other in pairs
    )


def _shown(first: AuditPart, second: AuditPart, pairs: Sequence[tuple[float, int, int]]) -> list[str]:
    nearest = sorted(pairs, key=lambda pair: (-pair[0], pair[2]))[:SHOWN]
    return [
        f"{first.name} {first.ids[there]} ~ {second.name} {second.ids[here]} ({share:.0%}): "
        f"{shortened(first.whole[there])} ~ {shortened(second.whole[here])}"
        for share, there, here in nearest
    ]
