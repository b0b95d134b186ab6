"""CSV and TSV. The first row names the columns, but for `csv-rows` and `tsv-rows`, which have no such row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import Any

from truetune.data.encoding import opened
from truetune.data.record import Record
from truetune.errors import DataError

csv.field_size_limit(1 << 30)

SEPARATORS = ",;\t|"
LOOKED_AT = 200
"""Rows that are looked at to tell whether the first one names the columns."""

Row = tuple[int, list[str] | str]
"""The line that a row begins at, and its cells, or why they could not be read."""


def read_csv(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a CSV file; the separator is the one that the first line has most of: , ; tab or |."""
    return named_rows(path, _csv_rows(path, encoding))


def read_csv_rows(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a CSV file that has no line of names; its columns are called 1, 2, ..."""
    return numbered_rows(path, _csv_rows(path, encoding))


def read_tsv(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a TSV file; quotes are ordinary characters, as tools that write TSV leave them."""
    return named_rows(path, _tsv_rows(path, encoding))


def read_tsv_rows(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a TSV file that has no line of names; its columns are called 1, 2, ..."""
    return numbered_rows(path, _tsv_rows(path, encoding))


def first_row_is_an_example(rows: Sequence[Sequence[str]]) -> str:
    """Return the cell of the first row that stands again in its column, as names do not; empty where none does.

    A first row that stands again as a whole names columns (files that were put together keep it), and so
    do numbers in order (columns of a table without names).
    """
    first = list(rows[0]) if rows else []
    if [cell.strip() for cell in first] in ([str(n + start) for n in range(len(first))] for start in (0, 1)):
        return ""
    others = [row for row in rows[1:] if list(row) != first]
    again = (
        cell for place, cell in enumerate(first) if cell and any(row[place : place + 1] == [cell] for row in others)
    )
    return next(again, "")


def _csv_rows(path: Path, encoding: str | None) -> Iterator[Row]:
    with opened(path, encoding) as file:
        first = file.readline()
        separator = max(SEPARATORS, key=first.count)
        yield from _cells(csv.reader(chain([first], file), delimiter=separator, strict=True))


def _tsv_rows(path: Path, encoding: str | None) -> Iterator[Row]:
    with opened(path, encoding) as file:
        yield from _cells(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))


def _cells(reader: Any) -> Iterator[Row]:
    """Yield the rows that hold anything, with the lines that they begin at; a fault ends them."""
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield line, f"is no row of a table ({error}); nothing after it was read"
            return
        if row:
            yield line, row


def named_rows(path: Path, rows: Iterator[Row]) -> Iterator[Record]:
    """Yield records of the rows after the first, which names the columns; one without a name is `column N`.

    Raises `DataError` for doubled names, and for a first row that is an example.
    """
    start = list(islice(rows, LOOKED_AT))
    if not start:
        raise DataError(f"{path}: is empty; expected a line of column names and one row an example")
    _, names = start[0]
    if isinstance(names, str):
        yield Record(f"{path}:1", {}, names)
        return
    known = [name.strip() or f"column {place}" for place, name in enumerate(names, start=1)]
    doubled = sorted({name for name in known if known.count(name) > 1})
    if doubled:
        raise DataError(f"{path}:1: the column name {doubled[0]!r} stands twice; expected each once")
    again = first_row_is_an_example([row for _, row in start if not isinstance(row, str)])
    if again:
        raise DataError(
            f"{path}:1: looks like an example and not like column names: {again!r} stands in its column again. Put a "
            "line of names before it, or give data.format csv-rows or tsv-rows; the columns are then called 1, 2, ..."
        )
    for line, row in chain(start[1:], rows):
        if row == names:
            yield Record(f"{path}:{line}", {}, "repeats the line of column names; remove it")
        else:
            yield _record(f"{path}:{line}", known, row)


def numbered_rows(path: Path, rows: Iterator[Row]) -> Iterator[Record]:
    """Yield records of all rows; the columns are called 1, 2, ..."""
    names: list[str] = []
    for line, row in rows:
        names = names or [str(place) for place in range(1, len(row) + 1)]
        yield _record(f"{path}:{line}", names, row)


def _record(where: str, names: Sequence[str], row: list[str] | str) -> Record:
    if isinstance(row, str):
        return Record(where, {}, row)
    if len(row) != len(names):
        return Record(where, {}, f"expected {len(names)} cells as in the header, found {len(row)}; quote separators")
    return Record(where, dict(zip(names, row, strict=True)))
