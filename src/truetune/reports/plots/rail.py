"""Axes of settings: numbers, evenly or by their logarithm, and choices side by side, all from 0 to 1."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from truetune.reports.plots.axes import tick_label, ticks


@dataclass(frozen=True)
class Rail:
    """Where the values of a setting lie between 0 and 1, and what is written beside them."""

    title: str
    ticks: tuple[tuple[float, str], ...]
    low: float = 0.0
    high: float = 1.0
    log: bool = False
    choices: tuple[str, ...] = ()
    """Where these are, values are looked up among them."""

    def place(self, value: Any) -> float:
        """Return the place of a value from 0 to 1."""
        if self.choices:
            return (self.choices.index(shown(value)) + 0.5) / len(self.choices)
        return _between(float(value), self.low, self.high, self.log)


def shown(value: Any) -> str:
    """Return a setting's value as it stands on an axis and in a table."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e6 else f"{value:.3g}"
    return str(value)


def choice_rail(title: str, values: Sequence[Any]) -> Rail:
    """Return the axis of values that are choices; numbers are put in order, before words."""
    numbers = sorted({one for one in values if _is_number(one)})
    others = [one for one in values if not _is_number(one)]
    choices = tuple(dict.fromkeys(shown(one) for one in (*others, *numbers)))
    places = tuple(((place + 0.5) / len(choices), name) for place, name in enumerate(choices))
    return Rail(title, places, choices=choices)


def number_rail(title: str, low: float, high: float, log: bool = False, about: int = 4) -> Rail:
    """Return the axis of numbers from low to high; by the logarithm it has ticks at powers of ten, 2 and 5 of them."""
    if not low < high:
        room = abs(low) / 2 or 0.5
        low, high = low - room, high + room
    log = log and low > 0
    marks = _log_ticks(low, high) if log else ticks(low, high, about)
    named = [(_between(one, low, high, log), shown(one) if log else tick_label(one, marks)) for one in marks]
    return Rail(title, tuple(named), low, high, log)


def _between(value: float, low: float, high: float, log: bool) -> float:
    if log:
        value, low, high = math.log(value), math.log(low), math.log(high)
    return (value - low) / (high - low)


def _log_ticks(low: float, high: float) -> tuple[float, ...]:
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    inside = [factor * 10.0**power for power in powers for factor in (1, 2, 5)]
    inside = [one for one in inside if low * (1 - 1e-9) <= one <= high * (1 + 1e-9)]
    tens = [one for one in inside if abs(math.log10(one) - round(math.log10(one))) < 1e-9]
    return tuple(tens if len(tens) >= 3 else inside or (low, high))


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
