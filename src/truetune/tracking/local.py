"""Events of a run as lines of JSON, each flushed when it is written: what a killed run leaves behind."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

from truetune.errors import RunError
from truetune.files import write_text


class EventLog:
    """Appends events to `events.jsonl`; a context manager.

    `keep_until_step` drops what an interrupted run wrote after the checkpoint that it resumes from, so
    that no step stands twice. `also` is told of every event: first of those that are kept, then of each new one.
    """

    def __init__(
        self,
        path: Path,
        keep_until_step: int | None = None,
        also: Callable[[dict[str, Any]], None] = lambda event: None,
    ) -> None:
        self._also = also
        if keep_until_step is not None and path.exists():
            kept = [event for event in events(path) if event.get("step", 0) <= keep_until_step]
            write_text(path, "".join(_line(event) for event in kept))
        for event in events(path):
            also(event)
        self._file = path.open("a", encoding="utf-8")

    def write(self, event: dict[str, Any]) -> None:
        """Append one event."""
        try:
            self._file.write(_line(event))
            self._file.flush()
        except OSError as error:
            raise RunError(
                f"{self._file.name}: cannot be written ({error.strerror}); the last checkpoint is whole. "
                "Make room and go on with --resume"
            ) from error
        self._also(event)

    def __enter__(self) -> EventLog:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()


def events(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the events of a file; a last line that was cut off by a kill is left out."""
    if not path.exists():
        return
    with path.open(encoding="utf-8") as file:
        for line in file:
            if not line.endswith("\n"):
                return
            yield json.loads(line)


def _line(event: dict[str, Any]) -> str:
    return json.dumps(event, ensure_ascii=False, allow_nan=False) + "\n"
