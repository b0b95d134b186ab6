from dataclasses import replace

import numpy as np
import pytest
from populations import ACCURACY, AP, BLEU, MACRO_F1, SPAN_F1, population

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.pairs import Flips, Pairs, difference, flips


def pairs_of(kind, units=40, *, grouped=False):
    source = population(kind, [0.0, 0.3], np.random.default_rng(1), grouped=grouped)
    (first, second), groups = source.sample(units, np.random.default_rng(2))
    return source.metric, first, second, Pairs.of(first, second, groups)


@pytest.mark.parametrize("kind", ["accuracy", "macro-F1", "BLEU", "average precision"])
@pytest.mark.parametrize("grouped", [False, True])
def test_pairing_keeps_every_example_of_both(kind, grouped):
    _, first, second, pairs = pairs_of(kind, grouped=grouped)
    np.testing.assert_array_equal(pairs.first.dense(), first.dense())
    np.testing.assert_array_equal(pairs.second.dense(), second.dense())
    np.testing.assert_array_equal(pairs.sample.rows.dense()[:, 1], second.dense())
    if not grouped:
        distinct = {(int(a), int(b)) for a, b in zip(first.index, second.index, strict=True)}
        assert len(pairs.first.table) == len(distinct)


@pytest.mark.parametrize(
    ("kind", "metric"), [("macro-F1", MACRO_F1), ("BLEU", BLEU), ("accuracy", ACCURACY), ("average precision", AP)]
)
def test_difference_is_a_metric_over_the_pairs(kind, metric):
    _, first, second, pairs = pairs_of(kind)
    gap = difference(metric, pairs)
    assert float(gap.value(pairs.sample.rows)) == pytest.approx(
        float(metric.value(second)) - float(metric.value(first))
    )
    counts = np.random.default_rng(0).integers(0, 4, (5, len(pairs.first.table)))
    many = gap.value(pairs.sample.rows, counts)
    np.testing.assert_allclose(many, metric.value(pairs.second, counts) - metric.value(pairs.first, counts))


def test_labels_are_aligned_by_name():
    hit, missed = [[1, 0], [1, 0], [1, 0]], [[0, 0], [1, 0], [0, 1]]
    first = Rows.of(np.array([hit, hit]), ("a", "b"))
    second = Rows.of(np.array([hit, missed]), ("a", "c"))
    pairs = Pairs.of(first, second, None)
    assert pairs.first.labels == pairs.second.labels == ("a", "b", "c")
    assert pairs.second.totals().tolist() == [[1, 0, 0], [2, 0, 0], [1, 0, 1]]


def test_lists_of_unlike_width_are_filled_up():
    pairs = Pairs.of(Rows.of(np.array([[7, 8, 9], [7, 0, 0]])), Rows.of(np.array([[5], [0]])), None)
    assert pairs.first.dense().tolist() == [[7, 8, 9], [7, 0, 0]]
    assert pairs.second.dense().tolist() == [[5, 0, 0], [0, 0, 0]]


def test_unlike_rows_are_refused():
    rows = Rows.of(np.ones((3, 2)))
    with pytest.raises(MetricError, match="3 examples, the other 2"):
        Pairs.of(rows, rows.take(np.arange(2)), None)
    with pytest.raises(MetricError, match="shapes"):
        Pairs.of(rows, Rows.of(np.ones((3, 4))), None)


def test_flips_count_what_changes_sides():
    first = Rows.of(np.array([[1, 1], [0, 1], [0, 1], [1, 1], [0, 0]]))
    second = Rows.of(np.array([[1, 1], [1, 1], [1, 1], [0, 1], [0, 0]]))
    pairs = Pairs.of(first, second, None)
    assert flips(ACCURACY, pairs) == Flips(gained=2, lost=1, trials=4)
    assert flips(replace(ACCURACY, better="lower"), pairs) == Flips(gained=1, lost=2, trials=4)
    assert flips(ACCURACY, pairs).share == pytest.approx(1 / 4)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([[1, 1], [0, 1]], [[1, 1], [0, 0]]),  # other denominators: precision
        ([[1, 2], [0, 1]], [[1, 2], [1, 1]]),  # more than right or wrong
        ([[0.5, 1], [0, 1]], [[1, 1], [0, 1]]),
    ],
)
def test_no_flips_where_an_example_is_more_than_right_or_wrong(first, second):
    pairs = Pairs.of(Rows.of(np.array(first, dtype=float)), Rows.of(np.array(second, dtype=float)), None)
    assert flips(ACCURACY, pairs) is None
    assert flips(MACRO_F1, pairs) is None
    assert flips(SPAN_F1, pairs_of("span F1")[3]) is None
