"""Sums of counts over rows, against every sum of two small rows tried one by one."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.evaluation.report_cells import F1, PRECISION, RECALL, Shares, cell_of
from truetune.evaluation.report_counts import Counts, convex_chain, counts_of
from truetune.evaluation.report_totals import totals_of

ANY = {PRECISION: (0.0, 1.0), RECALL: (0.0, 1.0), F1: (0.0, 1.0)}
POINT = st.tuples(st.integers(0, 6), st.integers(0, 9)).map(lambda counts: (counts[0], sum(counts)))
POINTS = st.lists(POINT, min_size=1, max_size=8)


def counts_from(points):
    x, y = np.array(points, dtype=float).T
    return Counts(convex_chain(x, y), convex_chain(x, -y) * np.array([1, -1]), ANY)


@given(st.lists(POINTS, min_size=1, max_size=3))
def test_every_sum_lies_between_the_chains_and_the_ends_are_sums(rows):
    totals = totals_of([counts_from(points) for points in rows], support=30)
    sums = {tuple(np.sum(chosen, axis=0).tolist()) for chosen in product(*rows)}
    for tp, predictions in sums:
        assert np.interp(tp, *totals.least.T) <= predictions + 1e-9
        assert np.interp(tp, *totals.most.T) >= predictions - 1e-9
    corners = {tuple(corner) for corner in totals.least.tolist()} | {tuple(corner) for corner in totals.most.tolist()}
    # Every corner is a sum, but for those that several edges of one slope put on a side.
    assert totals.found == (min(tp for tp, _ in sums), max(tp for tp, _ in sums))
    assert totals.predictions == (min(p for _, p in sums), max(p for _, p in sums))
    assert {corner for corner in corners if corner[0] in totals.found} <= sums
    f1s = [2 * tp / (30 + predictions) for tp, predictions in sums]
    assert totals.f1(0.0) == pytest.approx((min(f1s), max(f1s)))
    precisions = [tp / predictions if predictions else 0.0 for tp, predictions in sums]
    low, high = totals.precision(0.0)
    assert low <= min(precisions) + 1e-9
    assert high >= max(precisions) - 1e-9
    assert totals.recall() == (min(tp for tp, _ in sums) / 30, max(tp for tp, _ in sums) / 30)


@given(st.lists(POINTS, min_size=1, max_size=3), st.integers(0, 36))
def test_true_positives_at_so_many_predictions(rows, predictions):
    totals = totals_of([counts_from(points) for points in rows], support=30)
    matching = [
        tp for tp, total in (np.sum(chosen, axis=0).tolist() for chosen in product(*rows)) if total == predictions
    ]
    found = totals.found_with(float(predictions), 0.0)
    lowest, highest = totals.predictions
    assert (found is not None) is (lowest <= predictions <= highest)
    if matching:
        assert found[0] <= min(matching) + 1e-9
        assert found[1] >= max(matching) - 1e-9


def test_a_printed_recall_narrows_the_sums():
    # 10 examples each; a recall of .5 at one digit leaves 5; .50 of both leaves 10 of 20.
    row = Shares(cell_of("0.5"), cell_of("0.5"), cell_of("0.5"))
    counts = counts_of(row, 40, True, 0.0)
    totals = totals_of([counts, counts], 80.0)
    assert totals.found == (36, 44)
    narrowed = totals.with_recall(cell_of("0.500"))
    assert narrowed.found == pytest.approx((39.96, 40.04))
    low, high = totals.precision(0.0)
    tight_low, tight_high = narrowed.precision(0.0)
    assert low < tight_low < tight_high < high


def test_one_row_without_an_upper_bound_unbounds_the_sum():
    nothing = counts_of(Shares(cell_of("0.00"), cell_of("0.00"), cell_of("0.00")), 4, True, 0.0)
    some = counts_of(Shares(cell_of("0.50"), cell_of("0.50"), cell_of("0.50")), 4, True, 0.0)
    totals = totals_of([nothing, some], 8.0)
    assert totals.most is None
    assert totals.predictions == (4, np.inf)
    assert totals.precision(0.0) == (0.0, 0.5)
    assert totals.f1(0.0) == (0.0, pytest.approx(4 / 12))
    assert totals.found_with(8.0, 0.0) == (2, 2)
    assert totals.found_with(3.0, 0.0) is None
