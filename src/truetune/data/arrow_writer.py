"""Columns appended to an Arrow file chunk by chunk, so that they are never in memory together."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa

from truetune.data.arrow import array_of, from_array, is_undecided, mapped, to_table
from truetune.errors import DataError

BATCH = 8192
"""Examples that are read from a file at a time."""
_WIDER = {
    (pa.int64(), pa.float64()): pa.float64(),
    (pa.list_(pa.int64()), pa.list_(pa.float64())): pa.list_(pa.float64()),
}


class ArrowWriter:
    """An Arrow IPC file that grows by chunks of columns.

    A column has the type of its first chunk that holds a value which is not empty, and of numbers the wider one:
    what was written before is then written again. The columns are those of the first chunk; one that a later
    chunk lacks is None there. The file is whole after `close`.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._out: Any = None
        self._schema: pa.Schema = pa.schema([])
        self._undecided: set[str] = set()

    @property
    def empty(self) -> bool:
        """Whether nothing was appended."""
        return self._out is None

    def append(self, columns: Mapping[str, Sequence[Any]]) -> None:
        """Append columns of one length; raises `DataError` for a column whose values are of two kinds."""
        if self._out is None:
            self._undecided = {name for name, values in columns.items() if is_undecided(values)}
            self._begin(to_table(columns))
            return
        number = len(next(iter(columns.values())))
        given = {name: columns.get(name, [None] * number) for name in self._schema.names}
        table = to_table(given)
        decided = {name for name, values in given.items() if not is_undecided(values)}
        wanted = pa.schema(
            [(name, self._common(name, table.schema.field(name).type, name in decided)) for name in given]
        )
        if wanted != self._schema:
            self._rewrite(wanted)
        self._undecided -= decided
        self._out.write_table(_as_types(table, wanted), max_chunksize=BATCH)

    def close(self) -> None:
        """End the file."""
        if self._out is not None:
            self._out.close()

    def _begin(self, table: pa.Table) -> None:
        self._schema = table.schema
        self._out = pa.ipc.new_file(str(self._path), self._schema)
        self._out.write_table(table, max_chunksize=BATCH)

    def _common(self, name: str, new: pa.DataType, decided: bool) -> pa.DataType:
        old = self._schema.field(name).type
        if old == new or not decided:
            return old
        if name in self._undecided:
            return new
        wider = _WIDER.get((old, new)) or _WIDER.get((new, old))
        if wider is None:
            raise DataError(f"column {name!r} holds {old} and, further on, {new}; expected values of one kind")
        return wider

    def _rewrite(self, schema: pa.Schema) -> None:
        """Write what is there again, in other types."""
        self.close()
        before = self._path.with_name(f"{self._path.name}.before")
        self._path.rename(before)
        self._schema = schema
        self._out = pa.ipc.new_file(str(self._path), schema)
        for batch in mapped(before).to_batches():
            self._out.write_table(_as_types(pa.Table.from_batches([batch]), schema))
        before.unlink()


def _as_types(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return a table with the types of a schema; its columns of other types hold numbers, or nothing at all."""
    if table.schema == schema:
        return table
    columns = [
        table[field.name]
        if table[field.name].type == field.type
        else array_of(from_array(table[field.name]), field.type)
        for field in schema
    ]
    return pa.table(columns, schema=schema)
