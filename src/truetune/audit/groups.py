"""Groups (documents, users, dialogues): on both sides of a split, or too few of them to measure with."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

import numpy as np

from truetune.audit.parts import Parts, finding
from truetune.data.keys import hashed
from truetune.data.stored import values_at
from truetune.types import Finding

ENOUGH = 50
"""Groups from which on an interval that resamples groups covers what it says, or nearly."""


def group_findings(parts: Parts) -> Iterator[Finding]:
    """Yield an error for each pair of parts that share groups, and a note for a measuring part with few."""
    keys = {name: hashed(part.groups, len(part.groups)) for name, part in parts.items() if part.groups is not None}
    distinct = {name: np.unique(found, return_index=True) for name, found in keys.items()}
    for first, second in combinations(keys, 2):
        values, places = distinct[second]
        shared = np.isin(values, distinct[first][0])
        if shared.any():
            examples = int(np.isin(keys[second], values[shared]).sum())
            yield finding(
                "group in two parts",
                "error",
                sorted(values_at(parts[second].groups or (), places[shared])),
                f"these groups stand in {first} and in {second} ({examples:,} examples of it): a model can "
                "know them by heart. Split by group (data.group)",
                parts=(first, second),
            )
    for name, (values, places) in distinct.items():
        if name != "train" and 0 < len(values) < ENOUGH:
            yield finding(
                "few groups",
                "note",
                sorted(values_at(parts[name].groups or (), places)),
                f"{name} holds {len(values)} groups: below {ENOUGH} the intervals of its scores are narrower than they "
                "say. Measure on more documents (users, dialogues), not on more examples of the same",
                parts=(name,),
            )
