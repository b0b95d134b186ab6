"""Where spans go wrong: each gold and each predicted span in exactly one cell."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

import numpy as np

from truetune.reports.plots.confusion import Matrix, row_shares
from truetune.types import Floats, Ints, Span

Cell = tuple[str | None, str | None]


def span_matrix(
    gold: Sequence[Sequence[Span]], predicted: Sequence[Sequence[Span]], heads: tuple[str, str, str]
) -> Matrix:
    """Return gold types by predicted types over spans of equal boundaries, and what is left over.

    `heads` name what is left over: `boundary` (overlaps a span of the other side, but the boundaries
    differ), `missed` (gold that nothing overlaps) and `spurious` (predicted where there is no gold).
    Row sums are the gold spans of a type, column sums the predicted ones; spans that are given twice
    count once. Only the diagonal of equal types is correct, as in the strict score.
    """
    boundary, missed, spurious = heads
    cells: Counter[Cell] = Counter()
    for golds, found in zip(gold, predicted, strict=True):
        cells.update(_cells(set(golds), set(found), heads))
    types = sorted(
        {row for row, _ in cells if row not in (None, boundary, spurious)}
        | {column for _, column in cells if column not in (None, boundary, missed)},
        key=str,
    )
    names = [str(kind) for kind in types]
    rows, columns = [*names, boundary, spurious], [*names, boundary, missed]
    counts = np.zeros((len(rows), len(columns)), dtype=np.int64)
    for (row, column), number in cells.items():
        counts[rows.index(str(row)), columns.index(str(column))] += number
    right = frozenset((place, place) for place in range(len(names)))
    return Matrix(tuple(rows), tuple(columns), counts, _shares(counts, len(names)), right)


def _shares(counts: Ints, types: int) -> Floats:
    """Return shares of gold spans in the rows of types, shares of predicted spans in the rows of what is left.

    A span left over is of one side only, so that no cell of a left-over row and column can be filled: NaN.
    """
    shares = row_shares(counts)
    shares[types:] = counts[types:] / np.maximum(counts.sum(axis=0, keepdims=True), 1)
    shares[types:, types:] = np.nan
    return shares


def _cells(golds: Collection[Span], found: Collection[Span], heads: tuple[str, str, str]) -> list[Cell]:
    boundary, missed, spurious = heads
    cells: list[Cell] = [(span.type, span.type) for span in golds if span in found]
    left_gold = sorted(span for span in golds if span not in found)
    left_found = sorted(span for span in found if span not in golds)
    for span in list(left_gold):
        same = [other for other in left_found if (other.start, other.end) == (span.start, span.end)]
        if same:
            cells.append((span.type, same[0].type))
            left_gold.remove(span)
            left_found.remove(same[0])
    cells += [(span.type, boundary if _touches(span, found) else missed) for span in left_gold]
    cells += [(boundary if _touches(span, golds) else spurious, span.type) for span in left_found]
    return cells


def _touches(span: Span, others: Collection[Span]) -> bool:
    return any(span.start < other.end and other.start < span.end for other in others)
