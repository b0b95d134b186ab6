"""A cell of a report that cannot be true: where it stands, what it prints, what it could print, and why."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any

from truetune.evaluation.report_cells import Cell
from truetune.evaluation.report_counts import Range
from truetune.evaluation.report_text import AccuracyRow, Row


@dataclass(frozen=True, slots=True)
class CellFinding:
    """A cell that contradicts other cells of its report; `row` and `column` are named as printed."""

    row: str
    column: str
    printed: str
    possible: Range
    """Low and high of what the other cells leave, before rounding; infinite: no bound, NaN: must be undefined."""
    why: str
    line: int
    """Line of the text, from 1."""

    def __str__(self) -> str:
        return f"line {self.line}, {self.row}, {self.column}: {self.printed}; possible {self.shown}: {self.why}"

    @property
    def shown(self) -> str:
        """What is possible, with two digits more than the cell has."""
        low, high = (_short(bound, self.printed) for bound in self.possible)
        return low if low == high else f"{low} to {high}"

    def to_dict(self) -> dict[str, Any]:
        """Return the finding as JSON-ready values: a printed `nan` and an infinite bound are None."""
        return {
            "row": self.row,
            "column": self.column,
            "printed": _json(self.printed),
            "possible": [bound if isfinite(bound) else None for bound in self.possible],
            "why": self.why,
            "line": self.line,
        }


def finding(row: Row | AccuracyRow, column: str, cell: Cell, possible: Range, why: str) -> CellFinding:
    """Return the finding that `cell`, in `column` of `row`, is outside of what is possible."""
    return CellFinding(row.name, column, cell.text, (float(possible[0]), float(possible[1])), why, row.line)


def _short(number: float, printed: str) -> str:
    """Return a number with two digits more than the printed cell has."""
    if not isfinite(number):
        return "nan" if isnan(number) else "any number"
    if number == int(number) and abs(number) > 1:
        return f"{int(number)}"
    return f"{number:.{len(printed.partition('.')[2]) + 2}f}"


def _json(printed: str) -> float | int | None:
    if printed.isdigit():
        return int(printed)
    number = float(printed)
    return number if isfinite(number) else None
