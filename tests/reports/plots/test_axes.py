from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from truetune.reports.plots.axes import Scale, around, tick_label, ticks


@pytest.mark.parametrize(
    ("low", "high", "about", "expected"),
    [
        (0, 1, 5, (0.0, 0.2, 0.4, 0.6, 0.8, 1.0)),
        (0.83, 0.91, 4, (0.84, 0.86, 0.88, 0.90)),
        (-0.1, 0.1, 4, (-0.1, -0.05, 0.0, 0.05, 0.1)),
        (0, 360, 8, (0, 50, 100, 150, 200, 250, 300, 350)),
    ],
)
def test_ticks_are_round(low: float, high: float, about: int, expected: tuple[float, ...]) -> None:
    assert ticks(low, high, about) == pytest.approx(expected)


@given(st.floats(-1e6, 1e6), st.floats(1e-4, 1e6), st.integers(2, 12))
def test_ticks_lie_inside_in_equal_steps_and_can_be_told_apart(low: float, span: float, about: int) -> None:
    high = low + span
    found = ticks(low, high, about)
    slack = 1e-6 * max(abs(low), abs(high), span)
    assert all(low - slack <= tick <= high + slack for tick in found)
    assert len(found) <= about + 1
    if span > 1e-3 * abs(low):
        assert len({tick_label(tick, found) for tick in found}) == len(found)


def test_a_range_leaves_room_but_not_beyond_its_limits() -> None:
    low, high = around([0.5, 0.98], (0.0, 1.0))
    assert 0 < low < 0.5
    assert high == 1.0
    assert around([0.3, 0.3])[0] < 0.3 < around([0.3, 0.3])[1]
    assert around([0.0])[0] < 0.0 < around([0.0])[1]


def test_a_scale_maps_ends_to_ends() -> None:
    scale = Scale(0, 1, 400, 0)
    assert (scale(0), scale(1), scale(0.25)) == (400, 0, 300)


def test_tick_labels_have_the_digits_that_tell_them_apart() -> None:
    assert [tick_label(tick, (0.0, 0.2, 0.4)) for tick in (0.0, 0.2)] == ["0.0", "0.2"]
    assert tick_label(1000, (0, 1000, 2000)) == "1,000"
    assert tick_label(0.025, (0.0, 0.025, 0.05)) == "0.025"
