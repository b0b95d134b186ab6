"""A trial: settings tried once, seen at several points of its training. What the search knows of training."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Protocol

Changes = Mapping[str, Any]
"""`section.key` -> value, where it differs from the config that the search began with."""
Part = Literal["search", "confirm"]
"""The half of validation that the search may look at, or the one that it never sees."""
State = Literal["finished", "stopped", "failed"]


@dataclass(frozen=True)
class Rung:
    """What a model in training says of a part of validation."""

    share: float
    """How much of the training is done, from 0 to 1."""
    predicted: Mapping[str, Sequence[Any]]
    """The predicted columns, in the order of the examples."""
    seconds: float
    """Of the training so far, with its evaluations."""
    part: Part = "search"


class Runner(Protocol):
    """Trains under changed settings. Whoever has seen enough closes the iterator, and the training ends."""

    def run(self, changes: Changes, seed: int, confirms: bool) -> Iterator[Rung]:
        """Yield the predictions on the half of the search at the same shares of training in every trial.

        A training that confirms yields one more: what the checkpoint that was best there predicts on the other half.
        """
        ...


@dataclass(frozen=True)
class Seen:
    """The score of a trial at one rung."""

    share: float
    value: float | None
    """None where the metric was undefined."""
    seconds: float


@dataclass(frozen=True)
class Trial:
    """What became of a trial; its predictions stand beside it on disk."""

    number: int
    """From 0, which is the config as it was given."""
    changes: Changes
    state: State
    rungs: tuple[Seen, ...] = ()
    reason: str = ""
    """Why it was stopped or failed; one that was stopped without a rung was not trained."""
    costs: Mapping[str, float] = field(default_factory=dict)
    """What its model costs, by name, where the search looks at that."""

    def best(self, sign: int) -> int:
        """Return the rung with the best score, from 0: the checkpoint that a run would keep."""
        known = [place for place, rung in enumerate(self.rungs) if rung.value is not None]
        return max(known, key=lambda place: sign * (self.rungs[place].value or 0.0), default=0)

    @property
    def seconds(self) -> float:
        """How long it was trained."""
        return self.rungs[-1].seconds if self.rungs else 0.0


def best_value(trial: Trial, sign: int) -> float:
    """Return the best score of a trial's rungs, or the worst thinkable one where none is defined."""
    value = trial.rungs[trial.best(sign)].value if trial.rungs else None
    return -sign * math.inf if value is None else value


def best_of(trials: Sequence[Trial], sign: int) -> Trial:
    """Return the finished trial with the best score."""
    finished = [trial for trial in trials if trial.state == "finished"]
    return max(finished, key=lambda trial: sign * best_value(trial, sign))
