"""A data set: typed examples in a memory-mapped file, with ids and groups."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from truetune.data.arrow import from_array, mapped, write_arrow
from truetune.data.parse import LABELLED, Columns, unknown_labels
from truetune.errors import DataError, nearest
from truetune.types import Ints

FIELD, OTHER = "field.", "other."
"""Prefixes of columns in the file: what the task reads, and what only slices and groups read."""


class Dataset:
    """Examples of one set, read column by column; the file stays on disk until a column is asked for."""

    def __init__(self, table: pa.Table) -> None:
        self._table = table

    @classmethod
    def open(cls, path: Path) -> Dataset:
        """Open a file that `write` has made."""
        return cls(mapped(path))

    def __len__(self) -> int:
        return int(self._table.num_rows)

    @property
    def ids(self) -> list[str]:
        """The id of each example."""
        ids: list[str] = self._table["id"].to_pylist()
        return ids

    @property
    def groups(self) -> list[str] | None:
        """The group of each example, None where the data has none."""
        return self._table["group"].to_pylist() if "group" in self._table.column_names else None

    @property
    def fields(self) -> list[str]:
        """The names of the task's fields."""
        return [name.removeprefix(FIELD) for name in self._table.column_names if name.startswith(FIELD)]

    def column(self, name: str) -> list[Any]:
        """Return a column: a field of the task, or any other column of the file."""
        for prefix in (FIELD, OTHER):
            if prefix + name in self._table.column_names:
                return from_array(self._table[prefix + name])
        known = [column.partition(".")[2] for column in self._table.column_names if "." in column]
        raise DataError(f"the data has no column {name!r}; {nearest(name, known)}")

    def take(self, positions: Sequence[int] | Ints) -> Dataset:
        """Return the examples at some positions, in that order."""
        return Dataset(self._table.take(pa.array(np.asarray(positions, dtype=np.int64))))

    def chosen(self, ids: Sequence[str]) -> Dataset:
        """Return the examples with these ids, in that order; raises `DataError` for ids that are not there."""
        place = {name: position for position, name in enumerate(self.ids)}
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
        names = ["id", *(["group"] if self.groups is not None else []), *(FIELD + name for name in sorted(self.fields))]
        for name in names:
            digest.update(name.encode())
            digest.update(json.dumps(from_array(self._table[name]), ensure_ascii=False).encode())
        return digest.hexdigest()

    def write(self, path: Path) -> None:
        """Write the examples to a file of their own, whole or not at all."""
        write_arrow(path, self._table)


def dataset_of(
    columns: Columns, path: Path, *, group: str | None = None, labels: Sequence[str] | None = None
) -> Dataset:
    """Write parsed columns to `path` and return them as a data set.

    `group` names the column that groups examples (default: `group`, where it is there). With `labels`, any
    other label is a problem. Raises `DataError` that lists all of them.
    """
    problems = [] if labels is None else _unknown(columns, labels)
    groups = _groups(columns, group)
    if problems:
        raise DataError(f"{columns.where}: {len(problems):,} unknown label{'s' * (len(problems) > 1)}", problems)
    table: dict[str, Sequence[Any]] = {"id": columns.ids}
    if groups is not None:
        table["group"] = groups
    table |= {FIELD + name: values for name, values in columns.fields.items() if _storable(values)}
    table |= {OTHER + name: [_text(value) for value in values] for name, values in columns.others.items()}
    write_arrow(path, table)
    return Dataset.open(path)


def _storable(values: Sequence[Any]) -> bool:
    """Derived fields that are values of a class are made again when they are needed."""
    first = next((value for value in values if value is not None), "")
    return isinstance(first, str | bool | int | float | list | dict) or type(first) is tuple


def _groups(columns: Columns, group: str | None) -> list[str] | None:
    name = group or "group"
    known: Mapping[str, list[Any]] = {**columns.others, **columns.fields}
    if name not in known:
        if group is None:
            return None
        raise DataError(f"{columns.where}: no column {group!r} for data.group; {nearest(group, known)}")
    values = known[name]
    empty = [place for place, value in enumerate(values) if value in (None, "")]
    if empty and group is None and len(empty) == len(values):
        return None
    if empty:
        raise DataError(
            f"{columns.places[empty[0]]}: column {name!r}, which groups examples, is empty ({len(empty):,} such); "
            "give every example a group"
        )
    return [str(value) for value in values]


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
