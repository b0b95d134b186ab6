"""What holds a score back: a name, what shows it, and what its removal would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

RATE_HIGH, RATE_LOW = "learning rate too high", "learning rate too low"
FEW_EPOCHS, MANY_EPOCHS = "too few epochs", "too many epochs"
DROPOUT, NOTHING, UNDER, OVER = "too much dropout", "nothing learnt", "under-fitting", "over-fitting"
IMBALANCE, WRONG, CUT = "label imbalance", "wrong labels", "inputs cut short"
FEW, REPEATS = "too few examples", "repeated examples"
WEAK_LABELS, WEAK_SLICES = "weak labels", "weak slices"
CALIBRATION, SEEDS = "miscalibration", "seed noise"
NAMES = (
    REPEATS,
    RATE_HIGH,
    RATE_LOW,
    DROPOUT,
    FEW_EPOCHS,
    NOTHING,
    UNDER,
    WRONG,
    CUT,
    IMBALANCE,
    FEW,
    OVER,
    MANY_EPOCHS,
    WEAK_LABELS,
    WEAK_SLICES,
    CALIBRATION,
    SEEDS,
)
"""All causes; those of like gain are told in this order."""
FIRST = (REPEATS,)
"""Told before all others, since these make every other number of the run mean less than it says."""
SYMPTOMS = (WEAK_LABELS, WEAK_SLICES)
"""Told behind what may be their cause."""
LAST = (CALIBRATION, SEEDS)
"""Told behind all others, since these do not hold the score itself back."""


@dataclass(frozen=True)
class Gain:
    """What the removal of a cause would bring on validation; above 0 is better, whichever way the metric goes."""

    metric: str
    value: float
    low: float
    high: float
    how: str
    """How it was found, a sentence."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: a bound that is not known is None."""
        numbers = {name: getattr(self, name) for name in ("value", "low", "high")}
        known = {name: float(one) if np.isfinite(one) else None for name, one in numbers.items()}
        return {"metric": self.metric, **known, "how": self.how}


@dataclass(frozen=True)
class Cause:
    """One cause that was named."""

    name: str
    evidence: tuple[str, ...]
    """What shows it, in sentences with their numbers."""
    gain: Gain | None = None
    """None where nothing was measured that says how much it costs."""

    @property
    def shown(self) -> bool:
        """Whether the interval of the gain is clear of 0."""
        return self.gain is not None and self.gain.low > 0


def in_order(causes: Sequence[Cause]) -> list[Cause]:
    """Return causes, what matters most first.

    Repeats lead; then gains whose interval is clear of 0, the greatest first; then the other causes; then what is weak,
    which may only be what they do; last what costs no score.
    """

    def place(cause: Cause) -> tuple[int, float, int]:
        tiers = (cause.name in FIRST, cause.shown and cause.name not in LAST, cause.name not in (*SYMPTOMS, *LAST))
        tier = next((place for place, inside in enumerate(tiers) if inside), 3 + (cause.name in LAST))
        value = cause.gain.value if cause.gain is not None and cause.shown else 0.0
        return tier, -value, NAMES.index(cause.name)

    return sorted(causes, key=place)
