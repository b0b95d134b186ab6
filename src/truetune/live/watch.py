"""What a model meets, watched all the time: a test of each window of examples, and evidence over all windows.

The windows' p-values are conformal (Vovk, Nouretdinov and Gammerman 2003, Testing exchangeability on-line): each window
is held against the bag of the reference and all windows before it, itself among them. While all these examples are
exchangeable each p-value is uniform or larger whatever the others are, so that bets on them multiply
(`stats/evidence.py`), and the chance of ever raising an alarm is `alpha` at most.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from truetune.live.features import CONFIDENCE, FEATURES, Observed
from truetune.live.reference import Reference, aligned
from truetune.stats.evidence import Evidence, mean_evidence
from truetune.stats.homogeneity import homogeneity_p, strata_p
from truetune.types import Ints

WINDOW, LABELLED_WINDOW = 100, 50
DRAWS = 999
"""Random permutations a feature and window."""


class Sequential:
    """Evidence by name over windows, its mean, and whether that ever reached 1 / alpha."""

    def __init__(self, names: tuple[str, ...], alpha: float) -> None:
        self.alpha = alpha
        self.evidence = {name: Evidence() for name in names}
        self.windows = 0
        self.alarm: int | None = None
        """The window that raised it; it stays raised."""

    @property
    def value(self) -> float:
        """The mean of all evidence: a test martingale."""
        return mean_evidence(list(self.evidence.values()))

    def window(self, p_value: Callable[[str, np.random.Generator], float]) -> None:
        """Take in one window, given what tests it by one name."""
        self.windows += 1
        for place, name in enumerate(self.evidence):
            # Of the window's number alone, so that a restarted server draws as one that was never stopped.
            rng = np.random.default_rng([self.windows, place])
            self.evidence[name] = self.evidence[name].after(p_value(name, rng))
        if self.alarm is None and self.value >= 1 / self.alpha:
            self.alarm = self.windows

    def told(self) -> dict[str, Any]:
        """Return what is said of it, as JSON values."""
        each = {name: float(np.exp(min(one.logarithm, 700.0))) for name, one in self.evidence.items()}
        return {
            "alarm": self.alarm is not None,
            "alarm_window": self.alarm,
            "windows": self.windows,
            "evidence": self.value,
            "limit": 1 / self.alpha,
            "by": each,
        }

    def to_dict(self) -> dict[str, Any]:
        """Return what `restore` takes."""
        each = {name: [one.started if one.steps else None, one.steps] for name, one in self.evidence.items()}
        return {"alpha": self.alpha, "evidence": each, "windows": self.windows, "alarm": self.alarm}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Go on from saved values; raises `ValueError` where they are of other features or another alpha."""
        if set(stored["evidence"]) != set(self.evidence) or stored["alpha"] != self.alpha:
            raise ValueError("it was of other features, or of another alpha")
        for name, (started, steps) in stored["evidence"].items():
            self.evidence[name] = Evidence(float("-inf") if started is None else float(started), int(steps))
        self.windows = int(stored["windows"])
        self.alarm = None if stored["alarm"] is None else int(stored["alarm"])


class DriftWatch:
    """Inputs and predictions of a model, window after window, beside its reference."""

    def __init__(self, reference: Reference, window: int = WINDOW, alpha: float = 0.05) -> None:
        names = tuple(name for name in FEATURES if reference.counts.get(name))
        self.sequence = Sequential(names, alpha)
        self._size, self._seen = window, 0
        self._bag = {name: Counter(reference.counts[name]) for name in names}
        self._window: dict[str, Counter[str]] = {name: Counter() for name in names}

    @property
    def examples(self) -> int:
        """How many examples were seen so far."""
        return self.sequence.windows * self._size + self._seen

    def seen(self, one: Observed) -> bool:
        """Take in one example; whether it ended a window."""
        for name, counts in self._window.items():
            if name in one:
                counts[FEATURES[name].bin(one[name])] += 1
        self._seen += 1
        if self._seen < self._size:
            return False
        self.sequence.window(self._p_value)
        for name, counts in self._window.items():
            self._bag[name].update(counts)
            counts.clear()
        self._seen = 0
        return True

    def _p_value(self, name: str, rng: np.random.Generator) -> float:
        ordered = FEATURES[name].ordered
        _, before, now = aligned(self._bag[name], self._window[name], ordered)
        return homogeneity_p(before, now, ordered, DRAWS, rng)

    def to_dict(self) -> dict[str, Any]:
        """Return what `restore` takes: counts, no texts."""
        counts = [{name: dict(one) for name, one in some.items()} for some in (self._bag, self._window)]
        return {
            "sequence": self.sequence.to_dict(),
            "size": self._size,
            "seen": self._seen,
            "bag": counts[0],
            "window": counts[1],
        }

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Go on from saved values; raises `ValueError` where windows were of another size or of other features."""
        if stored["size"] != self._size:
            raise ValueError(f"its windows were of {stored['size']} examples")
        self.sequence.restore(stored["sequence"])
        self._seen = int(stored["seen"])
        self._bag = {name: Counter(stored["bag"][name]) for name in self._bag}
        self._window = {name: Counter(stored["window"][name]) for name in self._window}


class LabelWatch:
    """Right and wrong answers as labels arrive: is accuracy lower, is calibration another one than on validation?

    Accuracy is tested one-sided. Calibration is the share of right answers within each bin of confidence: which bins
    come more often changes nothing of it.
    """

    def __init__(self, reference: Reference, window: int = LABELLED_WINDOW, alpha: float = 0.05) -> None:
        self.sequence = Sequential(("accuracy", "calibration"), alpha)
        self._size = window
        self._bag = np.zeros((len(CONFIDENCE.edges) + 1, 2), dtype=np.int64)
        for bin, (examples, right, _) in (reference.calibration or {}).items():
            self._bag[int(bin)] = examples, right
        self._window = np.zeros_like(self._bag)

    def seen(self, confidence: float, right: bool) -> bool:
        """Take in one labelled answer; whether it ended a window."""
        self._window[int(CONFIDENCE.bin(confidence))] += (1, int(right))
        if self._window[:, 0].sum() < self._size:
            return False
        self.sequence.window(self._p_value)
        self._bag += self._window
        self._window[:] = 0
        return True

    def _p_value(self, name: str, rng: np.random.Generator) -> float:
        whole = name == "accuracy"
        before, now = (_one(counts) if whole else counts for counts in (self._bag, self._window))
        return strata_p(before, now, whole, DRAWS, rng)

    def to_dict(self) -> dict[str, Any]:
        """Return what `restore` takes."""
        counts = {"bag": self._bag.tolist(), "window": self._window.tolist()}
        return {"sequence": self.sequence.to_dict(), "size": self._size, **counts}

    def restore(self, stored: Mapping[str, Any]) -> None:
        """Go on from saved values; raises `ValueError` where windows were of another size."""
        bag, window = (np.array(stored[name], dtype=np.int64) for name in ("bag", "window"))
        if stored["size"] != self._size or bag.shape != self._bag.shape or window.shape != self._bag.shape:
            raise ValueError("its windows were of another size")
        self.sequence.restore(stored["sequence"])
        self._bag, self._window = bag, window


def _one(counts: Ints) -> Ints:
    return np.asarray(counts.sum(axis=0)[None])
