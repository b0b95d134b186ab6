"""Rows: collapsing, sums, groups, labels, and the law that lets shards merge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from truetune.errors import MetricError
from truetune.rows import Rows, joined

dense_counts = st.integers(1, 30).flatmap(lambda number: arrays(np.int64, (number, 3), elements=st.integers(0, 3)))


def test_equal_rows_are_stored_once() -> None:
    rows = Rows.of(np.array([[1, 0], [0, 1], [1, 0], [1, 0]]))
    assert len(rows) == 4
    assert len(rows.table) == 2
    assert sorted(rows.counts.tolist()) == [1, 3]
    assert rows.totals().tolist() == [3, 1]


@given(dense_counts)
def test_dense_gives_back_what_was_collapsed(dense: np.ndarray) -> None:
    rows = Rows.of(dense)
    assert np.array_equal(rows.dense(), dense)
    assert np.array_equal(rows.totals(), dense.sum(axis=0))
    assert len(np.unique(rows.table, axis=0)) == len(rows.table)


@given(dense_counts, dense_counts)
def test_totals_of_joined_rows_are_the_sums(first: np.ndarray, second: np.ndarray) -> None:
    both = joined(Rows.of(first), Rows.of(second))
    assert np.array_equal(both.dense(), np.concatenate([first, second]))
    assert np.array_equal(both.totals(), Rows.of(first).totals() + Rows.of(second).totals())


def test_joined_rows_are_aligned_by_label() -> None:
    first = Rows.of(np.array([[[1, 0]]]), ("a", "b"))
    second = Rows.of(np.array([[[5, 7]]]), ("b", "c"))
    both = joined(first, second)
    assert both.labels == ("a", "b", "c")
    assert both.totals().tolist() == [[1, 5, 7]]


def test_rows_over_no_label_are_stored_once() -> None:
    rows = Rows.of(np.zeros((9, 3, 0), dtype=np.int64))
    assert (len(rows), len(rows.table)) == (9, 1)
    assert joined(rows, Rows.of(np.ones((1, 3, 1), dtype=np.int64), ("a",))).totals().tolist() == [[1], [1], [1]]
    assert len(Rows.of(np.zeros((0, 3, 0), dtype=np.int64))) == 0


def test_lists_of_unlike_width_are_filled_up() -> None:
    both = joined(Rows.of(np.array([[7, 8]])), Rows.of(np.array([[5], [5]])))
    assert both.dense().tolist() == [[7, 8], [5, 0], [5, 0]]


def test_totals_are_vectorised_over_leading_axes() -> None:
    rows = Rows.of(np.array([[1, 10], [2, 20]]))
    counts = np.array([[[1, 0], [0, 1]], [[2, 2], [0, 0]]])
    assert rows.totals(counts).tolist() == [[[1, 10], [2, 20]], [[6, 60], [0, 0]]]


@given(dense_counts, st.data())
def test_groups_sum_their_examples(dense: np.ndarray, data: st.DataObject) -> None:
    groups = np.array(data.draw(st.lists(st.integers(0, 4), min_size=len(dense), max_size=len(dense))))
    grouped = Rows.of(dense).by_group(groups)
    wanted = np.array([dense[groups == group].sum(axis=0) for group in range(groups.max() + 1)])
    assert np.array_equal(grouped.dense(), wanted)


def test_take_is_a_slice() -> None:
    rows = Rows.of(np.array([[1], [2], [3]]))
    assert rows.take(np.array([2, 0])).dense().tolist() == [[3], [1]]
    assert rows.take(np.array([True, False, True])).totals().tolist() == [4]


def test_labels_must_fit_the_table() -> None:
    with pytest.raises(MetricError, match=r"2 labels .* shape \(1, 3\)"):
        Rows(np.zeros((1, 3)), np.zeros(1, dtype=np.int64), ("a", "b"))


def test_groups_must_fit_the_examples() -> None:
    with pytest.raises(MetricError, match="3 groups were given for 2 examples"):
        Rows.of(np.array([[1], [2]])).by_group(np.array([0, 1, 2]))


def test_no_examples_have_zero_totals() -> None:
    rows = Rows.of(np.zeros((0, 2), dtype=np.int64))
    assert len(rows) == 0
    assert rows.totals().tolist() == [0, 0]
    assert len(rows.by_group(np.zeros(0, dtype=np.int64))) == 0
