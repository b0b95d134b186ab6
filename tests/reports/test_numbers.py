from __future__ import annotations

import math

import pytest

from truetune.reports import numbers


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.90649, "0.906"), (0.0, "0.000"), (34.309, "34.31"), (1234.5, "1,234.50"), (None, "–"), (math.nan, "–")],
)
def test_a_score_has_three_digits_and_nothing_known_is_a_dash(value: float | None, shown: str) -> None:
    assert numbers.number(value) == shown


@pytest.mark.parametrize(("value", "shown"), [(0.0641, "+0.064"), (-0.0641, "\u22120.064"), (None, "–")])
def test_a_difference_has_its_sign(value: float | None, shown: str) -> None:
    assert numbers.signed(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "< 0.0001"), (0.00009, "< 0.0001"), (0.00042, "0.0004"), (0.0412, "0.041"), (1.0, "1.000"), (None, "–")],
)
def test_a_p_value_is_never_printed_as_zero(value: float | None, shown: str) -> None:
    assert numbers.p_value(value) == shown


def test_a_p_value_in_a_sentence() -> None:
    assert numbers.p_stated(0.0412) == "p = 0.041"
    assert numbers.p_stated(1e-9) == "p < 0.0001"


def test_an_interval_needs_both_bounds() -> None:
    assert numbers.interval(0.1, 0.25) == "[0.100, 0.250]"
    assert numbers.interval(-0.1, 0.25, sign=True) == "[\u22120.100, +0.250]"
    assert numbers.interval(None, 0.25) == numbers.interval(0.1, None) == ""


@pytest.mark.parametrize(("value", "shown"), [(5, "5 B"), (1536, "1.5 KiB"), (1_503_238_553, "1.4 GiB")])
def test_sizes(value: float, shown: str) -> None:
    assert numbers.size(value) == shown


@pytest.mark.parametrize(
    ("value", "shown"), [(4.21, "4.2 s"), (187, "3 min 07 s"), (59.99, "60.0 s"), (3725, "1 h 02 min")]
)
def test_durations(value: float, shown: str) -> None:
    assert numbers.duration(value) == shown


def test_the_level_is_read_from_the_signatures_and_never_guessed() -> None:
    assert numbers.level([{"signature": "a; b"}, {"signature": "x; 99% interval by wilson; y"}]) == "99%"
    assert numbers.level([{"signature": "a; 97.5% interval by bca"}]) == "97.5%"
    assert numbers.level([{"signature": "no bounds"}]) == ""
