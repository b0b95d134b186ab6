"""The counts behind a row, against every pair of whole numbers tried one by one."""

from __future__ import annotations

from fractions import Fraction
from math import inf, nan

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.evaluation.report_cells import F1, PRECISION, RECALL, Shares, cell_of
from truetune.evaluation.report_counts import convex_chain, counts_of, loose_counts


def shares(precision, recall, f1):
    return Shares(cell_of(precision), cell_of(recall), cell_of(f1))


def rounds_to(value, text):
    digits = len(text.partition(".")[2])
    return abs(value - Fraction(text)) <= Fraction(1, 2 * 10**digits)


def ratio(part, whole, undefined):
    return Fraction(part, whole) if whole else Fraction(undefined)


def tried(row, support, undefined, most):
    """All (TP, predictions) with at most `most` predictions that print as the texts of `row`."""
    found = []
    for tp in range(support + 1):
        if not rounds_to(ratio(tp, support, undefined), row[1]):
            continue
        for predictions in range(tp, most + 1):
            values = (
                ratio(tp, predictions, undefined),
                ratio(tp, support, undefined),
                ratio(2 * tp, support + predictions, undefined),
            )
            if all(rounds_to(value, text) for value, text in zip(values, row, strict=True)):
                found.append((tp, predictions, *values))
    return found


@st.composite
def rows(draw):
    """A printed row: a genuine one, or one whose cells have been moved by some units of the last digit."""
    support = draw(st.integers(0, 25))
    tp = draw(st.integers(0, support))
    predictions = tp + draw(st.integers(0, 20))
    digits = draw(st.integers(1, 4))
    undefined = draw(st.sampled_from([0, 1]))
    values = (
        ratio(tp, predictions, undefined),
        ratio(tp, support, undefined),
        ratio(2 * tp, support + predictions, undefined),
    )
    moves = draw(st.sampled_from([(0, 0, 0), (0, 0, 1), (0, -1, 0), (1, 0, 0), (-2, 0, 0), (0, 3, 1), (0, 0, -2)]))
    moved = [min(max(float(value) + move / 10**digits, 0), 1) for value, move in zip(values, moves, strict=True)]
    return tuple(f"{value:.{digits}f}" for value in moved), support, undefined


@settings(max_examples=150, deadline=None)
@given(rows())
def test_whole_counts_are_found_exactly_when_there_are_any(case):
    row, support, undefined = case
    found = tried(row, support, undefined, most=150)
    counts = counts_of(shares(*row), support, True, float(undefined))
    if not found:
        # Where the predictions have no upper bound, there may be counts beyond those that were tried.
        assert counts is None or counts.most is None or counts.most[:, 1].max() > 150
        return
    assert counts is not None
    for tp, predictions, *_ in found:
        assert np.interp(tp, *counts.least.T) <= predictions + 1e-9
        assert counts.most is None or np.interp(tp, *counts.most.T) >= predictions - 1e-9
    if counts.least[:, 1].max() <= 150:
        assert counts.least[0, 0] == min(tp for tp, *_ in found)
        assert counts.least[-1, 0] == max(tp for tp, *_ in found)
    if counts.most is not None and counts.most[:, 1].max() <= 150:
        for place, column in enumerate((PRECISION, RECALL, F1), start=2):
            values = [float(one[place]) for one in found]
            assert counts.ranges[column] == pytest.approx((min(values), max(values)), abs=1e-9)


def test_a_row_worked_by_hand():
    # 169 of 216 is .78241, the only recall that prints .782; 169/201 is .84080 and 169/202 .83663: never .838.
    assert counts_of(shares("0.838", "0.782", "0.809"), 216, True, 0.0) is None
    counts = counts_of(shares("0.837", "0.782", "0.809"), 216, True, 0.0)
    assert counts.least.tolist() == [[169, 202]]
    assert counts.most.tolist() == [[169, 202]]
    assert counts.ranges[F1] == pytest.approx((338 / 418, 338 / 418))
    # With weights, any number may be found and predicted.
    assert counts_of(shares("0.838", "0.782", "0.809"), 216, False, 0.0) is not None


@pytest.mark.parametrize(
    ("row", "support", "undefined", "stands"),
    [
        (("0.00", "0.00", "0.00"), 5, 0.0, True),  # nothing predicted, or nothing found
        (("1.00", "0.00", "0.00"), 5, 1.0, True),  # nothing predicted, zero_division=1
        (("1.00", "0.00", "0.00"), 0, 0.0, False),
        (("nan", "0.00", "0.00"), 5, nan, True),
        (("nan", "0.00", "nan"), 5, nan, True),  # F1 as scikit-learn before 1.3 computed it
        (("nan", "0.20", "0.00"), 5, nan, False),
        (("0.00", "nan", "0.00"), 0, nan, True),
        (("nan", "nan", "nan"), 0, nan, True),
        (("0.00", "nan", "0.00"), 5, nan, False),
        (("0.00", "1.00", "0.00"), 0, 1.0, True),  # no support, but predictions
        (("1.00", "1.00", "1.00"), 0, 1.0, True),
        (("0.00", "1.00", "1.00"), 0, 1.0, False),
        (("0.50", "0.00", "0.00"), 0, 0.0, False),
        (("0.00", "0.00", "0.00"), 1000, 0.0, True),
    ],
)
@pytest.mark.parametrize("whole", [True, False])
def test_zero_by_zero(row, support, undefined, stands, whole):
    assert (counts_of(shares(*row), support, whole, undefined) is not None) is stands


def test_a_precision_that_prints_0_bounds_no_predictions():
    counts = counts_of(shares("0.00", "0.00", "0.00"), 40, True, 0.0)
    assert counts.most is None
    assert counts.ranges == {PRECISION: (0, 0), RECALL: (0, 0), F1: (0, 0)}


def test_ten_million_examples_at_six_digits():
    tp, predictions, support = 9_123_457, 9_800_001, 10_000_000
    row = [f"{value:.6f}" for value in (tp / predictions, tp / support, 2 * tp / (support + predictions))]
    counts = counts_of(shares(*row), support, True, 0.0)
    assert np.interp(tp, *counts.least.T) <= predictions <= np.interp(tp, *counts.most.T)
    low, high = counts.ranges[F1]
    assert low <= 2 * tp / (support + predictions) <= high
    assert high - low < 2e-6


def test_loose_counts_hold_precision_and_recall_alone():
    counts = loose_counts(shares("0.900", "0.800", "0.100"), 100)
    assert (counts.least[0, 0], counts.least[-1, 0]) == pytest.approx((79.95, 80.05))
    assert (counts.least[:, 1].min(), counts.most[:, 1].max()) == pytest.approx((79.95 / 0.9005, 80.05 / 0.8995))
    assert counts.ranges[F1] == pytest.approx((0.0995, 0.1005))


@pytest.mark.parametrize("row", [("1.20", "0.80", "0.90"), ("0.90", "-0.30", "0.90"), ("nan", "0.80", "nan")])
def test_loose_counts_of_cells_that_say_nothing_are_wide(row):
    counts = loose_counts(shares(*row), 100)
    assert counts.least[-1, 0] >= 79
    high = inf if counts.most is None else counts.most[:, 1].max()
    assert high > 80


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(-9, 9)), min_size=1, max_size=12))
def test_a_chain_is_the_lower_hull(points):
    x, y = np.array(points, dtype=float).T
    chain = convex_chain(x, y)
    assert set(map(tuple, chain.tolist())) <= {(float(a), float(b)) for a, b in points}
    assert (chain[0, 0], chain[-1, 0]) == (x.min(), x.max())
    assert (np.diff(chain[:, 0]) > 0).all()
    assert (np.interp(x, *chain.T) <= y + 1e-9).all()
    slopes = np.diff(chain[:, 1]) / np.diff(chain[:, 0])
    assert (np.diff(slopes) > 0).all()
