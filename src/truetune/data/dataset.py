"""A data set: typed examples in a memory-mapped file, with ids and groups."""

from __future__ import annotations

import contextlib
import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from truetune.data.arrow import from_array, write_arrow
from truetune.data.arrow_writer import ArrowWriter
from truetune.data.parse import LABELLED, Columns, Reading, unknown_labels
from truetune.data.stored import Rows, Stored
from truetune.errors import DataError, nearest
from truetune.files import whole_file
from truetune.types import Ints, Span

FIELD, OTHER = "field.", "other."
"""Prefixes of columns in the file: what the task reads, and what only slices and groups read."""
_HALF = re.compile("[\ud800-\udfff]")
PLACE = "place"
"""The column with the file and line of each example, there until its id is known to be its own."""


class Dataset:
    """Examples of one set. The file stays on disk: columns are read in chunks, or whole where that is asked for."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows

    @classmethod
    def open(cls, path: Path) -> Dataset:
        """Open a file that `write` has made."""
        return cls(Rows.of(path))

    def __len__(self) -> int:
        return len(self._rows)

    @property
    def ids(self) -> list[str]:
        """The id of each example, in memory."""
        return list(self.stored_ids)

    @property
    def groups(self) -> list[str] | None:
        """The group of each example, in memory; None where the data has none."""
        return None if self.stored_groups is None else list(self.stored_groups)

    @property
    def stored_ids(self) -> Stored:
        """The id of each example, on disk."""
        return Stored(self._rows, "id")

    @property
    def stored_groups(self) -> Stored | None:
        """The group of each example, on disk; None where the data has none."""
        names = self._rows.table.column_names
        # A column of groups that are all empty is one that the data does not use.
        used = "group" in names and (not len(self) or self._rows.table["group"].null_count == 0)
        return Stored(self._rows, "group") if used else None

    @property
    def fields(self) -> list[str]:
        """The names of the task's fields."""
        return [name.removeprefix(FIELD) for name in self._rows.table.column_names if name.startswith(FIELD)]

    def column(self, name: str) -> list[Any]:
        """Return a column in memory: a field of the task, or any other column of the file."""
        return list(self.stored(name))

    @property
    def others(self) -> list[str]:
        """The names of the other columns of the file."""
        return [name.removeprefix(OTHER) for name in self._rows.table.column_names if name.startswith(OTHER)]

    def stored(self, name: str) -> Stored:
        """Return a column that stays on disk: a field of the task, or any other column of the file."""
        return Stored(self._rows, self._full(name))

    def chunks(self, names: Sequence[str]) -> Iterator[dict[str, list[Any]]]:
        """Yield some columns, some thousand examples at a time."""
        full = {name: self._full(name) for name in names}
        for block in self._rows.blocks(list(full.values())):
            yield {name: from_array(block[stored]) for name, stored in full.items()}

    def take(self, positions: Sequence[int] | Ints) -> Dataset:
        """Return the examples at some positions, in that order; they are not copied."""
        return Dataset(self._rows.take(np.asarray(positions, dtype=np.int64)))

    def chosen(self, ids: Sequence[str]) -> Dataset:
        """Return the examples with these ids, in that order; raises `DataError` for ids that are not there."""
        place = {name: position for position, name in enumerate(self.stored_ids)}
        missing = [name for name in ids if name not in place]
        if missing:
            raise DataError(
                f"the data holds no example with the id {missing[0]!r} ({len(missing):,} such): the saved split was "
                "made of other data; delete it to split again"
            )
        return self.take([place[name] for name in ids])

    @property
    def fingerprint(self) -> str:
        """The sha256 of ids, groups and fields, independent of files and their formats."""
        digest = hashlib.sha256()
        grouped = ["group"] if self.stored_groups is not None else []
        for name in ["id", *grouped, *(FIELD + name for name in sorted(self.fields))]:
            digest.update(name.encode())
            # The JSON of the whole list, piece by piece.
            between = "["
            for block in self._rows.blocks([name]):
                values = json.dumps(from_array(block[name]), ensure_ascii=False)[1:-1]
                digest.update((between + values).encode() if values else b"")
                between = ", " if values else between
            digest.update(("[]" if between == "[" else "]").encode())
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """Write the examples to a file of their own, whole or not at all."""
        names = self._rows.table.column_names
        schema = self._rows.table.schema
        with (
            whole_file(path) as temporary,
            pa.OSFile(str(temporary), "wb") as sink,
            pa.ipc.new_file(sink, schema) as out,
        ):
            for block in self._rows.blocks(names):
                out.write_table(block)

    def _full(self, name: str) -> str:
        """Return the name of a column in the file."""
        names = self._rows.table.column_names
        for prefix in (FIELD, OTHER):
            if prefix + name in names:
                return prefix + name
        known = [column.partition(".")[2] for column in names if "." in column]
        raise DataError(f"the data has no column {name!r}; {nearest(name, known)}")


def read_dataset(found: Reading, path: Path, *, group: str | None = None, grouped: bool = True) -> Dataset:
    """Write what is read to `path`, some thousand examples at a time, and return it as a data set.

    `group` names the column that groups examples (default: `group`, where it is there), unless they are not to be
    `grouped`. Raises `DataError` that lists all problems; nothing is written then.
    """
    grouping = _Grouping(group) if grouped else None
    with whole_file(path) as temporary:
        with contextlib.closing(ArrowWriter(temporary)) as writer:
            for columns in found.chunks():
                places = {} if found.numbered else {PLACE: columns.places}
                with _halves_told(columns):
                    writer.append(_table(columns, grouping) | places)
        if writer.empty or found.numbered:
            found.check((), ())
        else:
            rows = Rows.of(temporary)
            found.check(Stored(rows, "id"), Stored(rows, PLACE))
        if grouping is not None:
            grouping.check()
    rows = Rows.of(path)
    return Dataset(rows if found.numbered else rows.without([PLACE]))


def dataset_of(
    columns: Columns, path: Path, *, group: str | None = None, labels: Sequence[str] | None = None
) -> Dataset:
    """Write parsed columns to `path` and return them as a data set, as `read_dataset` does.

    With `labels`, any other label is a problem. Raises `DataError` that lists all of them.
    """
    problems = [] if labels is None else _unknown(columns, labels)
    grouping = _Grouping(group)
    table = _table(columns, grouping)
    grouping.check()
    if problems:
        raise DataError(f"{columns.where}: {len(problems):,} unknown label{'s' * (len(problems) > 1)}", problems)
    with _halves_told(columns):
        write_arrow(path, table)
    return Dataset.open(path)


@contextlib.contextmanager
def _halves_told(columns: Columns) -> Iterator[None]:
    """Turn what is raised for text that UTF-8 cannot hold into a `DataError` that lists where it stands."""
    try:
        yield
    except UnicodeEncodeError:
        problems = [
            f"{place}: `{name}`: holds {half[0]!a}, one half of a character; cut it out, or write the character whole"
            for name, values in {"id": columns.ids, **columns.fields, **columns.others}.items()
            for place, value in zip(columns.places, values, strict=True)
            if (half := _HALF.search(json.dumps(value, ensure_ascii=False, default=str)))
        ]
        raise DataError(f"{columns.where}: text that is no Unicode ({len(problems):,} such)", problems) from None


def _table(columns: Columns, grouping: _Grouping | None) -> dict[str, Sequence[Any]]:
    """Return the columns of the file."""
    table: dict[str, Sequence[Any]] = {"id": columns.ids}
    groups = None if grouping is None else grouping.groups(columns)
    if groups is not None:
        table["group"] = groups
    table |= {FIELD + name: values for name, values in columns.fields.items() if _storable(values)}
    return table | {OTHER + name: [_text(value) for value in values] for name, values in columns.others.items()}


def _storable(values: Sequence[Any]) -> bool:
    """Derived fields that are values of a class are made again when they are needed."""
    first = next((value for value in values if value is not None), "")
    return isinstance(first, str | bool | int | float | list | dict | Span) or type(first) is tuple


class _Grouping:
    """Which column groups examples, and whether it says so of all of them."""

    def __init__(self, name: str | None) -> None:
        self._name = name
        self._empty = 0
        self._examples = 0
        self._first = ""

    def groups(self, columns: Columns) -> list[str | None] | None:
        """Return the groups of examples, None where there is no such column; a group that is empty is None."""
        name = self._name or "group"
        known: Mapping[str, list[Any]] = {**columns.others, **columns.fields}
        if name not in known:
            if self._name is None:
                return None
            raise DataError(f"{columns.where}: no column {name!r} for data.group; {nearest(name, known)}")
        empty = [place for place, value in enumerate(known[name]) if value in (None, "")]
        if empty and not self._empty:
            self._first = columns.places[empty[0]]
        self._empty += len(empty)
        self._examples += len(columns)
        return [None if value in (None, "") else str(value) for value in known[name]]

    def check(self) -> None:
        """Raise `DataError` where some groups are empty; a column that nobody named may be empty as a whole."""
        if self._empty and (self._name is not None or self._empty < self._examples):
            raise DataError(
                f"{self._first}: column {self._name or 'group'!r}, which groups examples, is empty ({self._empty:,} "
                "such); give every example a group"
            )


def _unknown(columns: Columns, labels: Sequence[str]) -> list[str]:
    known = frozenset(labels)
    there = {name: columns.fields[name] for name in LABELLED if name in columns.fields}
    rows = (dict(zip(there, values, strict=True)) for values in zip(*there.values(), strict=True))
    return [
        f"{place}: {told}"
        for place, row in zip(columns.places, rows, strict=False)
        for told in unknown_labels(row, known)
    ]


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
