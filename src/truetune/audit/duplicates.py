"""Equal texts: in two parts at once, with different gold, and within a part."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from truetune.audit.parts import SHOWN, AuditPart, Parts, finding, shortened
from truetune.data.keys import first_places, hashed, places_in
from truetune.data.stored import some, values_at
from truetune.types import Bools, Finding, Ints

MANY = 0.01
"""Share of a part from which on shared texts are an error; fewer move its score by less than a point: a warning."""
LONG_ENOUGH = 12
"""Characters of one column of several from which on it is told when it stands in two parts."""


def duplicate_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what repeats: leakage between parts (error), contrary gold and repeats within a part (warning)."""
    for first, second in combinations(parts.values(), 2):
        yield from _leaked(first, second)
        yield from _half_leaked(first, second)
    for part in parts.values():
        yield from _repeated(part)


def _leaked(first: AuditPart, second: AuditPart) -> Iterator[Finding]:
    there = places_in(first.first_places, second.keys)
    shared = np.flatnonzero(there >= 0)
    if not len(shared):
        return
    contrary = 0
    if first.gold is not None and second.gold is not None:
        contrary = int((first.answer_keys[there[shared]] != second.answer_keys[shared]).sum())
    exact = _exact(first, second, shared)
    shown = shared[:SHOWN]
    yield finding(
        "text in two parts",
        "error" if len(shared) >= MANY * len(second.ids) else "warning",
        [
            f"{first.name} {one} = {second.name} {other}: {shortened(text)}"
            for one, other, text in zip(
                values_at(first.ids, there[shown]),
                values_at(second.ids, shown),
                values_at(second.whole, shown),
                strict=True,
            )
        ],
        f"texts of {second.name} stand in {first.name} too ({exact:,} of them to the character, the others but for "
        f"case, width, spaces and punctuation{f'; {contrary:,} with other gold' if contrary else ''}): the score on "
        f"{second.name} counts what was memorised. Remove them from one side",
        len(shared),
        parts=(first.name, second.name),
    )


def _exact(first: AuditPart, second: AuditPart, shared: Ints) -> int:
    """Return how many texts at these places of the second part stand in the first to the character."""
    possible = np.flatnonzero(np.isin(first.keys, second.keys[shared]))
    there = hashed(some(first.whole, possible), len(possible))
    return int(np.isin(hashed(some(second.whole, shared), len(shared)), there).sum())


def _half_leaked(first: AuditPart, second: AuditPart) -> Iterator[Finding]:
    """One column of several (the passage, the premise) stands in both parts, the whole example does not."""
    if len(first.texts) < 2:
        return
    alone = ~np.isin(second.keys, first.keys)
    for column, keys in enumerate(second.column_keys):
        there = places_in(first_places(first.column_keys[column]), keys)
        shared = np.flatnonzero((there >= 0) & alone & (second.column_lengths[column] >= LONG_ENOUGH))
        if not len(shared):
            continue
        shown = shared[:SHOWN]
        yield finding(
            "one of the texts in two parts",
            "warning",
            [
                f"{first.name} {one}, {second.name} {other}: {shortened(text)}"
                for one, other, text in zip(
                    values_at(first.ids, there[shown]),
                    values_at(second.ids, shown),
                    values_at(second.texts[column], shown),
                    strict=True,
                )
            ],
            f"text {column + 1} of these examples of {second.name} stands in {first.name} too, beside another one. "
            "Where it carries the answer (a passage, a document), split by it (data.group)",
            len(shared),
            parts=(first.name, second.name),
        )


def _repeated(part: AuditPart) -> Iterator[Finding]:
    values, first, text, counts = np.unique(part.keys, return_index=True, return_inverse=True, return_counts=True)
    several = (counts > 1) & (values != b"")
    if not several.any():
        return
    differing = part.differing[first]

    def told(chosen: Bools) -> list[str]:
        texts = np.flatnonzero(chosen)
        shown = texts[np.argsort(first[texts])][:SHOWN].tolist()
        return [part.told(np.flatnonzero(text == one)) for one in shown]

    if (several & differing).any():
        yield _differing(part, told(several & differing), int((several & differing).sum()))
    yield finding(
        "repeated texts",
        "warning",
        told(several),
        f"{part.name} holds texts more than once (equal after normalisation); each copy weighs again. "
        "data.drop_duplicates keeps one",
        int((counts[several] - 1).sum()),
        parts=(part.name,),
    )


def _differing(part: AuditPart, examples: list[str], count: int) -> Finding:
    """Return that texts stand with different gold: a contradiction, or several references."""
    if part.open:
        return finding(
            "equal texts, other references",
            "note",
            examples,
            f"in {part.name} these texts stand several times, each with other gold that may be right too: a right "
            "answer counts as wrong where it is measured against another one. Give each text once, with all its "
            "references",
            count,
            parts=(part.name,),
        )
    return finding(
        "equal texts, different gold",
        "warning",
        examples,
        f"in {part.name} these texts stand with different gold: at most one of each can be right. Decide, or remove "
        "them",
        count,
        parts=(part.name,),
    )
