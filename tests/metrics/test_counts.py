"""Rows of classification: what is counted, how labels are read, and that shards merge."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import MetricError
from truetune.metrics.counts import label_counts, label_set_agreements, label_set_counts
from truetune.rows import joined

label = st.sampled_from(["a", "b", "c", "d"])
labelled = st.lists(st.tuples(label, label), max_size=30)
label_sets = st.lists(st.tuples(st.frozensets(label), st.frozensets(label)), max_size=20)


def sides(pairs: list) -> tuple[list, list]:
    return [gold for gold, _ in pairs], [predicted for _, predicted in pairs]


def test_each_example_hits_its_gold_label_or_not() -> None:
    rows = label_counts(["a", "b", "b"], ["a", "a", "b"])
    assert rows.labels == ("a", "b")
    assert rows.dense().tolist() == [
        [[1, 0], [1, 0], [1, 0]],
        [[0, 0], [0, 1], [1, 0]],
        [[0, 1], [0, 1], [0, 1]],
    ]
    assert rows.table.dtype == np.int64


@given(labelled)
def test_sums_are_true_counts(pairs: list) -> None:
    gold, predicted = sides(pairs)
    rows = label_counts(gold, predicted)
    assert rows.labels == tuple(sorted({*gold, *predicted}))
    hit = [sum(g == p == name for g, p in pairs) for name in rows.labels]
    assert rows.totals().tolist() == [
        hit,
        [gold.count(name) for name in rows.labels],
        [predicted.count(name) for name in rows.labels],
    ]
    assert rows.counts.tolist() == np.bincount(rows.index, minlength=len(rows.table)).tolist()
    assert len(rows.table) == len(set(pairs))


@given(st.lists(st.tuples(st.integers(-3, 12), st.integers(-3, 12)), max_size=30))
def test_whole_numbers_and_their_digits_are_the_same_labels(pairs: list) -> None:
    gold, predicted = sides(pairs)
    arrays = label_counts(np.array(gold, dtype=np.int64), np.array(predicted, dtype=np.int64))
    texts = label_counts([str(one) for one in gold], [str(one) for one in predicted])
    mixed = label_counts(np.array([str(one) for one in gold], dtype=str), predicted)
    for rows in (texts, mixed):
        assert rows.labels == arrays.labels
        assert np.array_equal(rows.dense(), arrays.dense())


@pytest.mark.parametrize("dtype", ["int8", "uint8", "int32", "uint16", "int64"])
def test_small_integers_do_not_overflow(dtype: str) -> None:
    gold = np.array([0, 100, 100, 127], dtype=dtype)
    rows = label_counts(gold, gold[::-1])
    assert rows.labels == ("0", "100", "127")
    assert rows.totals().tolist() == [[0, 2, 0], [1, 2, 1], [1, 2, 1]]


def test_far_apart_numbers_and_many_labels_need_no_large_table() -> None:
    gold = np.array([0, 10**12, -(10**12)])
    assert label_counts(gold, gold).totals()[0].tolist() == [1, 1, 1]
    many = np.arange(600)
    assert label_counts(many, many[::-1]).totals()[0].sum() == 0


@given(labelled, labelled)
def test_shards_merge_to_one_pass(first: list, second: list) -> None:
    merged = joined(label_counts(*sides(first)), label_counts(*sides(second)))
    whole = label_counts(*sides(first + second))
    assert merged.labels == whole.labels
    assert np.array_equal(merged.dense(), whole.dense())
    assert np.array_equal(merged.totals(), whole.totals())


@given(label_sets, label_sets)
def test_shards_of_label_sets_merge_to_one_pass(first: list, second: list) -> None:
    for rows_of in (label_set_counts, label_set_agreements):
        merged = joined(rows_of(*sides(first)), rows_of(*sides(second)))
        whole = rows_of(*sides(first + second))
        assert merged.labels == whole.labels
        assert np.array_equal(merged.dense(), whole.dense())


def test_label_sets_by_hand() -> None:
    rows = label_set_counts([["a", "b"], [], {"b"}], [("a",), ["c"], ["b", "b"]])
    assert rows.labels == ("a", "b", "c")
    assert rows.dense().tolist() == [
        [[1, 0, 0], [1, 1, 0], [1, 0, 0]],
        [[0, 0, 0], [0, 0, 0], [0, 0, 1]],
        [[0, 1, 0], [0, 1, 0], [0, 1, 0]],
    ]
    agreements = label_set_agreements([["a", "b"], [], ["b"]], [["a"], [], ["b"]])
    assert agreements.dense().tolist() == pytest.approx(
        np.array([[0, 1, 1, 1, 1 / 2, 1, 2 / 3, 1], [1, 1, 0, 0, 0, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1]])
    )


@pytest.mark.parametrize(
    ("gold", "predicted", "message"),
    [
        (["a"], ["a", "b"], "1 gold labels and 2 predicted"),
        (["a", None], ["a", "b"], "gold label of example 1 is None"),
        (["a", "b"], ["a", float("nan")], "predicted label of example 1 is nan"),
        (["a", "b"], ["a", ["b"]], r"predicted label of example 1 is \['b'\].*`labels`"),
        ([True, False], ["a", "b"], "gold label of example 0 is True"),
        (np.array([0.5, 1.0]), np.array([0, 1]), "gold label of example 0 is 0.5"),
        ("ab", ["a", "b"], "gold labels are one string"),
    ],
)
def test_what_is_no_label_is_named(gold: object, predicted: object, message: str) -> None:
    with pytest.raises(MetricError, match=message):
        label_counts(gold, predicted)


def test_what_is_no_label_set_is_named() -> None:
    with pytest.raises(MetricError, match="predicted labels of example 1 are 'b'; expected a list"):
        label_set_counts([["a"], ["b"]], [["a"], "b"])
    with pytest.raises(MetricError, match=r"gold labels of example 0 are .None"):
        label_set_counts([[None]], [["a"]])
