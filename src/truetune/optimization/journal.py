"""What a search leaves behind: each trial whole or not at all, so that a killed search goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from truetune.data.arrow import parquet_about, read_parquet_columns, write_parquet
from truetune.files import read_json, whole_folder, write_json
from truetune.optimization.trial import Rung, Seen, Trial

RESULT = "trial.json"
SECONDS = "seconds"
"""Under which name what a finalist's run predicted says how long it was trained."""

Columns = Mapping[str, Sequence[Any]]


class Journal(Protocol):
    """The trials of a search, and the runs that confirm it.

    Where several processes search together (`shared`), each claims what it begins, and sees what the others have begun.
    """

    @property
    def shared(self) -> bool:
        """Whether other processes may write, too."""
        ...

    def trials(self) -> list[Trial]:
        """Return the trials that came to an end, by number."""
        ...

    def write(self, trial: Trial, rungs: Sequence[Rung]) -> None:
        """Save a trial with what it predicted at each rung; a claim of it ends."""
        ...

    def predicted(self, number: int, place: int) -> Columns:
        """Return what a trial predicted at a rung, counted from 0."""
        ...

    def confirming(self, number: int, seed: int) -> Columns | None:
        """Return what a finalist's run with a seed predicted: nothing where it failed, None where it was not made."""
        ...

    def confirming_seconds(self, number: int, seed: int) -> float | None:
        """Return how long a finalist's run with a seed was trained, which was made; None: an older version made it."""
        ...

    def write_confirming(self, number: int, seed: int, predicted: Columns, seconds: float) -> None:
        """Save what a finalist's run with a seed predicted, nothing where it failed; a claim of it ends."""
        ...

    def claim(self, number: int, seed: int | None = None) -> bool:
        """Take a trial, or the run of a finalist with a seed, for this process; False where another has it."""
        ...

    def taken(self) -> set[int]:
        """Return the trials that other processes have under way."""
        ...


class Folder:
    """A journal in a folder, of one process."""

    shared = False

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def trials(self) -> list[Trial]:
        """Return the trials that came to an end, by number."""
        return [trial_of(read_json(file)) for file in sorted((self._folder / "trials").glob(f"*/{RESULT}"))]

    def write(self, trial: Trial, rungs: Sequence[Rung]) -> None:
        """Save a trial with what it predicted at each rung."""
        folder = self._trial(trial.number)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with whole_folder(folder) as made:
            for place, rung in enumerate(rungs):
                write_parquet(made / _rung(place), dict(rung.predicted))
            write_json(made / RESULT, asdict(trial))

    def predicted(self, number: int, place: int) -> Mapping[str, list[Any]]:
        """Return what a trial predicted at a rung, counted from 0."""
        return read_parquet_columns(self._trial(number) / _rung(place))

    def confirming(self, number: int, seed: int) -> Mapping[str, list[Any]] | None:
        """Return what a finalist's run with a seed predicted, or None where it was not made yet."""
        path = self._confirming(number, seed)
        return read_parquet_columns(path) if path.is_file() else None

    def confirming_seconds(self, number: int, seed: int) -> float | None:
        """Return how long a finalist's run with a seed was trained, which was made; None: an older version made it."""
        return seconds_said(parquet_about(self._confirming(number, seed)))

    def write_confirming(self, number: int, seed: int, predicted: Columns, seconds: float) -> None:
        """Save what a finalist's run with a seed predicted."""
        path = self._confirming(number, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(path, dict(predicted), {SECONDS: repr(seconds)})

    def claim(self, number: int, seed: int | None = None) -> bool:
        """Return True: nobody else is there."""
        return True

    def taken(self) -> set[int]:
        """Return nothing."""
        return set()

    def _trial(self, number: int) -> Path:
        return self._folder / "trials" / f"{number:04d}"

    def _confirming(self, number: int, seed: int) -> Path:
        return self._folder / "confirmation" / f"{number:04d}-seed-{seed}.parquet"


def seconds_said(about: Mapping[str, str]) -> float | None:
    """Return how long a run was trained, from what stands beside its predictions; None where that says nothing."""
    return float(about[SECONDS]) if SECONDS in about else None


def trial_of(saved: Mapping[str, Any]) -> Trial:
    """Return a trial from its JSON."""
    return Trial(**{**saved, "rungs": tuple(Seen(**rung) for rung in saved["rungs"])})


def _rung(place: int) -> str:
    return f"rung-{place + 1}.parquet"
