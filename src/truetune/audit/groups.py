"""Groups (documents, users, dialogues): on both sides of a split, or too few of them to measure with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from truetune.audit.parts import Parts, finding
from truetune.types import Finding

ENOUGH = 50
"""Groups from which on an interval that resamples groups covers what it says, or nearly."""


def group_findings(parts: Parts) -> Iterator[Finding]:
    """Yield an error for each pair of parts that share groups, and a note for a measuring part with few."""
    for first, second in combinations(parts.values(), 2):
        if first.groups is None or second.groups is None:
            continue
        shared = sorted(set(first.groups) & set(second.groups))
        if shared:
            there = set(shared)
            examples = sum(group in there for group in second.groups)
            yield finding(
                "group in two parts",
                "error",
                shared,
                f"these groups stand in {first.name} and in {second.name} ({examples:,} examples of it): a model can "
                "know them by heart. Split by group (data.group)",
            )
    for name, part in parts.items():
        number = len(set(part.groups)) if part.groups else ENOUGH
        if name != "train" and number < ENOUGH:
            yield finding(
                "few groups",
                "note",
                sorted(set(part.groups or ())),
                f"{name} holds {number} groups: below {ENOUGH} the intervals of its scores are narrower than they say. "
                "Measure on more documents (users, dialogues), not on more examples of the same",
            )
