"""Columns go to Arrow files and come back: every type that fields have, sliced, taken and empty."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from truetune.data.arrow import (
    SPAN,
    TRIPLE,
    from_array,
    mapped,
    read_parquet_columns,
    to_table,
    write_arrow,
    write_parquet,
)
from truetune.errors import RunError
from truetune.types import Span

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=5)
numbers = st.integers(0, 99)
spans = st.builds(Span, numbers, numbers, texts)
KINDS: dict[str, tuple[st.SearchStrategy[Any], pa.DataType]] = {
    "text": (texts, pa.string()),
    "whole number": (numbers, pa.int64()),
    "number": (st.floats(allow_nan=False).map(lambda one: one + 0.5), pa.float64()),
    "truth": (st.booleans(), pa.bool_()),
    "texts": (st.lists(texts, min_size=1, max_size=3), pa.list_(pa.string())),
    "whole numbers": (st.lists(numbers, min_size=1, max_size=3), pa.list_(pa.int64())),
    "offsets": (
        st.lists(st.lists(numbers, min_size=2, max_size=2), min_size=1, max_size=3),
        pa.list_(pa.list_(pa.int64())),
    ),
    "span": (spans, SPAN),
    "spans": (st.lists(spans, min_size=1, max_size=3), pa.list_(SPAN)),
    "triples": (st.lists(st.tuples(spans, texts, spans), min_size=1, max_size=3), pa.list_(TRIPLE)),
    "scores": (
        st.dictionaries(texts, st.floats(allow_nan=False), min_size=1, max_size=3),
        pa.map_(pa.string(), pa.float64()),
    ),
}


def ways(folder: Path) -> list[Callable[[dict[str, Any]], dict[str, Any]]]:
    def by_parquet(columns: dict[str, Any]) -> dict[str, Any]:
        write_parquet(folder / "table.parquet", columns)
        return read_parquet_columns(folder / "table.parquet")

    def by_arrow(columns: dict[str, Any]) -> dict[str, Any]:
        write_arrow(folder / "table.arrow", columns)
        table = mapped(folder / "table.arrow")
        return {name: from_array(table[name]) for name in table.column_names}

    return [by_parquet, by_arrow]


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25)
@given(data=st.data())
def test_every_kind_comes_back_and_has_a_native_type(
    tmp_path_factory: pytest.TempPathFactory, kind: str, data: st.DataObject
) -> None:
    values, native = KINDS[kind]
    column = data.draw(st.lists(st.none() | values, min_size=1, max_size=6))
    assert (to_table({"x": column})["x"].type == native) or set(column) == {None}
    for way in ways(tmp_path_factory.mktemp("arrow")):
        assert way({"x": column}) == {"x": column}


@pytest.mark.parametrize("kind", ["texts", "offsets", "spans", "triples", "scores"])
@given(data=st.data())
def test_slices_and_choices_come_back(kind: str, data: st.DataObject) -> None:
    column = data.draw(st.lists(st.none() | KINDS[kind][0], min_size=1, max_size=8))
    table = to_table({"x": column})
    start, end = sorted(data.draw(st.tuples(*[st.integers(0, len(column))] * 2)))
    assert from_array(table["x"].slice(start, end - start)) == column[start:end]
    places = data.draw(st.lists(st.integers(0, len(column) - 1)))
    assert from_array(table.take(pa.array(places, pa.int64()))["x"]) == [column[place] for place in places]


@pytest.mark.parametrize(
    "column",
    [
        [[], [], None],
        [{}, {}],
        [None, None],
        [[], ["a"], ()],
        [1, 2.5, None],
        [[1, 2.5], [3, 4]],
        [],
    ],
)
def test_empty_and_mixed_values(tmp_path: Path, column: list[Any]) -> None:
    expected = [list(value) if isinstance(value, tuple) else value for value in column]
    for way in ways(tmp_path):
        assert way({"x": column})["x"] == expected


def test_other_values_are_kept_as_json(tmp_path: Path) -> None:
    assert from_array(to_table({"x": [{"slot": "北京"}, None]})["x"]) == ['{"slot": "北京"}', None]


def test_nothing_is_left_when_a_column_cannot_be_written(tmp_path: Path) -> None:
    with pytest.raises(pa.ArrowInvalid):
        write_parquet(tmp_path / "table.parquet", {"x": ["a"], "y": [1, 2]})
    assert not list(tmp_path.iterdir())


def test_a_broken_file_is_told(tmp_path: Path) -> None:
    path = tmp_path / "table.arrow"
    path.write_bytes(b"no arrow")
    with pytest.raises(RunError, match=r"table.arrow: cannot be read .* prepare the data again"):
        mapped(path)
