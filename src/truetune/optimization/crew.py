"""Who trains: this process, one training after the other, or several at once elsewhere."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import Protocol

from truetune.errors import TruetuneError
from truetune.optimization.trial import Changes, Rung, Runner

Key = Hashable
"""Names a training among those that are under way."""
FAILURES = (TruetuneError, ArithmeticError, MemoryError, RuntimeError, ValueError)
"""What is wrong with one trial and leaves the search as it is."""


class Crew(Protocol):
    """Trainings that were begun and say their rungs, one after the other or side by side."""

    @property
    def size(self) -> int:
        """How many trainings may be under way at once."""
        ...

    def begin(self, key: Key, changes: Changes, seed: int, confirms: bool) -> None:
        """Begin a training, as `Runner.run` does it."""
        ...

    def next(self) -> tuple[Key, Rung | Exception | None]:
        """Wait for the next thing that a training says: a rung, what went wrong with it, or None at its end.

        What went wrong is one of `FAILURES`; anything else is raised.
        """
        ...

    def stop(self, key: Key) -> None:
        """End a training that is under way."""
        ...


class Alone:
    """One process: this one, which trains what was begun before it begins another."""

    size = 1

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self._under_way: tuple[Key, Iterator[Rung]] | None = None

    def begin(self, key: Key, changes: Changes, seed: int, confirms: bool) -> None:
        """Begin a training; there is none under way."""
        assert self._under_way is None
        self._under_way = key, self._runner.run(changes, seed, confirms)

    def next(self) -> tuple[Key, Rung | Exception | None]:
        """Train to the next rung and return it."""
        assert self._under_way is not None
        key, training = self._under_way
        try:
            rung = next(training, None)
        except FAILURES as error:
            self._under_way = None
            return key, error
        if rung is None:
            self._under_way = None
        return key, rung

    def stop(self, key: Key) -> None:
        """Close the training."""
        assert self._under_way is not None
        close = getattr(self._under_way[1], "close", None)
        if close is not None:
            close()
        self._under_way = None
