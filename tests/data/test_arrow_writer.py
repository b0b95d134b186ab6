"""Chunks appended to a file read like one table, whatever the first of them shows of the types."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from truetune.data.arrow import from_array, mapped, to_table
from truetune.data.arrow_writer import ArrowWriter
from truetune.errors import DataError
from truetune.types import Span


def written(path: Path, *chunks: dict[str, list[Any]]) -> pa.Table:
    with contextlib.closing(ArrowWriter(path)) as writer:
        assert writer.empty
        for chunk in chunks:
            writer.append(chunk)
    assert [file.name for file in path.parent.iterdir()] == [path.name]
    return mapped(path)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ([1, 2], [3, 4]),
        ([1, None], [2.5, 3]),
        ([1.5], [2, 3]),
        ([[], None], [[Span(0, 1, "LOC")], []]),
        ([[Span(0, 1, "LOC")]], [[], None]),
        ([None, None], [["a"], []]),
        ([None], [1]),
        ([[]], [["a", "b"]]),
        ([["a"]], [[], []]),
        ([[1, 2]], [[2.5]]),
        ([{}], [{"a": 0.5}]),
        ([[[0, 1]]], [[]]),
        ([None], [None]),
    ],
)
def test_types_are_those_of_the_whole(tmp_path: Path, first: list[Any], second: list[Any]) -> None:
    table = written(
        tmp_path / "a.arrow", {"n": ["x"] * len(first), "x": first}, {"n": ["y"] * len(second), "x": second}
    )
    assert table["x"].type == to_table({"x": [*first, *second]})["x"].type
    assert from_array(table["x"]) == [*first, *second]
    assert from_array(table["n"]) == ["x"] * len(first) + ["y"] * len(second)


def test_a_type_may_be_known_late(tmp_path: Path) -> None:
    table = written(tmp_path / "a.arrow", {"x": [[]]}, {"x": [None]}, {"x": [[]]}, {"x": [[Span(0, 1, "LOC")]]})
    assert from_array(table["x"]) == [[], None, [], [Span(0, 1, "LOC")]]


def test_a_column_that_ends_is_none_from_there_on(tmp_path: Path) -> None:
    assert from_array(written(tmp_path / "a.arrow", {"x": ["a"], "y": [1]}, {"x": ["b"]})["y"]) == [1, None]


def test_values_of_two_kinds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"column 'x' holds string and, further on, list<.*>; expected values of one"):
        written(tmp_path / "a.arrow", {"x": ["a"]}, {"x": [["a"]]})
