"""What a printed cell admits, against Python's own formatting."""

from __future__ import annotations

from math import nan

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.evaluation.report_cells import cell_of


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [
        ("0.973", 0.9725, 0.9735),
        ("0.97", 0.965, 0.975),
        ("1", 0.5, 1.5),
        ("0", -0.5, 0.5),
        ("1.000000", 0.9999995, 1.0000005),
        ("1e-05", 0.5e-05, 1.5e-05),
        ("12.0", 11.95, 12.05),
    ],
)
def test_a_cell_admits_all_that_rounds_to_it(text, low, high):
    cell = cell_of(text)
    assert (cell.low, cell.high) == pytest.approx((low, high), rel=1e-11)
    assert cell.low <= low
    assert cell.high >= high


@given(value=st.floats(0, 1), digits=st.integers(0, 20))
def test_what_python_prints_is_admitted(value, digits):
    assert cell_of(f"{value:.{digits}f}").admits(value)


@given(value=st.integers(0, 10**6), digits=st.integers(0, 9), off=st.integers(1, 50))
def test_what_prints_otherwise_is_not_admitted(value, digits, off):
    unit = 10.0**-digits
    cell = cell_of(f"{value * unit:.{digits}f}")
    assert not cell.admits((value + 0.501 + off) * unit)
    assert not cell.admits((value - 0.501 - off) * unit)


@pytest.mark.parametrize("tie", ["0.125", "0.135", "0.865"])
def test_a_tie_is_admitted_by_both_neighbours(tie):
    value = float(tie)
    assert cell_of(f"{value - 0.004:.2f}").admits(value)
    assert cell_of(f"{value + 0.004:.2f}").admits(value)


def test_nan_admits_nan_alone():
    cell = cell_of("nan")
    assert cell.undefined
    assert cell.is_share
    assert cell.admits(nan)
    assert not cell.admits(0.0)
    assert not cell.meets(0.0, 1.0)
    assert not cell_of("0.00").admits(nan)


@pytest.mark.parametrize(("text", "is_count"), [("12", True), ("12.0", False), ("1e+16", False), ("0", True)])
def test_a_whole_support_is_told_from_a_weighted_one(text, is_count):
    assert cell_of(text).is_count is is_count


@pytest.mark.parametrize("text", ["1.01", "-0.01", "97.3", "2"])
def test_a_share_lies_between_0_and_1(text):
    assert not cell_of(text).is_share


@pytest.mark.parametrize("text", ["B-LOC", "", "0.9.1", "1,234", "12%", "--", "inf", "1e999999", "0x10", "+", "."])
def test_other_words_are_no_cells(text):
    assert cell_of(text) is None
