"""Equal texts: within a part, in two parts at once, and with different answers."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from truetune.audit.parts import AuditPart, Parts, shortened
from truetune.types import Finding

SHOWN = 5


def duplicate_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what repeats: leakage between parts (error), contrary answers and repeats within a part (warning)."""
    for first, second in combinations(parts.values(), 2):
        yield from _leaked(first, second)
    for part in parts.values():
        yield from _repeated(part)


def _leaked(first: AuditPart, second: AuditPart) -> Iterator[Finding]:
    known = {key: place for place, key in reversed(list(enumerate(first.keys))) if key}
    shared = [place for place, key in enumerate(second.keys) if key in known]
    if shared:
        yield Finding(
            check="text in two parts",
            severity="error",
            count=len(shared),
            examples=tuple(
                f"{first.name} {first.ids[known[second.keys[place]]]} = {second.name} {second.ids[place]}: "
                f"{shortened(second.whole[place])}"
                for place in shared[:SHOWN]
            ),
            advice=f"texts of {second.name} stand in {first.name} too (equal after normalisation): the score on "
            f"{second.name} counts what was memorised. Remove them from one side",
        )


def _repeated(part: AuditPart) -> Iterator[Finding]:
    places: dict[str, list[int]] = {}
    for place, key in enumerate(part.keys):
        places.setdefault(key, []).append(place)
    repeated = [found for key, found in places.items() if key and len(found) > 1]
    contrary = [found for found in repeated if _contrary(part, found)]
    if contrary:
        yield Finding(
            check="equal texts, different gold",
            severity="warning",
            count=len(contrary),
            examples=tuple(_told(part, found) for found in contrary[:SHOWN]),
            advice=f"in {part.name} these texts stand with different gold: at most one of each can be right. Decide, "
            "or remove them",
        )
    extra = sum(len(found) - 1 for found in repeated)
    if extra:
        yield Finding(
            check="repeated texts",
            severity="warning",
            count=extra,
            examples=tuple(_told(part, found) for found in repeated[:SHOWN]),
            advice=f"{part.name} holds texts more than once (equal after normalisation); each copy weighs again. "
            "data.drop_duplicates keeps one",
        )


def _contrary(part: AuditPart, places: list[int]) -> bool:
    return part.gold is not None and len({str(part.gold[place]) for place in places}) > 1


def _told(part: AuditPart, places: list[int]) -> str:
    ids = ", ".join(part.ids[place] for place in places[:4])
    gold = "" if part.gold is None else f" [{', '.join(sorted({str(part.gold[place]) for place in places}))[:60]}]"
    return f"{ids}: {shortened(part.whole[places[0]])}{gold}"
