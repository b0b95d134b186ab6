"""The classification report: scikit-learn's table, with the interval of every number beside it."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any, Literal

from truetune.types import Score

Shown = Literal["all", "f1", "none"]
"""Beside which numbers the interval stands."""

MEASURES = ("precision", "recall", "f1")
HEADERS = ("precision", "recall", "f1-score", "support")

_AVERAGES = {
    "micro avg": (
        ("precision_micro", "span_precision"),
        ("recall_micro", "span_recall"),
        ("f1_micro", "span_f1", "relation_f1_micro"),
    ),
    "macro avg": (
        ("precision_macro",),
        ("recall_macro",),
        ("f1_macro", "span_f1_macro", "relation_f1_macro"),
    ),
    "weighted avg": (("precision_weighted",), ("recall_weighted",), ("f1_weighted",)),
    "samples avg": (("precision_samples",), ("recall_samples",), ("f1_samples",)),
}
"""The rows below the labels, and for each column the scores that may stand there, the first that is found."""


@dataclass(frozen=True, slots=True)
class Row:
    """One line: a label, an average, or the accuracy, which stands in the column of F1."""

    name: str
    kind: Literal["label", "accuracy", "average"]
    scores: tuple[Score | None, Score | None, Score | None]
    """Precision, recall, F1; None where the row has no such number."""
    support: int


@dataclass(frozen=True, slots=True)
class Table:
    """A classification report."""

    rows: tuple[Row, ...]

    def text(self, width: int = 120, digits: int = 2) -> str:
        """Return the report as text of at most `width` columns where it can be.

        It has scikit-learn's layout. Intervals stand beside every number, or beside F1 only, or nowhere, as
        the width allows; without them it is scikit-learn's text to the letter. Undefined numbers are `nan`,
        and lines below say why.
        """
        layouts: tuple[Shown, ...] = ("all", "f1", "none")
        texts = [self._lines(shown, digits) for shown in layouts]
        fitting = next((lines for lines in texts if max(map(_columns, lines)) <= width), texts[-1])
        return "\n".join([*fitting, *self._notes()]) + "\n"

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready rows: name, kind, support, and each number with low, high and reason."""
        return {
            "rows": [
                {
                    "name": row.name,
                    "kind": row.kind,
                    **{
                        measure: score.to_dict() if score else None
                        for measure, score in zip(MEASURES, row.scores, strict=True)
                    },
                    "support": row.support,
                }
                for row in self.rows
            ]
        }

    def _lines(self, shown: Shown, digits: int) -> list[str]:
        names = [*(row.name for row in self.rows), "weighted avg"]
        width = max(digits, *map(_columns, names))
        with_interval = {"all": MEASURES, "f1": ("f1",), "none": ()}[shown]
        number, bounds = max(9, digits + 3), 2 * digits + 8
        head = " " * width + " "
        for measure, header in zip((*MEASURES, "support"), HEADERS, strict=True):
            head += f" {header:>{number if measure in MEASURES else 9}}"
            if measure in with_interval:
                head += " " + "interval".center(bounds)
        lines, kind = [head, ""], "label"
        for row in self.rows:
            if (row.kind == "label") != (kind == "label"):
                lines.append("")
            kind = row.kind
            line = " " * (width - _columns(row.name)) + row.name + " "
            for measure, score in zip(MEASURES, row.scores, strict=True):
                line += f" {_number(score, digits):>{number}}"
                if measure in with_interval:
                    line += f" {_bounds(score, digits):{bounds}}"
            lines.append(f"{line} {row.support:>9}")
        return lines

    def _notes(self) -> list[str]:
        """Return why numbers are undefined, or have no interval; one line a reason."""
        names: dict[str, list[str]] = {}
        for row in self.rows:
            for score in row.scores:
                if score is not None and score.reason:
                    names.setdefault(score.reason, []).append(score.metric)
        return ["", *(f"{', '.join(metrics)}: {reason}" for reason, metrics in names.items())] if names else []


def classification_table(scores: Sequence[Score], supports: Mapping[str, int]) -> Table:
    """Return the report of scores named `precision/LABEL`, `recall/LABEL`, `f1/LABEL` and of their averages.

    `supports` says how often each label stands in gold; labels come in its order, those that it does not
    have follow with support 0. As in scikit-learn, one label an example gives an `accuracy` row (which the
    micro average equals), label sets and spans a `micro avg`. Scores that are not given stay blank.
    """
    found = {score.metric: score for score in scores}
    named = [score.metric.partition("/")[2] for score in scores if score.metric.partition("/")[0] in MEASURES]
    labels = list(
        dict.fromkeys([label for label in supports if label in set(named)] + [name for name in named if name])
    )
    rows = [
        Row(
            label,
            "label",
            _three([found.get(f"{measure}/{label}") for measure in MEASURES]),
            int(supports.get(label, 0)),
        )
        for label in labels
    ]
    total = int(sum(supports.values()))
    one_label = "accuracy" in found and "precision_samples" not in found
    if one_label:
        rows.append(Row("accuracy", "accuracy", (None, None, found["accuracy"]), total))
    for name, columns in _AVERAGES.items():
        cells = [next((found[one] for one in names if one in found), None) for names in columns]
        if any(cells) and not (one_label and name == "micro avg"):
            rows.append(Row(name, "average", _three(cells), total))
    return Table(tuple(rows))


def _three(cells: Sequence[Score | None]) -> tuple[Score | None, Score | None, Score | None]:
    precision, recall, f1 = cells
    return precision, recall, f1


def _number(score: Score | None, digits: int) -> str:
    return "" if score is None else f"{score.value:.{digits}f}"


def _bounds(score: Score | None, digits: int) -> str:
    if score is None or not (isfinite(score.low) and isfinite(score.high)):
        return ""
    return f"[{score.low:.{digits}f}, {score.high:.{digits}f}]"


def _columns(text: str) -> int:
    """Return the columns that a terminal needs for a text: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)
