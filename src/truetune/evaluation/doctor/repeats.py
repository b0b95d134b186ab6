"""Texts that stand in the test set more than once, or in the training data: is the score one of them?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from truetune.data.keys import Keys, hashed
from truetune.evaluation.doctor.case import Case, finding
from truetune.evaluation.doctor.rightness import named_only, right, share, text_keys
from truetune.types import Bools, Finding

FEWEST, LEAST_SHARE = 5, 0.01
"""Repeats are told of where they are five, and one in a hundred."""
MATTERS = 0.01
"""By how much the share of right examples must fall without some of them for a warning."""


def repeat_findings(case: Case) -> Iterator[Finding]:
    """Yield that texts stand more than once in the test set, with the score that is left when each counts once."""
    keys = text_keys(case)
    if keys is None or named_only(case):
        return
    first = np.zeros(len(keys), dtype=np.bool_)
    first[list({key: place for place, key in reversed(list(enumerate(keys)))}.values())] = True
    first |= np.array([not key for key in keys])
    number = int((~first).sum())
    if number < max(FEWEST, LEAST_SHARE * len(keys)):
        return
    shares, falls = _shares(case, first)
    yield finding(
        "repeated test texts",
        "warning" if falls else "note",
        number,
        [case.shown(place, keys[place]) for place in np.flatnonzero(~first)[:5].tolist()],
        f"these texts stand in the test set before (equal after normalisation), and each copy counts again"
        f"{_told(shares)}. Score each text once",
    )


def seen_findings(case: Case, training: Keys) -> Iterator[Finding]:
    """Yield which examples stand in the training data, and the score without them; `training` are `keys_of_texts`."""
    keys = text_keys(case)
    if keys is None:
        return
    new = ~np.isin(hashed(keys, len(keys)), training) | np.array([not key for key in keys])
    if new.all():
        return
    shares, falls = _shares(case, new)
    yield finding(
        "test texts seen in training",
        "error" if falls else "warning",
        int((~new).sum()),
        [case.shown(place, keys[place]) for place in np.flatnonzero(~new)[:5].tolist()],
        f"these texts stand in the training data (equal after normalisation){_told(shares)}. Only a score "
        "without them says what the system does with texts that it does not know; leave them out",
    )


def _shares(case: Case, kept: Bools) -> tuple[tuple[float, float] | None, bool]:
    """Return which share of all examples is right, and of the kept ones; and whether that falls by more than chance."""
    hits = right(case)
    if hits is None:
        return None, False
    whole, rest, others = share(hits), share(hits[kept]), share(hits[~kept])
    error = float(np.sqrt(whole * (1 - whole) * (1 / max(kept.sum(), 1) + 1 / max((~kept).sum(), 1))))
    return (whole, rest), whole - rest > MATTERS and others - rest > 2 * error


def _told(shares: tuple[float, float] | None) -> str:
    """Say the shares of right examples with and without some of them; nothing where none is right by itself."""
    if shares is None:
        return ""
    return f": {shares[0]:.3f} of the examples are right with them, {shares[1]:.3f} without"
