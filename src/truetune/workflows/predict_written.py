"""Predictions written as they come, so that an interrupted command can go on behind its last whole line."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from truetune.errors import RunError
from truetune.files import read_json, write_json
from truetune.workflows.predict import Model
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress


@dataclass(frozen=True)
class Unfinished:
    """Where predictions are written until all are there."""

    output: Path
    identity: str
    """Of the model."""
    resume: bool

    @property
    def partial(self) -> Path:
        """The lines so far."""
        return self.output.with_name(f"{self.output.name}.partial")

    @property
    def origin(self) -> Path:
        """Which model and texts they belong to."""
        return self.output.with_name(f"{self.output.name}.partial.json")

    def lines(self, fingerprint: str) -> int:
        """Return how many lines to keep of an interrupted command: none, or with `resume` all whole ones.

        Raises `RunError` where they belong to another model or to other texts.
        """
        origin = {"model": self.identity, "texts": fingerprint}
        if not (self.resume and self.partial.is_file() and self.origin.is_file()):
            self.partial.unlink(missing_ok=True)
            write_json(self.origin, origin)
            return 0
        if read_json(self.origin) != origin:
            raise RunError(
                f"{self.partial}: was begun with another model or other texts; leave out --resume to begin anew"
            )
        number = end = 0
        with self.partial.open("rb") as file:
            for line in file:
                if line.endswith(b"\n"):
                    number, end = number + 1, end + len(line)
        with self.partial.open("rb+") as file:
            file.truncate(end)
        return number


def written(model: Model, file: str, place: Unfinished, progress: Progress) -> int:
    """Write a line for each text of a file and return their number; the output is there only when it is whole."""
    number = 0

    def done(fingerprint: str) -> int:
        nonlocal number
        number = place.lines(fingerprint)
        if number:
            progress.say(f"going on after {number:,} texts")
        return number

    rows = predicted_file(model, file, progress, done)
    place.output.parent.mkdir(parents=True, exist_ok=True)
    first = list(islice(rows, 1))  # the texts are read, and `done` is called, before the file is opened
    with place.partial.open("a", encoding="utf-8") as opened:
        for row in chain(first, rows):
            opened.write(line_of(row))
            number += 1
    place.partial.replace(place.output)
    place.origin.unlink()
    return number


def line_of(row: Mapping[str, Any]) -> str:
    """Return a row as a line of JSON."""
    return json.dumps(row, ensure_ascii=False) + "\n"
