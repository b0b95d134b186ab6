"""What every reader yields: the fields of one example, and where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple


class Record(NamedTuple):
    """One example of a file, as the file has it."""

    where: str
    """`file:line`, or the nearest to it that the format has."""
    fields: Mapping[str, Any]
    problem: str = ""
    """Why the fields could not be read; empty otherwise. Readers go on, so that all problems are listed."""
