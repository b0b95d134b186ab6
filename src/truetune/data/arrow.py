"""Columns to Arrow files and back: native types, no pickle, memory-mapped when read."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from truetune.errors import RunError
from truetune.files import whole_file
from truetune.types import Span

SPAN = pa.struct([("start", pa.int64()), ("end", pa.int64()), ("type", pa.string())])
TRIPLE = pa.struct([("head", SPAN), ("relation", pa.string()), ("tail", SPAN)])


def to_table(columns: Mapping[str, Sequence[Any]]) -> pa.Table:
    """Return an Arrow table: texts, numbers, mappings to numbers, spans; lists of texts, numbers, offsets, spans.

    Lists of triples too. The first value that is not empty says which; anything else becomes JSON text.
    """
    return pa.table({name: _array(values) for name, values in columns.items()})


def write_parquet(path: Path, columns: Mapping[str, Sequence[Any]], about: Mapping[str, str] | None = None) -> None:
    """Write columns as Parquet, whole or not at all; `about` goes into its metadata."""
    with whole_file(path) as temporary:
        pq.write_table(to_table(columns).replace_schema_metadata(about), temporary)


def read_parquet_columns(path: Path) -> dict[str, list[Any]]:
    """Read columns of a Parquet file; raises `RunError` where that cannot be done."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{path}: cannot be read as Parquet ({error})") from None
    return {name: from_array(table[name]) for name in table.column_names}


def parquet_about(source: Path | bytes) -> dict[str, str]:
    """Return what a Parquet file, or its bytes, says about its columns."""
    schema = pq.read_schema(pa.BufferReader(source) if isinstance(source, bytes) else source)
    return {name.decode(): value.decode() for name, value in (schema.metadata or {}).items()}


def parquet_bytes(columns: Mapping[str, Sequence[Any]], about: Mapping[str, str] | None = None) -> bytes:
    """Return columns as the bytes of a Parquet file; `about` goes into its metadata."""
    sink = pa.BufferOutputStream()
    pq.write_table(to_table(columns).replace_schema_metadata(about), sink)
    return bytes(sink.getvalue())


def columns_of_bytes(parquet: bytes) -> dict[str, list[Any]]:
    """Return the columns of the bytes of a Parquet file."""
    table = pq.read_table(pa.BufferReader(parquet))
    return {name: from_array(table[name]) for name in table.column_names}


def write_arrow(path: Path, columns: Mapping[str, Sequence[Any]] | pa.Table) -> None:
    """Write columns as an Arrow IPC file, which can be memory-mapped; whole or not at all."""
    table = columns if isinstance(columns, pa.Table) else to_table(columns)
    with (
        whole_file(path) as temporary,
        pa.OSFile(str(temporary), "wb") as sink,
        pa.ipc.new_file(sink, table.schema) as out,
    ):
        out.write_table(table, max_chunksize=8192)


def mapped(path: Path) -> pa.Table:
    """Return a table whose columns stay on disk until they are read."""
    try:
        return pa.ipc.open_file(pa.memory_map(str(path))).read_all()
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{path}: cannot be read ({error}); prepare the data again") from None


def from_array(array: Any) -> list[Any]:
    """Return the values of an Arrow column as Python has them: spans as `Span`, triples as tuples, mappings as dict."""
    chunks = array.chunks if isinstance(array, pa.ChunkedArray) else [array]
    return [value for chunk in chunks for value in _values(chunk)]


def _values(array: Any) -> list[Any]:
    kind = array.type
    if kind == SPAN:
        found = list(map(Span, *(array.field(name).to_pylist() for name in ("start", "end", "type"))))
        if not array.null_count:
            return found
        return [span if there else None for span, there in zip(found, array.is_valid().to_pylist(), strict=True)]
    if kind == TRIPLE:
        return list(zip(*(_values(array.field(name)) for name in ("head", "relation", "tail")), strict=True))
    if pa.types.is_map(kind):
        pairs = list(zip(array.keys.to_pylist(), array.items.to_pylist(), strict=True))
        return [None if one is None else dict(one) for one in _cut(array, pairs)]
    if pa.types.is_list(kind):
        return _cut(array, _values(array.values))
    values: list[Any] = array.to_pylist()
    return values


def _cut(array: Any, items: list[Any]) -> list[list[Any] | None]:
    """Return the lists of an array of lists from all their items in a row."""
    ends = array.offsets.to_pylist()
    valid = array.is_valid().to_pylist()
    return [items[start:end] if there else None for start, end, there in zip(ends, ends[1:], valid, strict=False)]


def is_undecided(values: Sequence[Any]) -> bool:
    """Return whether no value of a column says what the others would be: all are None or empty."""
    return _first(values) is None


def array_of(values: Sequence[Any], kind: pa.DataType) -> pa.Array:
    """Return an Arrow array of a type."""
    if pa.types.is_map(kind):
        return pa.array([None if value is None else list(value.items()) for value in values], type=kind)
    if kind == SPAN:
        return pa.array([None if value is None else value._asdict() for value in values], type=kind)
    if kind == pa.list_(SPAN):
        return pa.array([None if value is None else [span._asdict() for span in value] for value in values], type=kind)
    if kind == pa.list_(TRIPLE):
        return pa.array([None if value is None else list(map(_triple, value)) for value in values], type=kind)
    return pa.array(values, type=kind)


def _array(values: Sequence[Any]) -> pa.Array:
    first = _first(values)
    kind = _type(first)
    if first is None:
        empty = next((value for value in values if value is not None), None)
        kind = pa.string() if empty is None else _type({"": 0.0} if isinstance(empty, Mapping) else [""])
    if kind is None:
        return pa.array([_text(value) for value in values], type=pa.string())
    return pa.array(values) if kind in (pa.float64(), pa.list_(pa.float64())) else array_of(values, kind)


def _first(values: Sequence[Any]) -> Any:
    return next((value for value in values if value is not None and not _is_empty(value)), None)


def _type(value: Any) -> pa.DataType | None:
    """Return the Arrow type of a value that is not empty, None for what is stored as JSON text."""
    if isinstance(value, str):
        return pa.string()
    if isinstance(value, bool):
        return pa.bool_()
    if isinstance(value, int | float | np.number):
        return pa.float64()  # or int64, which `pa.array` finds where all values are whole
    if isinstance(value, Mapping):
        numbers = all(isinstance(item, int | float | np.number) for item in value.values())
        return pa.map_(pa.string(), pa.float64()) if numbers else None
    if isinstance(value, Span):
        return SPAN
    if not isinstance(value, list | tuple):
        return None
    item = value[0]
    if isinstance(item, Span):
        return pa.list_(SPAN)
    if isinstance(item, tuple) and len(item) == 3 and isinstance(item[0], Span):
        return pa.list_(TRIPLE)
    if isinstance(item, str):
        return pa.list_(pa.string())
    if isinstance(item, int | float | np.number) and not isinstance(item, bool):
        return pa.list_(pa.float64())  # or int64, as above
    if isinstance(item, list | tuple) and item and all(type(one) is int for one in item):
        return pa.list_(pa.list_(pa.int64()))
    return None


def _triple(value: Sequence[Any]) -> dict[str, Any]:
    head, relation, tail = value
    return {"head": head._asdict(), "relation": relation, "tail": tail._asdict()}


def _text(value: Any) -> str | None:
    return None if value is None else json.dumps(value, ensure_ascii=False)


def _is_empty(value: Any) -> bool:
    return isinstance(value, list | tuple | dict) and not value
