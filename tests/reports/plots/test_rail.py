from __future__ import annotations

import pytest

from truetune.reports.plots.rail import choice_rail, number_rail, shown


def test_numbers_lie_evenly_or_by_their_logarithm() -> None:
    even = number_rail("decay", 0.0, 0.2)
    assert [even.place(value) for value in (0.0, 0.05, 0.2)] == pytest.approx([0, 0.25, 1])
    log = number_rail("rate", 1e-5, 1e-3, log=True)
    assert [log.place(value) for value in (1e-5, 1e-4, 1e-3)] == pytest.approx([0, 0.5, 1])
    assert [text for _, text in log.ticks] == ["1e-05", "0.0001", "0.001"]
    assert [place for place, _ in log.ticks] == pytest.approx([0, 0.5, 1])


def test_a_short_range_by_its_logarithm_has_ticks_too() -> None:
    assert [text for _, text in number_rail("rate", 2e-5, 5e-4, log=True).ticks] == [
        "2e-05",
        "5e-05",
        "0.0001",
        "0.0002",
        "0.0005",
    ]
    assert [text for _, text in number_rail("rate", 3e-5, 4e-5, log=True).ticks] == ["3e-05", "4e-05"]


@pytest.mark.parametrize("log", [False, True])
def test_one_number_has_room_around_it(log: bool) -> None:
    assert 0 < number_rail("x", 0.3, 0.3, log).place(0.3) < 1
    assert number_rail("x", 0.0, 0.0, log).place(0.0) == 0.5


def test_choices_lie_side_by_side_words_first_and_numbers_in_order() -> None:
    rail = choice_rail("dropout", [0.2, None, 0.0, 0.2])
    assert rail.choices == ("null", "0", "0.2")
    assert rail.place(0.2) == pytest.approx(5 / 6)
    assert choice_rail("weights", ["none", "balanced", "none"]).choices == ("none", "balanced")


def test_values_are_written_as_in_a_config() -> None:
    values = [None, True, 2048, 2048.0, 0.000123, "balanced", [1, 2]]
    assert [shown(one) for one in values] == ["null", "true", "2048", "2048", "0.000123", "balanced", "[1, 2]"]
