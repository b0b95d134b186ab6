"""What is taken for what: the confusion matrix, of many labels the most confused part."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from truetune.metrics.confusion import confusion_matrix
from truetune.reports import numbers
from truetune.reports.content import Beside, Cell, Column, Figure, Paragraph, Part, Section, Table
from truetune.reports.plots.confusion import Matrix, heat_map, row_shares
from truetune.reports.predictions import Predictions
from truetune.reports.run import System
from truetune.reports.span_errors import span_matrix
from truetune.reports.visible import one_line
from truetune.reports.words import Say
from truetune.types import Ints

MOST = 14
"""More labels than this are not drawn: the most confused ones are, the rest as one."""
BOTH = 4
"""Up to this many labels, before and after stand side by side."""
PAIRS = 15


def confusion_section(say: Say, systems: Sequence[System]) -> Section:
    """Return the matrix of the last system (of few labels: of all), and the most frequent confusions."""
    title = say["confusion.title"]
    known = [system for system in systems if system.predictions]
    if not known:
        return Section("confusion", title, (Paragraph(say["missing.predictions"], "missing"),))
    last = known[-1].predictions
    assert last is not None
    if "spans" in last.gold:
        return Section("confusion", title, _of_spans(say, known[-1], last))
    if "label" not in last.gold:
        return Section("confusion", title, (Paragraph(say["confusion.none for task"], "missing"),))
    labels, counts = _counts(last)
    if len(labels) <= BOTH:
        figures = []
        for system in known:
            assert system.predictions is not None
            figures.append(_figure(say, system, *_square(*_counts(system.predictions)), width=520.0))
        parts: list[Part] = [Paragraph(say["confusion.lead"]), Beside(tuple(figures))]
    elif len(labels) <= MOST:
        parts = [Paragraph(say["confusion.lead"]), _figure(say, known[-1], *_square(labels, counts))]
    else:
        lead = say["confusion.lead.many"].format(labels=numbers.count(len(labels)), shown=MOST)
        part = most_confused(labels, counts, say["confusion.rest"])
        parts = [Paragraph(lead), _figure(say, known[-1], part, _records(labels, counts))]
    pairs = _pairs(say, labels, counts)
    return Section("confusion", title, (*parts, *([pairs] if pairs and len(labels) > 2 else [])))


def _counts(predictions: Predictions) -> tuple[tuple[str, ...], Ints]:
    labels = [[str(label) for label in side["label"]] for side in (predictions.gold, predictions.predicted)]
    return confusion_matrix(labels[0], labels[1])


def _square(labels: tuple[str, ...], counts: Ints) -> tuple[Matrix, list[dict[str, object]]]:
    names = tuple(one_line(label) for label in labels)
    right = frozenset((place, place) for place in range(len(labels)))
    return Matrix(names, names, counts, row_shares(counts), right), _records(labels, counts)


def _records(labels: Sequence[str], counts: Ints) -> list[dict[str, object]]:
    """Return every filled cell of the whole matrix."""
    return [
        {"gold": labels[row], "predicted": labels[column], "examples": int(counts[row, column])}
        for row, column in np.argwhere(counts).tolist()
    ]


def most_confused(labels: Sequence[str], counts: Ints, rest: str) -> Matrix:
    """Return the matrix of the labels in the most frequent confusions, all others summed as `rest`.

    Confusions are taken by descending count until `MOST` - 1 labels are in.
    """
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    chosen: list[int] = []
    for cell in np.argsort(-wrong, axis=None, kind="stable").tolist():
        new = [place for place in divmod(cell, len(labels)) if place not in chosen]
        if len(chosen) + len(new) > MOST - 1:
            break
        chosen += dict.fromkeys(new)
    chosen.sort()
    others = [place for place in range(len(labels)) if place not in chosen]
    rows = np.vstack([counts[chosen], counts[others].sum(axis=0)])
    small = np.column_stack([rows[:, chosen], rows[:, others].sum(axis=1)])
    names = (*(one_line(labels[place]) for place in chosen), rest)
    right = frozenset((place, place) for place in range(len(chosen)))
    return Matrix(names, names, small, row_shares(small), right, mixed=frozenset({(len(chosen), len(chosen))}))


def _figure(
    say: Say, system: System, matrix: Matrix, records: list[dict[str, object]], width: float = 1040.0, caption: str = ""
) -> Figure:
    title = say["series"].format(role=say["confusion.figure"], name=say[f"column.{system.role}"])
    correct = sum(int(str(one["examples"])) for one in records if one["gold"] == one["predicted"])
    sentence = say["confusion.figure.desc"].format(
        correct=numbers.count(correct), all=numbers.count(matrix.counts.sum())
    )
    drawn = heat_map(matrix, (say["gold"], say["predicted"]), (title, sentence), width)
    rows = tuple(
        (Cell(name), *(Cell(numbers.count(int(value))) for value in line))
        for name, line in zip(matrix.rows, matrix.counts, strict=True)
    )
    columns = (Column(say["confusion.corner"]), *(Column(name, True) for name in matrix.columns))
    table = Table("confusion", title, columns, rows, records)
    return Figure(title, drawn, caption or say["confusion.figure.caption"], table)


def _pairs(say: Say, labels: Sequence[str], counts: Ints) -> Table | None:
    wrong = counts.copy()
    np.fill_diagonal(wrong, 0)
    cells = [divmod(cell, len(labels)) for cell in np.argsort(-wrong, axis=None, kind="stable").tolist()[:PAIRS]]
    cells = [cell for cell in cells if wrong[cell]]
    if not cells:
        return None
    sums = counts.sum(axis=1)
    rows = tuple(
        (
            Cell(one_line(labels[row])),
            Cell(one_line(labels[column])),
            Cell(numbers.count(int(wrong[row, column]))),
            Cell(numbers.share(wrong[row, column] / sums[row])),
        )
        for row, column in cells
    )
    columns = (
        Column(say["gold"]),
        Column(say["predicted"]),
        Column(say["column.examples"], True),
        Column(say["confusion.share"], True),
    )
    records = [
        {"gold": labels[row], "predicted": labels[column], "examples": int(wrong[row, column])} for row, column in cells
    ]
    return Table("confusions", say["confusion.pairs"], columns, rows, records)


def _of_spans(say: Say, system: System, predictions: Predictions) -> tuple[Part, ...]:
    heads = (say["spans.boundary"], say["spans.missed"], say["spans.spurious"])
    gold = [list(spans or ()) for spans in predictions.gold["spans"]]
    found = [list(spans or ()) for spans in predictions.predicted["spans"]]
    matrix = span_matrix(gold, found, heads)
    if not matrix.counts.sum():
        return (Paragraph(say["spans.none"], "missing"),)
    records = [
        {"gold": matrix.rows[row], "predicted": matrix.columns[column], "examples": int(matrix.counts[row, column])}
        for row, column in np.argwhere(matrix.counts).tolist()
    ]
    caption = say["confusion.figure.caption.spans"]
    return Paragraph(say["spans.lead"]), _figure(say, system, matrix, records, caption=caption)
