"""What the commands print: tables for people, JSON for programs."""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterable, Sequence
from typing import Any

from truetune.types import Comparison, Score


def as_json(value: Any) -> None:
    """Print one JSON document; characters are printed as they are."""
    print(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False))


TEXTS = ("reason", "verdict", "signature", "tasks", "reference", "definition", "about", "why", "label", "weak", "text")
"""Columns that hold text, by their heads; these and the first one are set to the left, all others to the right."""


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Print a table; columns of text are set to the left, numbers to the right."""
    from rich.console import Console
    from rich.table import Table

    shown = Table(title=title or None, title_justify="left", box=None, pad_edge=False, header_style="bold")
    for place, column in enumerate(columns):
        shown.add_column(column, justify="left" if place == 0 or column in TEXTS else "right", overflow="fold")
    for row in rows:
        shown.add_row(*(_plain(cell) for cell in row))
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(highlight=False, width=160)
    console.print(shown)


def scores(found: Iterable[Score], level: float) -> None:
    """Print scores with their intervals."""
    rows = [
        [
            score.metric,
            number(score.value),
            number(score.low),
            number(score.high),
            f"{score.examples:,}",
            score.reason,
        ]
        for score in found
    ]
    share = f"{level:.0%}"
    table("", ["metric", "score", f"{share} low", f"{share} high", "examples", "reason"], rows)


def signatures(found: Iterable[Score | Comparison]) -> None:
    """Print how each number was made; of scores by label, rater or system the first one's, with their number."""
    made: dict[str, str] = {}
    labels: dict[str, set[str]] = {}
    for one in found:
        name, _, label = one.metric.partition("/")
        key = f"{name}/" if label else name
        made.setdefault(key, one.signature)
        labels.setdefault(key, set()).add(one.metric)
    print("\nhow each number was made")
    rows = []
    for key, signature in made.items():
        names = sorted(labels[key])
        rows.append([names[0] if len(names) == 1 else f"{names[0]} (one of {len(names):,})", signature])
    table("", ["metric", "signature"], rows)


def comparisons(found: Iterable[Comparison], level: float) -> None:
    """Print paired comparisons, and how their p-values are adjusted."""
    found = list(found)
    share = f"{level:.0%}"
    head = [
        "metric",
        "candidate",
        "difference",
        f"{share} low",
        f"{share} high",
        "p",
        "adjusted p",
        "detectable",
    ]
    rows = [
        [
            one.metric,
            one.candidate,
            number(one.difference, sign=True),
            number(one.low, sign=True),
            number(one.high, sign=True),
            p_value(one.p_value),
            p_value(one.p_adjusted),
            number(one.detectable),
            "" if one.gained is None else f"{one.gained:,}",
            "" if one.lost is None else f"{one.lost:,}",
            one.verdict,
        ]
        for one in found
    ]
    table("", [*head, "gained", "lost", "verdict"], rows)
    for correction, names in _corrections(found).items():
        print(f"adjusted p of {names}: {correction}")


def _corrections(found: Sequence[Comparison]) -> dict[str, str]:
    """Return each correction with the metrics that it was made over: one by name, several by their number."""
    metrics: dict[str, list[str]] = {}
    for one in found:
        if one.correction:
            metrics.setdefault(one.correction, []).append(one.metric)
    several = {correction: list(dict.fromkeys(names)) for correction, names in metrics.items()}
    return {
        correction: names[0] if len(names) == 1 else f"the other {len(names)} metrics"
        for correction, names in several.items()
    }


def number(value: float, sign: bool = False) -> str:
    """Return four significant digits after the point, or a dash for an undefined number."""
    if not math.isfinite(value):
        return "–"
    return f"{value:+.4f}" if sign else f"{value:.4f}"


def p_value(value: float) -> str:
    """Return a p-value with four digits after the point, never as 0; a dash for an undefined one."""
    return "<0.0001" if 0 <= value < 0.0001 else number(value)


def note(message: str) -> None:
    """Print a line for people on standard error, where it does not disturb what programs read."""
    print(message, file=sys.stderr)


def _plain(cell: str) -> str:
    """Return a cell with rich's markup taken literally: labels may hold brackets."""
    from rich.markup import escape

    return escape(cell)
