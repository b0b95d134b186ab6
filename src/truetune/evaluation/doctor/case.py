"""What the doctor looks at, and how it says what it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from truetune.evaluation.families import Fields
from truetune.types import Finding

ENOUGH = 20
"""Below so many examples no check of a tendency fires: chance alone makes patterns."""
SHOWN = 5
"""How many examples a finding shows."""
LONGEST = 80

PLACEHOLDERS = frozenset({"", "-1", "-100", "?", "-", "null", "none", "nan", "n/a", "unknown", "todo"})
"""What unlabelled sets hold in place of gold; `0` too, but only where nothing else stands in gold."""


@dataclass(frozen=True)
class Case:
    """Gold and predicted of one system, example by example, and the other columns of gold."""

    task: str
    ids: Sequence[str]
    gold: Fields
    predicted: Fields
    others: Mapping[str, Sequence[Any]]
    tokenizer: str = ""
    """By which BLEU cuts texts, where it was named; else by the script of the references."""

    def __len__(self) -> int:
        return len(self.ids)

    def both(self, name: str) -> tuple[Sequence[Any], Sequence[Any]] | None:
        """Return a field of gold and of predicted as lists, None where it is not on both sides."""
        if name not in self.gold or name not in self.predicted:
            return None
        return listed(self.gold[name]), listed(self.predicted[name])

    def shown(self, place: int, told: str) -> str:
        """Return one example as a finding shows it: its id, and what is odd."""
        return f"{self.ids[place]}: {short(told)}"


def listed(column: Any) -> Sequence[Any]:
    """Return a column as a list."""
    found: Sequence[Any] = column.tolist() if hasattr(column, "tolist") else column
    return found


def short(text: str) -> str:
    """Return a text on one line, cut to a length that fits into a finding."""
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"


def finding(
    check: str, severity: Literal["error", "warning", "note"], count: int, examples: Sequence[str], advice: str
) -> Finding:
    """Return a finding that shows the first few examples."""
    return Finding(check, severity, count, tuple(examples[:SHOWN]), advice)
