"""One or several references a segment, as columns."""

from __future__ import annotations

from collections.abc import Sequence

from truetune.errors import MetricError
from truetune.types import Column


def aligned_references(gold: Column, predicted: Column) -> list[list[str | None]]:
    """Return the first, second, ... reference of every segment; None where a segment has fewer.

    `gold` holds a text or a non-empty sequence of texts a segment. Raises `MetricError` for unequal numbers
    of segments and for a segment without a reference.
    """
    if len(gold) != len(predicted):
        raise MetricError(f"{len(gold):,} segments have references, {len(predicted):,} a text; expected as many")
    listed: list[Sequence[str]] = [(one,) if isinstance(one, str) else one for one in gold]
    for place, references in enumerate(listed):
        if not references:
            raise MetricError(f"segment {place} has no reference; expected at least one")
    width = max(map(len, listed), default=1)
    return [[references[place] if place < len(references) else None for references in listed] for place in range(width)]
