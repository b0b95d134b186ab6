"""Equal texts: in two parts at once, with different gold, and within a part."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

from truetune.audit.parts import SHOWN, AuditPart, Parts, finding, shortened
from truetune.types import Finding

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
    known = _first_places(first.keys)
    shared = [place for place, key in enumerate(second.keys) if key in known]
    if not shared:
        return
    there = set(first.whole)
    exact = sum(second.whole[place] in there for place in shared)
    contrary = 0
    if first.gold is not None and second.gold is not None:
        contrary = sum(first.answers[known[second.keys[place]]] != second.answers[place] for place in shared)
    yield finding(
        "text in two parts",
        "error",
        [
            f"{first.name} {first.ids[known[second.keys[place]]]} = {second.name} {second.ids[place]}: "
            f"{shortened(second.whole[place])}"
            for place in shared[:SHOWN]
        ],
        f"texts of {second.name} stand in {first.name} too ({exact:,} of them to the character, the others but for "
        f"case, width, spaces and punctuation{f'; {contrary:,} with other gold' if contrary else ''}): the score on "
        f"{second.name} counts what was memorised. Remove them from one side",
        len(shared),
    )


def _half_leaked(first: AuditPart, second: AuditPart) -> Iterator[Finding]:
    """One column of several (the passage, the premise) stands in both parts, the whole example does not."""
    if len(first.texts) < 2:
        return
    whole = set(first.keys)
    for number, (there, keys) in enumerate(zip(first.column_keys, second.column_keys, strict=True), start=1):
        known = _first_places(there)
        shared = [
            place
            for place, key in enumerate(keys)
            if len(key) >= LONG_ENOUGH and key in known and second.keys[place] not in whole
        ]
        if shared:
            yield finding(
                "one of the texts in two parts",
                "warning",
                [
                    f"{first.name} {first.ids[known[keys[place]]]}, {second.name} {second.ids[place]}: "
                    f"{shortened(second.texts[number - 1][place])}"
                    for place in shared[:SHOWN]
                ],
                f"text {number} of these examples of {second.name} stands in {first.name} too, beside another one. "
                "Where it carries the answer (a passage, a document), split by it (data.group)",
                len(shared),
            )


def _repeated(part: AuditPart) -> Iterator[Finding]:
    places: dict[str, list[int]] = {}
    for place, key in enumerate(part.keys):
        places.setdefault(key, []).append(place)
    repeated = [found for key, found in places.items() if key and len(found) > 1]
    contrary = [found for found in repeated if part.gold is not None and _contrary(part, found)]
    if contrary:
        yield finding(
            "equal texts, different gold",
            "warning",
            [part.told(found) for found in contrary[:SHOWN]],
            f"in {part.name} these texts stand with different gold: at most one of each can be right. Decide, "
            "or remove them",
            len(contrary),
        )
    if repeated:
        yield finding(
            "repeated texts",
            "warning",
            [part.told(found) for found in repeated[:SHOWN]],
            f"{part.name} holds texts more than once (equal after normalisation); each copy weighs again. "
            "data.drop_duplicates keeps one",
            sum(len(found) - 1 for found in repeated),
        )


def _contrary(part: AuditPart, places: Sequence[int]) -> bool:
    return any(part.answers[place] != part.answers[places[0]] for place in places[1:])


def _first_places(keys: Sequence[str]) -> dict[str, int]:
    """Return where each key stands first; empty ones are left out."""
    return {key: place for place, key in reversed(list(enumerate(keys))) if key}
