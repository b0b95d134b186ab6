"""The exception tree. Every message says where, what, what was expected and what to do.

The command line turns any `TruetuneError` into one message on standard error and exit code 2.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

SHOWN = 20
"""How many problems of one file a message lists before it only counts the rest."""


class TruetuneError(Exception):
    """Any error that a user can act on."""


class ConfigError(TruetuneError):
    """A configuration file or an override that cannot be used."""


class DataError(TruetuneError):
    """Labelled data or predictions that cannot be used.

    `problems` holds every fault that was found, or the first ones where there are very many; `number` counts all.
    """

    def __init__(self, message: str, problems: Sequence[str] = (), number: int | None = None) -> None:
        self.problems = tuple(problems)
        self.number = len(self.problems) if number is None else number
        super().__init__(_listed(message, self.problems, self.number))


class MetricError(TruetuneError, ValueError):
    """A metric that cannot be computed from what it was given."""


class ModelError(TruetuneError):
    """A model, tokenizer or bundle that cannot be loaded or used."""


class RunError(TruetuneError):
    """A run folder that is missing, unfinished or not what was asked for."""


class MissingPackageError(TruetuneError):
    """An optional package that the requested work needs: the extra that brings it, or the command that does."""

    def __init__(self, package: str, needed_for: str, extra: str = "", command: str = "") -> None:
        assert extra or command, "one of them says what to do"
        self.package = package
        run = command or f"pip install 'truetune[{extra}]'"
        super().__init__(f"{needed_for} needs the package {package!r}, which is not installed; run: {run}")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return the end of an error message: a guess at what was meant, else the list of what is known."""
    names = sorted(known)
    close = difflib.get_close_matches(name, names, n=3, cutoff=0.6)
    if close:
        return f"did you mean {' or '.join(repr(word) for word in close)}?"
    return f"known: {', '.join(names)}" if names else "none is known"


def _listed(message: str, problems: Sequence[str], number: int) -> str:
    lines = [message, *(f"  {problem}" for problem in problems[:SHOWN])]
    if number > SHOWN:
        lines.append(f"  ... and {number - SHOWN:,} more")
    return "\n".join(lines)
