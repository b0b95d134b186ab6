"""Numbers as people read them: digits, signs, intervals, and a dash where nothing is known."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from typing import Any

NONE = "–"
_LEVEL = re.compile(r"(\d+(?:\.\d+)?)% interval")


def number(value: float | None) -> str:
    """Return a score with three digits after the point, two from 10 up; an undefined one is a dash."""
    if value is None or not math.isfinite(value):
        return NONE
    return f"{value:,.2f}" if abs(value) >= 10 else f"{value:.3f}"


def signed(value: float | None) -> str:
    """Return a difference with its sign; a true minus, as wide as the plus."""
    if value is None or not math.isfinite(value):
        return NONE
    text = f"{value:+,.2f}" if abs(value) >= 10 else f"{value:+.3f}"
    return text.replace("-", "\u2212")


def interval(low: float | None, high: float | None, sign: bool = False) -> str:
    """Return `low to high` as a range in brackets; empty where there is none."""
    if low is None or high is None:
        return ""
    shown = signed if sign else number
    return f"[{shown(low)}, {shown(high)}]"


def p_value(value: float | None) -> str:
    """Return a p-value: never 0, and with no more digits than it carries."""
    if value is None or not math.isfinite(value):
        return NONE
    if value < 0.0001:
        return "< 0.0001"
    return f"{value:.4f}" if value < 0.001 else f"{value:.3f}"


def p_stated(value: float | None) -> str:
    """Return a p-value as a sentence has it: `p = 0.031`, `p < 0.0001`."""
    shown = p_value(value)
    return f"p {shown}" if shown.startswith("<") else f"p = {shown}"


def count(value: float | None) -> str:
    """Return a whole number with its thousands marked."""
    return NONE if value is None else f"{value:,.0f}"


def share(value: float | None) -> str:
    """Return a share as a percentage with one digit."""
    return NONE if value is None or not math.isfinite(value) else f"{value:.1%}"


def size(value: float) -> str:
    """Return a number of bytes in the unit that reads best."""
    for unit in ("B", "KiB", "MiB", "GiB"):
        if value < 1024:
            return f"{value:,.0f} {unit}" if unit == "B" else f"{value:,.1f} {unit}"
        value /= 1024
    return f"{value:,.1f} TiB"


def duration(seconds: float) -> str:
    """Return seconds as `4.2 s`, `3 min 07 s` or `1 h 02 min`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes < 60 else f"{minutes // 60} h {minutes % 60:02} min"


def level(scores: Iterable[Mapping[str, Any]]) -> str:
    """Return the confidence level that the signatures name (`95%`); empty where none does."""
    for score in scores:
        found = _LEVEL.search(str(score.get("signature", "")))
        if found:
            return f"{found[1]}%"
    return ""
