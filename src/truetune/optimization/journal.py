"""What a search leaves on disk: each trial whole or not at all, so that a killed search goes on where it was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from truetune.data.arrow import read_parquet_columns, write_parquet
from truetune.files import read_json, whole_folder, write_json
from truetune.optimization.trial import Rung, Seen, Trial

RESULT = "trial.json"


class Journal:
    """The trials of a search, and the runs that confirm it, in a folder."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def trials(self) -> list[Trial]:
        """Return the trials that came to an end, by number."""
        found = []
        for file in sorted((self._folder / "trials").glob(f"*/{RESULT}")):
            saved = read_json(file)
            found.append(Trial(**{**saved, "rungs": tuple(Seen(**rung) for rung in saved["rungs"])}))
        return found

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

    def write_confirming(self, number: int, seed: int, predicted: Mapping[str, Sequence[Any]]) -> None:
        """Save what a finalist's run with a seed predicted."""
        path = self._confirming(number, seed)
        path.parent.mkdir(parents=True, exist_ok=True)
        write_parquet(path, dict(predicted))

    def _trial(self, number: int) -> Path:
        return self._folder / "trials" / f"{number:04d}"

    def _confirming(self, number: int, seed: int) -> Path:
        return self._folder / "confirmation" / f"{number:04d}-seed-{seed}.parquet"


def _rung(place: int) -> str:
    return f"rung-{place + 1}.parquet"
