"""Columns on disk answer like lists: in order, at places, taken, and taken from what was taken."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.data.arrow_writer import ArrowWriter
from truetune.data.stored import Mapping, Rows, Stored, values_at
from truetune.errors import RunError

SIZES = (3, 1, 0, 5, 2)


@pytest.fixture(scope="module")
def rows(tmp_path_factory: pytest.TempPathFactory) -> Rows:
    path = tmp_path_factory.mktemp("stored") / "a.arrow"
    writer = ArrowWriter(path)
    begin = 0
    for size in SIZES:
        numbers = list(range(begin, begin + size))
        writer.append({"text": [f"t{number}" for number in numbers], "labels": [["a"] * (n % 3) for n in numbers]})
        begin += size
    writer.close()
    return Rows.of(path)


@given(data=st.data())
def test_it_answers_like_a_list(rows: Rows, data: st.DataObject) -> None:
    places = st.lists(st.integers(0, sum(SIZES) - 1), max_size=12)
    first = data.draw(st.none() | places)
    texts, labels = [f"t{n}" for n in range(sum(SIZES))], [["a"] * (n % 3) for n in range(sum(SIZES))]
    if first is not None:
        rows = rows.take(np.array(first, dtype=np.int64))
        texts, labels = ([column[n] for n in first] for column in (texts, labels))
        if first:
            second = data.draw(st.lists(st.integers(0, len(first) - 1), max_size=12))
            rows = rows.take(np.array(second, dtype=np.int64))
            texts, labels = ([column[n] for n in second] for column in (texts, labels))
    for name, expected in (("text", texts), ("labels", labels)):
        column = Stored(rows, name)
        assert len(column) == len(expected)
        assert list(column) == expected
        assert [column[n] for n in range(len(expected))] == expected
        assert column[::-2] == expected[::-2]
        chosen = data.draw(st.lists(st.integers(0, max(len(expected) - 1, 0)), max_size=8)) if expected else []
        assert values_at(column, chosen) == values_at(expected, chosen) == [expected[n] for n in chosen]


def test_places_outside_are_refused(rows: Rows) -> None:
    column = Stored(rows, "text")
    assert column[-1] == "t10"
    for place in (11, -12):
        with pytest.raises(IndexError):
            column[place]


def test_pages_come_back_after_they_were_given_back(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"0123456789" * 10_000)
    with path.open("rb") as file:
        mapping = Mapping(file)
    before = mapping.bytes[:]
    mapping.release()
    assert mapping.bytes[:] == before


def test_an_empty_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "a.arrow").touch()
    with pytest.raises(RunError, match=r"a\.arrow: cannot be read .* prepare the data again"):
        Rows.of(tmp_path / "a.arrow")
