"""Groups (documents, users, dialogues) that stand on both sides of a split."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from truetune.audit.parts import Parts
from truetune.types import Finding


def group_findings(parts: Parts) -> Iterator[Finding]:
    """Yield an error for each pair of parts that share groups."""
    for first, second in combinations(parts.values(), 2):
        if first.groups is None or second.groups is None:
            continue
        shared = sorted(set(first.groups) & set(second.groups))
        if shared:
            yield Finding(
                check="group in two parts",
                severity="error",
                count=len(shared),
                examples=tuple(shared[:5]),
                advice=f"these groups stand in {first.name} and in {second.name}: a model can know them by heart. "
                "Split by group (data.group)",
            )
