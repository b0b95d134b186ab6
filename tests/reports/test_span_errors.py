from __future__ import annotations

from collections import Counter

import hypothesis.strategies as st
import numpy as np
from hypothesis import given

from truetune.metrics.spans import span_rows
from truetune.reports.span_errors import span_matrix
from truetune.types import Span

HEADS = ("boundary", "missed", "spurious")

span = st.builds(
    lambda start, length, kind: Span(start, start + length, kind),
    st.integers(0, 9),
    st.integers(1, 4),
    st.sampled_from("AB"),
)
column = st.lists(st.lists(span, max_size=5), min_size=3, max_size=3)


def cell(rows: dict[str, dict[str, int]], row: str, column: str) -> int:
    return rows.get(row, {}).get(column, 0)


def test_by_hand() -> None:
    gold = [[Span(0, 2, "A"), Span(3, 5, "A"), Span(6, 8, "B"), Span(10, 12, "B")], [Span(0, 4, "A")]]
    predicted = [
        [Span(0, 2, "A"), Span(3, 5, "B"), Span(6, 9, "B"), Span(14, 15, "A")],
        [Span(0, 4, "A"), Span(0, 4, "A")],
    ]
    matrix = span_matrix(gold, predicted, HEADS)
    assert matrix.rows == ("A", "B", "boundary", "spurious")
    assert matrix.columns == ("A", "B", "boundary", "missed")
    expected = [
        [2, 1, 0, 0],  # two exact, one of the other type
        [0, 0, 1, 1],  # one overlaps only, one is missed
        [0, 1, 0, 0],  # the overlapping prediction
        [1, 0, 0, 0],  # where there is no gold
    ]
    np.testing.assert_array_equal(matrix.counts, expected)
    assert np.isnan(matrix.shares[2:, 2:]).all()
    assert not np.isnan(matrix.shares[:2]).any()
    assert matrix.right == {(0, 0), (1, 1)}


@given(column, column)
def test_each_span_stands_in_one_cell_and_the_diagonal_is_the_strict_score(
    gold: list[list[Span]], predicted: list[list[Span]]
) -> None:
    matrix = span_matrix(gold, predicted, HEADS)
    types = [name for name in matrix.rows if name not in HEADS]
    golds = Counter(one.type for spans in gold for one in set(spans))
    found = Counter(one.type for spans in predicted for one in set(spans))
    assert {name: int(matrix.counts[row].sum()) for row, name in enumerate(types)} == {
        name: golds[name] for name in types
    }
    assert {name: int(matrix.counts[:, row].sum()) for row, name in enumerate(types)} == {
        name: found[name] for name in types
    }
    correct = span_rows(gold, predicted).totals()[0].sum() if types else 0
    assert sum(int(matrix.counts[place]) for place in matrix.right) == correct


def test_no_spans_at_all() -> None:
    assert span_matrix([[]], [[]], HEADS).counts.sum() == 0
