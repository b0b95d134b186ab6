"""What was answered and which labels came, as lines of JSON: ids, labels, confidences, no texts."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, TextIO

from truetune.errors import DataError

NAME = "journal.jsonl"


class Journal:
    """Adds lines to a journal; what a killed server left of a last line is ended, and is no line."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        torn = file.is_file() and file.stat().st_size > 0 and _last_byte(file) != b"\n"
        self._file: TextIO = file.open("a", encoding="utf-8")
        if torn:
            self._file.write("\n")

    def write(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """Add rows with the time, and hand them to the system."""
        now = round(time.time(), 3)
        self._file.writelines(json.dumps({"time": now, **row}, ensure_ascii=False) + "\n" for row in rows)
        self._file.flush()

    def close(self) -> None:
        """Write what is left to the disk."""
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()


def read_journal(file: Path) -> Iterator[dict[str, Any]]:
    """Yield the rows of a journal, also while it is written; lines that a kill tore are left out.

    Raises `DataError` for what is no journal.
    """
    try:
        opened = file.open(encoding="utf-8", errors="replace")
    except OSError as error:
        raise DataError(f"{file}: cannot be read ({error.strerror}); expected {NAME} of `serve --live`") from None
    with opened:
        for number, line in enumerate(opened, start=1):
            try:
                row = json.loads(line)
            except ValueError:
                continue
            if not isinstance(row, dict) or not isinstance(row.get("id"), str) or "kind" not in row:
                raise DataError(f"{file}:{number}: is no line of a journal; expected {NAME} of `serve --live`")
            yield row


def _last_byte(file: Path) -> bytes:
    with file.open("rb") as opened:
        opened.seek(-1, os.SEEK_END)
        return opened.read(1)
