"""Columns to Arrow files and back: native types, no pickle, memory-mapped when read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from truetune.errors import RunError
from truetune.files import whole_file
from truetune.types import Span

SPAN = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("type", pa.string())])


def to_table(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Return an Arrow table: texts, numbers, lists of texts, lists of spans, mappings to numbers.

    Anything else becomes JSON text.
    """
    return pa.table({name: _array(values) for name, values in columns.items()})


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns as Parquet, whole or not at all."""
    with whole_file(path) as temporary:
        pq.write_table(to_table(columns), temporary)


def read_parquet_columns(path: Path) -> dict[str, list[Any]]:
    """Read columns of a Parquet file; raises `RunError` where that cannot be done."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{path}: cannot be read as Parquet ({error})") from None
    return {name: from_array(table[name]) for name in table.column_names}


def write_arrow(path: Path, columns: Mapping[str, Sequence[Any]]) -> None:
    """Write columns as an Arrow IPC file, which can be memory-mapped; whole or not at all."""
    table = to_table(columns)
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as out,
    ):
        out.write_table(table, max_chunksize=65_536)


def mapped(path: Path) -> pa.Table:
    """Return a table whose columns stay on disk until they are read."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{path}: cannot be read ({error}); prepare the data again") from None


def from_array(array: Any) -> list[Any]:
    """Return the values of an Arrow column as Python has them: spans as `Span`, mappings as dict."""
    kind = array.type
    if pa.types.is_list(kind) and kind.value_type == SPAN:
        return [
            None if row is None else [Span(item["start"], item["end"], item["type"]) for item in row]
            for row in array.to_pylist()
        ]
    if pa.types.is_map(kind):
        return [None if row is None else dict(row) for row in array.to_pylist()]
    values: list[Any] = array.to_pylist()
    return values


def _array(values: Sequence[Any]) -> pa.Array:
    first = next((value for value in values if value is not None and not _is_empty(value)), None)
    if isinstance(first, str) or (first is None and all(value is None for value in values)):
        return pa.array(values, type=pa.string())
    if isinstance(first, bool | int | float):
        return pa.array(values)
    if isinstance(first, Mapping):
        pairs = [None if value is None else list(value.items()) for value in values]
        return pa.array(pairs, type=pa.map_(pa.string(), pa.float64()))
    if isinstance(first, list | tuple) and isinstance(first[0], str) and not isinstance(first, Span):
        return pa.array([None if value is None else list(value) for value in values], type=pa.list_(pa.string()))
    if isinstance(first, list | tuple) and isinstance(first[0], Span):
        rows = [None if value is None else [span._asdict() for span in value] for value in values]
        return pa.array(rows, type=pa.list_(SPAN))
    if first is None:
        return pa.array([None if value is None else [] for value in values], type=pa.list_(SPAN))
    return pa.array([json.dumps(value, ensure_ascii=False) for value in values], type=pa.string())


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | tuple | dict) and not value
