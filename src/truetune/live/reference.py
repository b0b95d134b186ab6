"""The reference of a run: how its validation part looks to the model, as counts. It ships without texts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from truetune.errors import ModelError
from truetune.files import read_json, write_json
from truetune.live.features import CONFIDENCE, FEATURES, Observed
from truetune.types import Ints

NAME = "reference.json"
FORMAT = 1
"""Raised when what the file says changes."""
LARGEST = 10**8
"""Examples; more than any validation part, and few enough for exact draws."""

Counts = Mapping[str, Mapping[str, int]]
"""Feature -> bin -> number of examples."""


@dataclass(frozen=True)
class Reference:
    """What validation looks like."""

    examples: int
    counts: Counts
    grouped: bool = False
    """Whether the examples came in groups; the tests take each example for one by itself."""
    calibration: Mapping[str, tuple[int, int, float]] | None = None
    """Bin of confidence -> examples, right ones, sum of confidences; None where no single label is right or wrong."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        calibration = None if self.calibration is None else {name: list(one) for name, one in self.calibration.items()}
        return {
            "format": FORMAT,
            "part": "validation",
            "examples": self.examples,
            "grouped": self.grouped,
            "edges": {name: list(one.edges) for name, one in FEATURES.items() if one.ordered},
            "counts": {name: dict(bins) for name, bins in self.counts.items()},
            "calibration": calibration,
        }

    @property
    def right(self) -> tuple[int, int] | None:
        """Right ones and examples of validation; None where neither is known."""
        if not self.calibration:
            return None
        return sum(one[1] for one in self.calibration.values()), sum(one[0] for one in self.calibration.values())


def counted(seen: Iterable[Observed]) -> dict[str, Counter[str]]:
    """Return how many examples are in each bin of each feature."""
    found: dict[str, Counter[str]] = {}
    for one in seen:
        for name, value in one.items():
            found.setdefault(name, Counter())[FEATURES[name].bin(value)] += 1
    return found


def reference_of(seen: Sequence[Observed], right: Sequence[bool] | None, grouped: bool = False) -> Reference:
    """Return the reference of observed examples; `right` says of each whether its label is the gold one."""
    bins: dict[str, tuple[int, int, float]] = {}
    for one, hit in zip(seen, right or (), strict=False):
        if CONFIDENCE.name in one:
            confidence = float(one[CONFIDENCE.name])
            name = CONFIDENCE.bin(confidence)
            examples, hits, total = bins.get(name, (0, 0, 0.0))
            bins[name] = (examples + 1, hits + bool(hit), total + confidence)
    ordered = {name: bins[name] for name in sorted(bins, key=int)}
    return Reference(len(seen), counted(seen), grouped, ordered if right is not None and bins else None)


def aligned(first: Mapping[str, int], second: Mapping[str, int], ordered: bool) -> tuple[list[str], Ints, Ints]:
    """Return the bins that either has, in order, and the counts of both `[bins]`."""
    names = sorted({*first, *second}, key=int if ordered else None)
    one, other = (np.array([counts.get(name, 0) for name in names], dtype=np.int64) for counts in (first, second))
    return names, one, other


def write_reference(folder: Path, reference: Reference) -> None:
    """Write the reference into a bundle."""
    write_json(folder / NAME, reference.to_dict())


def read_reference(folder: Path) -> Reference:
    """Read the reference of a bundle; raises `ModelError` with the reason where there is none that can be used."""
    file = folder / NAME
    if not file.is_file():
        raise ModelError(
            f"{folder}: has no {NAME}: the bundle was made by an older truetune, or of a run without validation part. "
            "`truetune drift RUN --reference` makes it of the run's validation part"
        )
    try:
        stored = read_json(file)
        if stored["format"] != FORMAT:
            raise ModelError(f"{file}: has format {stored['format']}, this truetune reads {FORMAT}; make it again")
        if stored["edges"] != {name: list(one.edges) for name, one in FEATURES.items() if one.ordered}:
            raise ModelError(f"{file}: was counted in other bins than this truetune counts in; make it again")
        counts = {name: _bins(name, bins) for name, bins in stored["counts"].items()}
        calibration = stored["calibration"]
        if calibration is not None:
            calibration = {
                str(int(bin)): (_count(n), _count(hits), float(total)) for bin, (n, hits, total) in calibration.items()
            }
            if any(hits > n for n, hits, _ in calibration.values()):
                raise ValueError("more are right than there are")
        return Reference(_count(stored["examples"]), counts, bool(stored["grouped"]), calibration)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{file}: is damaged ({error}); make it again: truetune drift RUN --reference") from None


def _bins(name: str, bins: Mapping[str, object]) -> dict[str, int]:
    """Return the counts of a feature; raises where it is none, or has bins that are none."""
    feature = FEATURES[name]
    if feature.ordered and any(not 0 <= int(bin) <= len(feature.edges) for bin in bins):
        raise ValueError(f"{name} has bins that are none")
    return {bin: _count(number) for bin, number in bins.items()}


def _count(number: object) -> int:
    if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= LARGEST:
        raise ValueError(f"{number!r} is no number of examples")
    return number
