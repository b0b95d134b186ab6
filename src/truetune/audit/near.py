"""Nearly equal texts: pairs that share most of their character n-grams.

MinHash signatures find the candidates, by locality-sensitive hashing in bands; the similarity of those whose
signatures agree in one half is then computed exactly. A pair that shares 70 % of its n-grams has a band in common
with a probability of 0.988, one that shares 80 % with 0.9998. Of the texts that have a band in common with another
one, the first and the nearest in the order of the file are its candidates: so the time grows with the number of
texts however many are of one template, and a pair in a crowd may be missed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations, groupby

import numpy as np

from truetune.audit.minhash import BANDS, ROWS, Signatures, agreement, band_of, signatures
from truetune.audit.parts import SHOWN, AuditPart, Parts, finding, shortened
from truetune.text import script
from truetune.types import Finding, Ints

LEAST = 0.7
"""Share of n-grams of both texts that stand in each, from which on they are nearly equal (Jaccard)."""
NGRAM = {"zh": 3, "en": 5}
AGREEING = BANDS * ROWS // 2
"""Values in which two signatures must agree: of a pair that shares 70 % of its n-grams 99.97 % do."""
_NONE = np.zeros(0, dtype=np.int64)
TRIED = 4
"""Candidates of a text that are compared with it, those whose signatures agree most first."""


def near_findings(parts: Parts) -> Iterator[Finding]:
    """Yield texts that are nearly, and not quite, equal: in two parts (warning) and within a part (note)."""
    length = NGRAM[script(text for part in parts.values() for text in part.whole[:1000])]
    column = _most_varied(parts)
    different = {name: _Different(part, column, length) for name, part in parts.items()}
    for first, second in combinations(different.values(), 2):
        pairs = _near(first, second, length)
        if pairs:
            yield finding(
                "nearly equal texts in two parts",
                "warning",
                _shown(first.part, second.part, pairs),
                f"texts of {second.part.name} stand in {first.part.name} with few changes: the score on "
                f"{second.part.name} counts in part what was memorised. Look at them; keep what belongs together on "
                "one side (data.group)",
                sum(copies for *_, copies in pairs),
                parts=(first.part.name, second.part.name),
            )
    for name, part in parts.items():
        pairs = _near(different[name], different[name], length)
        if pairs:
            yield finding(
                "nearly equal texts",
                "note",
                _shown(part, part, pairs),
                f"texts of {part.name} repeat others with few changes: they count as more examples than they are",
                sum(copies for *_, copies in pairs),
                parts=(part.name,),
            )


def near_places(known: AuditPart, part: AuditPart) -> Ints:
    """Return where in `part` texts are nearly, and not quite, equal to one of `known`; both have one text column."""
    length = NGRAM[script(part.whole[:1000])]
    pairs = _near(_Different(known, 0, length), _Different(part, 0, length), length)
    near: Ints = np.flatnonzero(np.isin(part.keys, part.keys[[place for _, _, place, _ in pairs]])) if pairs else _NONE
    return near


def _most_varied(parts: Parts) -> int:
    """Return which text column has the most different texts: examples that are nearly equal are so in it too."""
    columns = zip(*(part.column_keys for part in parts.values()), strict=True)
    different = [len(np.unique(np.concatenate(keys))) for keys in columns]
    return different.index(max(different))


def similarity(one: str, other: str, length: int) -> float:
    """Return the Jaccard similarity of the n-grams of two texts."""
    first, second = ({text[place : place + length] for place in range(len(text) - length + 1)} for text in (one, other))
    return len(first & second) / len(first | second) if first and second else 0.0


class _Different:
    """The different texts of a part that are long enough to be compared."""

    def __init__(self, part: AuditPart, column: int, length: int) -> None:
        self.part = part
        found, long = signatures(part.normal[column], len(part.ids), length)
        _, first, copies = np.unique(part.keys, return_index=True, return_counts=True)
        kept = long[first]
        order = np.argsort(first[kept])
        self.places: Ints = first[kept][order]
        """Where each stands first, in the order of the file."""
        self.copies: Ints = copies[kept][order]
        """How often each stands."""
        self.signatures: Signatures = found[self.places]


def _near(first: _Different, second: _Different, length: int) -> list[tuple[float, int, int, int]]:
    """Return similarity, places and number of texts of `second` and their first candidate that is near enough.

    Texts that stand in `first` too are none: they are told as equal ones.
    """
    pairs = []
    known = set(first.part.keys.tolist()) if first is not second else set()
    for here, candidates in groupby(_candidates(first, second), key=lambda pair: pair[1]):
        place = int(second.places[here])
        if second.part.keys[place] in known:
            continue
        for there, _ in list(candidates)[:TRIED]:
            share = _least_similar(first.part, int(first.places[there]), second.part, place, length)
            if share >= LEAST:
                pairs.append((share, int(first.places[there]), place, int(second.copies[here])))
                break
    return pairs


def _candidates(first: _Different, second: _Different) -> list[tuple[int, int]]:
    """Return pairs whose signatures agree enough, by the text of `second`, those that agree most first.

    Within a part, only earlier texts are candidates.
    """
    found = [np.zeros((0, 2), dtype=np.int64)]
    for band in range(BANDS):
        pairs = _sharing(first, second, band)
        enough = agreement(first.signatures, pairs[:, 0], second.signatures, pairs[:, 1]) >= AGREEING
        found.append(pairs[enough])
    pairs = np.unique(np.concatenate(found), axis=0)
    agreeing = agreement(first.signatures, pairs[:, 0], second.signatures, pairs[:, 1])
    ordered = pairs[np.lexsort((pairs[:, 0], -agreeing, pairs[:, 1]))]
    return [(int(there), int(here)) for there, here in ordered.tolist()]


def _sharing(first: _Different, second: _Different, band: int) -> Ints:
    """Return `[pairs, 2]`, texts of `second` with the first and the last text of `first` that have its band."""
    values = band_of(first.signatures, band)
    order = np.argsort(values, kind="stable")
    values = values[order]
    if first is second:
        same = np.flatnonzero(values[1:] == values[:-1]) + 1
        begins = np.searchsorted(values, values[same])
        ends, here = same - 1, order[same]
    else:
        wanted = band_of(second.signatures, band)
        begins, ends = np.searchsorted(values, wanted), np.searchsorted(values, wanted, side="right") - 1
        here = np.flatnonzero(ends >= begins)
        begins, ends = begins[here], ends[here]
    several = ends > begins
    found: Ints = np.concatenate(
        [np.stack([order[begins], here], axis=1), np.stack([order[ends], here], axis=1)[several]]
    )
    return found


def _least_similar(first: AuditPart, there: int, second: AuditPart, here: int, length: int) -> float:
    """Return the similarity of two examples in the text column in which they differ most."""
    pairs = zip(first.normal, second.normal, strict=True)
    return min(
        1.0 if one[there] == other[here] else similarity(one[there], other[here], length) for one, other in pairs
    )


def _shown(first: AuditPart, second: AuditPart, pairs: Sequence[tuple[float, int, int, int]]) -> list[str]:
    nearest = sorted(pairs, key=lambda pair: (-pair[0], pair[2]))[:SHOWN]
    return [
        f"{first.name} {first.ids[there]} ~ {second.name} {second.ids[here]} ({share:.0%}): "
        f"{shortened(first.whole[there])} ~ {shortened(second.whole[here])}"
        for share, there, here, _ in nearest
    ]
