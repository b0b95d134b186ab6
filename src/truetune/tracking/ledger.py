"""The ledger of test sets: every opening of one, by which system, with what result. One line of JSON an opening.

A test set that was looked at for many systems has chosen among them: the p-value of the best is too small, and
Bonferroni's correction over the looks makes up for it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from truetune.errors import RunError

NAME = "ledger.jsonl"


@dataclass(frozen=True)
class Look:
    """One opening of a test set."""

    test: str
    """Fingerprint of the test set, the same wherever it lies."""
    at: str
    """When, UTC."""
    by: str
    """The run, or the file of predictions."""
    predictions: str
    """Fingerprint of the predictions: the same ones looked at again are no new look."""
    metric: str
    value: float | None


def write_look(ledger: Path, look: Look) -> None:
    """Add a line to the ledger, which other processes may write at the same time; one that is there is not repeated.

    The time does not tell looks apart.
    """
    same = (look.test, look.by, look.predictions)
    if any((one.test, one.by, one.predictions) == same for one in looks(ledger)):
        return
    ledger.parent.mkdir(parents=True, exist_ok=True)
    line = json.dumps(asdict(look), ensure_ascii=False) + "\n"
    handle = os.open(ledger, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
    try:
        os.write(handle, line.encode())  # One write to a file that is appended to: lines of two processes do not mix.
    finally:
        os.close(handle)


def looks(ledger: Path, test: str | None = None) -> list[Look]:
    """Return the looks in the order in which they were written, at one test set or at all; none without a ledger.

    Raises `RunError` with the line of a ledger that was damaged.
    """
    if not ledger.is_file():
        return []
    found = []
    with ledger.open(encoding="utf-8", newline="\n") as lines:
        for number, line in enumerate(lines, start=1):
            try:
                found.append(Look(**json.loads(line)))
            except (ValueError, TypeError):
                raise RunError(
                    f"{ledger}:{number}: is no entry of a ledger of test sets; expected test, at, by, predictions, "
                    "metric and value. Put the line right, or remove it"
                ) from None
    return [one for one in found if test is None or one.test == test]


def systems_seen(some: Iterable[Look]) -> int:
    """Return for how many different predictions a test set was opened."""
    return len({one.predictions for one in some})
