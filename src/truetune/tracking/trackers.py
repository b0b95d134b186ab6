"""Other places that a run is followed in: each is told of the same events, and at the end of what came of the run.

A tracker that fails (no network, a full disk there) is told once and left out; the run goes on.
"""

from __future__ import annotations

import contextlib
import importlib.util
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from truetune.errors import MissingPackageError

PACKAGES = {"tensorboard": "tensorboard", "wandb": "wandb", "mlflow": "mlflow"}
"""Tracker -> the package that it needs; the extra has the tracker's name."""


@dataclass(frozen=True)
class Begin:
    """A run that begins, or goes on."""

    name: str
    folder: Path
    """The run's own, where trackers without a server write."""
    shared: Path
    """The folder of all runs, for trackers that keep several together."""
    project: str
    config: Mapping[str, Any]
    """The settings, nested."""


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    scores: Mapping[str, Sequence[Mapping[str, Any]]]
    """System (`before`, `after`) -> its scores, as `evaluate` prints them."""
    report: Path
    files: Sequence[Path] = field(default=())
    """Other files of the run: settings, manifest, scores, comparison, model card."""


class Tracker(Protocol):
    """A place that a run is followed in."""

    def event(self, event: Mapping[str, Any]) -> None:
        """Take in an event of `events.jsonl`."""
        ...

    def finish(self, outcome: Outcome | None) -> None:
        """Take in what came of the run, None for one that was broken off, and close."""
        ...


class Trackers:
    """Several trackers as one, none of which can break the run."""

    def __init__(self, opened: Iterable[tuple[str, Callable[[], Tracker]]], say: Callable[[str], None]) -> None:
        self._say = say
        self._trackers: dict[str, Tracker] = {}
        for name, begin in opened:
            with self._surviving(name):
                self._trackers[name] = begin()

    def event(self, event: Mapping[str, Any]) -> None:
        """Hand an event to all of them."""
        for name, tracker in list(self._trackers.items()):
            with self._surviving(name):
                tracker.event(event)

    def finish(self, outcome: Outcome | None) -> None:
        """Hand them what came of the run; nothing follows."""
        for name, tracker in list(self._trackers.items()):
            with self._surviving(name):
                tracker.finish(outcome)
        self._trackers.clear()

    @contextlib.contextmanager
    def _surviving(self, name: str) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            self._trackers.pop(name, None)
            self._say(f"track.to {name}: {type(error).__name__}: {error}; the run goes on without it")


def opened_trackers(names: Sequence[str], begin: Begin, say: Callable[[str], None]) -> Trackers:
    """Begin to follow a run in the named places."""
    return Trackers([(name, _opening(name, begin)) for name in names], say)


def need_trackers(names: Sequence[str]) -> None:
    """Raise `MissingPackageError` where the package of a tracker is not installed."""
    for name in names:
        if importlib.util.find_spec(PACKAGES[name]) is None:
            raise MissingPackageError(PACKAGES[name], f"track.to {name}", name)


def numbers_of(event: Mapping[str, Any]) -> dict[str, float]:
    """Return the curves' points of an event: `train/loss`, `validation/accuracy`..."""
    if event.get("event") == "evaluation":
        return {f"validation/{name}": float(value) for name, value in event["scores"].items()}
    if event.get("event") == "hardware":
        return {f"hardware/{name}": float(value) for name, value in event.items() if name not in ("event", "step")}
    names = ("loss", "learning_rate", "epoch", "seconds", "tokens", "utilisation")
    return {f"train/{name}": float(event[name]) for name in names if isinstance(event.get(name), int | float)}


def final_numbers(outcome: Outcome) -> dict[str, float]:
    """Return each defined score with its bounds: `after/accuracy`, `after.low/accuracy`, `after.high/accuracy`."""
    found = {}
    for system, scores in outcome.scores.items():
        for score in scores:
            for group, key in ((system, "value"), (f"{system}.low", "low"), (f"{system}.high", "high")):
                if score[key] is not None:
                    found[f"{group}/{score['metric']}"] = float(score[key])
    return found


def flat(config: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Return nested settings as `section.key` -> value."""
    found: dict[str, Any] = {}
    for key, value in config.items():
        found |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {prefix + key: value}
    return found


def _opening(name: str, begin: Begin) -> Callable[[], Tracker]:
    def tensorboard() -> Tracker:
        from truetune.tracking.tensorboard import TensorBoard

        return TensorBoard(begin)

    def wandb() -> Tracker:
        from truetune.tracking.wandb import WeightsAndBiases

        return WeightsAndBiases(begin)

    def mlflow() -> Tracker:
        from truetune.tracking.mlflow import MLflow

        return MLflow(begin)

    return {"tensorboard": tensorboard, "wandb": wandb, "mlflow": mlflow}[name]
