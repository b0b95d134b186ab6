"""Whether a part is large enough to measure with, and how many examples would be."""

from __future__ import annotations

import math
from collections.abc import Iterator

from truetune.audit.parts import Parts, finding
from truetune.types import Finding

Z = 1.959964
"""Quantile of a 95 % interval."""
POINTS = 0.05


def needed(half: float) -> int:
    """Return how many examples make a 95 % Wilson interval of any share at most `half` wide to each side."""
    return math.ceil(Z**2 / 4 / half**2 - Z**2)


def half_width(examples: int) -> float:
    """Return half the width of the 95 % Wilson interval of a share of one half, where it is widest."""
    return Z / 2 / math.sqrt(examples + Z**2)


def size_findings(parts: Parts) -> Iterator[Finding]:
    """Yield parts to measure with that tell a share of right answers no closer than +-5 points.

    Of texts without gold no answer is right or wrong.
    """
    for name, part in parts.items():
        if name in ("validation", "test") and part.gold is not None and 0 < len(part.ids) < needed(POINTS):
            yield finding(
                "part too small to measure",
                "note",
                [],
                f"{name} holds {len(part.ids):,} examples: the share that is right is known to "
                f"+-{100 * half_width(len(part.ids)):.1f} points at worst; {needed(POINTS):,} examples make "
                f"+-5, {needed(0.03):,} +-3, {needed(0.01):,} +-1. Label more before small gains are believed",
                len(part.ids),
                parts=(name,),
            )
