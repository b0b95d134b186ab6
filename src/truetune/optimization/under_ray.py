"""Several trainings at once under Ray, on this machine or on the machines of a cluster."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

from truetune import config as configs
from truetune.backbones.torch_ray import connected, ray_itself
from truetune.bundle.run_folder import RunFolder
from truetune.errors import RunError, TruetuneError
from truetune.optimization.crew import FAILURES, Key
from truetune.optimization.runner import FinetuneRunner, halves_of
from truetune.optimization.trial import Changes, Rung, Runner
from truetune.tasks.table import task_named
from truetune.workflows.model import model_place
from truetune.workflows.parts import prepared
from truetune.workflows.progress import Progress

RETRIES = 3
"""How often a training whose process or machine was lost is begun again."""


class MakesRunner(Protocol):
    """Makes a runner in another process; equal ones make the same, which is then made once in each process."""

    def __call__(self) -> Runner:
        """Return the runner."""
        ...

    def __hash__(self) -> int:
        """Return the same for equal ones."""
        ...


@dataclass(frozen=True)
class OfSearch:
    """Makes the runner of a search from its folder, which every machine sees under the same path."""

    folder: str

    def __call__(self) -> Runner:
        """Read the config and the data that the search has written."""
        run, quiet = RunFolder(Path(self.folder)), Progress(quiet=True)
        config = configs.load(run.config)
        data = prepared(task_named(config.task), config.data, run, quiet)
        halves = halves_of(data, config.train.metric or config.evaluate.metric, config.data.split_seed)
        return FinetuneRunner(config, model_place(config.model.name, quiet), data, halves)


@dataclass
class _Training:
    """What Ray was asked for, how many of its rungs were handed on, and how often its process was lost."""

    asked: tuple[Changes, int, bool]
    rungs: Any
    known: int = 0
    again: int = 0
    """Rungs that a training that was begun again has still to repeat."""
    lost: int = 0


class RayCrew:
    """Trains in tasks of Ray, each in a process of its own; used as a context, which ends what is under way."""

    def __init__(self, make: MakesRunner, workers: int, say: Callable[[str], None]) -> None:
        self.size = workers
        self._make, self._say = make, say
        self._ray: Any = None
        self._under_way: dict[Key, _Training] = {}
        self._end = contextlib.ExitStack()

    def __enter__(self) -> RayCrew:
        """Connect to the cluster of RAY_ADDRESS, or start Ray on this machine."""
        self._ray = ray_itself()
        self._end.enter_context(connected(self._ray, self.size))
        there = self._ray.cluster_resources()
        # Graphics cards are shared out where there are any; of processors each training counts as one.
        cards = min(1.0, there.get("GPU", 0.0) / self.size)
        self._task = self._ray.remote(num_cpus=1, num_gpus=cards, max_retries=0)(_rungs)
        return self

    def __exit__(self, *reason: object) -> None:
        """Stop what is under way, and Ray where it was started here."""
        for key in [*self._under_way]:
            self.stop(key)
        self._end.close()

    def begin(self, key: Key, changes: Changes, seed: int, confirms: bool) -> None:
        """Hand a training to Ray."""
        asked = dict(changes), seed, confirms
        self._under_way[key] = _Training(asked, self._task.remote(self._make, *asked))

    def next(self) -> tuple[Key, Rung | Exception | None]:
        """Wait for the next rung of any training."""
        while True:
            (ready, *_), _ = self._ray.wait([one.rungs for one in self._under_way.values()], num_returns=1)
            key, training = next((key, one) for key, one in self._under_way.items() if one.rungs is ready)
            try:
                said = self._ray.get(next(training.rungs))
            except StopIteration:
                del self._under_way[key]
                return key, None
            except self._ray.exceptions.RayTaskError as error:
                raise RunError(f"a training under Ray failed: {error.cause!r}") from None
            except self._ray.exceptions.RayError as error:
                self._begin_again(key, training, error)
                continue
            if isinstance(said, str):
                del self._under_way[key]
                return key, TruetuneError(said)
            if training.again:
                training.again -= 1
                continue
            training.known += 1
            return key, said

    def stop(self, key: Key) -> None:
        """Cancel the task."""
        training = self._under_way.pop(key)
        self._ray.cancel(training.rungs)

    def _begin_again(self, key: Key, training: _Training, error: Exception) -> None:
        """Begin a training again whose process was lost: it says again what it said, since nothing of it is random."""
        if training.lost == RETRIES:
            raise RunError(
                f"the process of a training under Ray was lost {RETRIES + 1} times ({type(error).__name__}); what has "
                "ended is kept. Give the command again"
            )
        self._say(f"a process under Ray was lost ({type(error).__name__}); its training begins again")
        training.lost += 1
        training.again = training.known
        training.rungs = self._task.remote(self._make, *training.asked)


def _rungs(make: MakesRunner, changes: Changes, seed: int, confirms: bool) -> Iterator[Rung | str]:
    """Yield the rungs of a training, and as text what is wrong with it: errors do not travel whole."""
    try:
        yield from _made(make).run(changes, seed, confirms)
    except FAILURES as error:
        yield str(error) or type(error).__name__


@lru_cache(maxsize=1)
def _made(make: MakesRunner) -> Runner:
    return make()
