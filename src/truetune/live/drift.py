"""Has what a model meets changed since validation? A test of a whole file, once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.live.features import FEATURES
from truetune.live.reference import Counts, Reference, aligned
from truetune.stats.adjust import holm
from truetune.stats.homogeneity import homogeneity_p

DRAWS = 9_999


@dataclass(frozen=True)
class Moved:
    """One feature: how it was, how it is, and whether it moved."""

    feature: str
    p_value: float
    p_adjusted: float
    distance: float
    """Total variation: the least share of examples that are of another distribution."""
    before: float | None
    after: float | None
    """Medians of an ordered feature; else the share of the bin that grew most."""
    bin: str | None
    """Of a feature without order: the bin that grew most."""
    drifted: bool


@dataclass(frozen=True)
class Drift:
    """What a file looks like beside the reference."""

    examples: int
    reference: int
    grouped: bool
    alpha: float
    features: tuple[Moved, ...]

    @property
    def shown(self) -> bool:
        """Whether drift is shown."""
        return any(one.drifted for one in self.features)

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "drift": self.shown,
            "alpha": self.alpha,
            "examples": self.examples,
            "reference": self.reference,
            "grouped": self.grouped,
            "features": [{name: getattr(one, name) for name in Moved.__dataclass_fields__} for one in self.features],
            "method": f"exact permutation of counts, {DRAWS:,} draws; Holm over {len(self.features)} features",
        }


def drift(reference: Reference, counts: Counts, examples: int, alpha: float, rng: np.random.Generator) -> Drift:
    """Hold counts of a file against the reference, by feature; the chance of any false alarm is at most `alpha`.

    That holds where, without drift, the examples of both are exchangeable: each by itself, drawn in one way. Features
    that only one of the two has are left out.
    """
    names = [name for name in FEATURES if reference.counts.get(name) and counts.get(name)]
    found = [_compared(name, reference.counts[name], counts[name], rng) for name in names]
    adjusted = holm([one.p_value for one in found])
    moved = tuple(
        Moved(one.feature, one.p_value, p, one.distance, one.before, one.after, one.bin, p <= alpha)
        for one, p in zip(found, adjusted, strict=True)
    )
    return Drift(examples, reference.examples, reference.grouped, alpha, moved)


def _compared(name: str, before: Mapping[str, int], after: Mapping[str, int], rng: np.random.Generator) -> Moved:
    feature = FEATURES[name]
    bins, first, second = aligned(before, after, feature.ordered)
    p = homogeneity_p(first, second, feature.ordered, DRAWS, rng)
    shares = first / first.sum(), second / second.sum()
    distance = float(np.abs(shares[1] - shares[0]).sum() / 2)
    if feature.ordered:
        middles = [median(name, counts) for counts in (before, after)]
        return Moved(name, p, p, distance, middles[0], middles[1], None, False)
    most = int((shares[1] - shares[0]).argmax())
    return Moved(name, p, p, distance, float(shares[0][most]), float(shares[1][most]), bins[most], False)


def median(name: str, counts: Mapping[str, int]) -> float:
    """Return the middle value of an ordered feature, as far as its bins tell: by a straight line through the bin."""
    return quantile(name, counts, 0.5)


def quantile(name: str, counts: Mapping[str, int], share: float) -> float:
    """Return a quantile of an ordered feature from its bins, by a straight line through the bin that it is in."""
    feature = FEATURES[name]
    wanted, below = share * sum(counts.values()), 0
    for bin in sorted(counts, key=int):
        if counts[bin] and below + counts[bin] >= wanted:
            low, high = feature.bounds(bin)
            low = 0.0 if low == float("-inf") else low
            high = (1.0 if feature.edges[-1] < 1 else low) if high == float("inf") else high
            return low + (high - low) * (wanted - below) / counts[bin]
        below += counts[bin]
    return float("nan")
