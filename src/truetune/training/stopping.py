"""Which evaluation was the best, and when to stop: pure values, so that they can be saved and resumed."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

from truetune.errors import RunError, nearest
from truetune.training.plateau import Margin
from truetune.types import Better

PATIENCE = 2


@dataclass(frozen=True)
class Selection:
    """What chooses the checkpoint: a score of the validation part, and its direction."""

    metric: str
    better: Better = "higher"
    patience: int | None = None
    """Stop after this many evaluations in a row without a better score; None: never. With a margin: of how many
    evaluations the greatest gain must not matter; None: 2."""
    margin: Margin | None = None
    """Stop by the interval of what the last evaluations gained instead (`training/plateau.py`)."""

    def score(self, scores: Mapping[str, float]) -> float:
        """Return the score that chooses; one that was not computed is an error, never passed over."""
        if self.metric not in scores:
            raise RunError(
                f"the metric {self.metric!r}, which chooses the checkpoint, was not computed; "
                f"{nearest(self.metric, scores)}"
            )
        return scores[self.metric]


@dataclass(frozen=True)
class Progress:
    """The evaluations so far."""

    best: float = math.nan
    best_step: int = 0
    """0: no evaluation had a defined score yet."""
    since: int = 0
    """Evaluations since the best."""

    def after(self, score: float, step: int, better: Better) -> Progress:
        """Return the progress after one more evaluation; only a strictly better score is better, NaN never is."""
        if math.isnan(score):
            return replace(self, since=self.since + 1)
        gained = score > self.best if better == "higher" else score < self.best
        if self.best_step == 0 or gained:
            return Progress(score, step, 0)
        return replace(self, since=self.since + 1)

    def exhausted(self, patience: int | None) -> bool:
        """Return whether training should stop."""
        return patience is not None and self.since >= patience
