"""The printed cells of a classification report, and every number that prints as one of them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from math import inf, isnan, nan

PRECISION, RECALL, F1, SUPPORT = "precision", "recall", "f1-score", "support"
"""The columns, as their header names them."""

SLACK = 1e-12
"""Relative widening of what a cell admits: far above the error of float arithmetic, far below a digit."""

_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell as printed, its value, and the closed interval of the numbers that print as it.

    All three numbers are NaN where the cell prints `nan`. Both ends belong to the interval, because a tie
    prints either way by the binary number that stands for it.
    """

    text: str
    value: float
    low: float
    high: float

    @property
    def undefined(self) -> bool:
        """Whether the cell prints `nan`."""
        return isnan(self.value)

    @property
    def is_share(self) -> bool:
        """Whether the cell can be a precision, recall or F1: a number within [0, 1], or undefined."""
        return self.undefined or (self.high >= 0 and self.low <= 1)

    @property
    def is_count(self) -> bool:
        """Whether the cell is written as a whole number. scikit-learn writes a weighted support as `12.0`."""
        return self.text.isdigit()

    def admits(self, value: float) -> bool:
        """Return whether `value` prints as this cell; NaN prints as `nan` alone."""
        if isnan(value) or self.undefined:
            return isnan(value) and self.undefined
        return self.low <= value <= self.high

    def meets(self, low: float, high: float) -> bool:
        """Return whether some number of [low, high] prints as this cell."""
        return not self.undefined and self.low <= high * (1 + SLACK) and self.high >= low * (1 - SLACK)


ANY_SHARE = Cell("any", 0.5, 0.0, 1.0)
"""Stands in for a share that says nothing."""


@dataclass(frozen=True, slots=True)
class Shares:
    """The three shares that a row prints."""

    precision: Cell
    recall: Cell
    f1: Cell

    @property
    def columns(self) -> dict[str, Cell]:
        """Column -> cell."""
        return {PRECISION: self.precision, RECALL: self.recall, F1: self.f1}


def cell_of(text: str) -> Cell | None:
    """Return the cell that `text` prints, or None when it is no number."""
    if text.lower() in {"nan", "-nan", "+nan"}:
        return Cell(text, nan, nan, nan)
    if not _NUMBER.fullmatch(text):
        return None
    exact = Decimal(text)
    exponent = exact.as_tuple().exponent
    if not isinstance(exponent, int) or exact.adjusted() > 300:
        return None
    half = Decimal(5).scaleb(exponent - 1)
    return Cell(text, float(exact), _widened(exact - half, -1), _widened(exact + half, +1))


def _widened(bound: Decimal, direction: int) -> float:
    number = float(bound)
    return number + direction * SLACK * abs(number) if number not in (inf, -inf) else number
