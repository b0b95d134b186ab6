"""The course of a training, from the events of its run."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.types import Floats


@dataclass(frozen=True)
class Evaluated:
    """An evaluation of the validation part."""

    step: int
    epoch: float
    scores: Mapping[str, float]


@dataclass(frozen=True)
class Curve:
    """Losses of the steps, `[steps]`, seconds of the training, and the evaluations in order."""

    losses: Floats
    seconds: float
    evaluations: tuple[Evaluated, ...]
    best: int
    """Which evaluation was the best, from 0; -1 where there is none."""

    @property
    def first_loss(self) -> float:
        """Mean loss of the first twentieth of the steps."""
        return float(self.losses[: max(1, len(self.losses) // 20)].mean()) if len(self.losses) else math.nan

    @property
    def last_loss(self) -> float:
        """Mean loss of the last tenth of the steps."""
        return float(self.losses[-max(1, len(self.losses) // 10) :].mean()) if len(self.losses) else math.nan

    @property
    def left(self) -> float:
        """Which share of the first loss is left in the end."""
        return self.last_loss / self.first_loss if self.first_loss > 0 else math.nan

    def log_losses(self) -> list[float]:
        """Return the log-loss on validation at each evaluation; none where a task has no log-loss."""
        return [one.scores["log_loss"] for one in self.evaluations if "log_loss" in one.scores]


def curve_of(events: Iterable[Mapping[str, Any]]) -> Curve:
    """Return the course of a training from its events."""
    found = list(events)
    steps = [one for one in found if one.get("event") == "step"]
    evaluated = [one for one in found if one.get("event") == "evaluation"]
    best = max((place for place, one in enumerate(evaluated) if one.get("best")), default=-1)
    evaluations = tuple(Evaluated(one["step"], one["epoch"], one["scores"]) for one in evaluated)
    losses = np.array([one["loss"] for one in steps], dtype=np.float64)
    return Curve(losses, float(sum(one.get("seconds", 0.0) for one in steps)), evaluations, best)
