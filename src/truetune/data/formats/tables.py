"""Tables: CSV, TSV, Parquet, Excel. The first row names the columns."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from truetune.data.encoding import text_of
from truetune.data.record import Record
from truetune.errors import DataError, MissingPackageError

csv.field_size_limit(1 << 30)


def read_csv(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a CSV file; the separator is the one that the header has most of: , ; or tab."""
    text = text_of(path, encoding)
    header = text[: text.find("\n")] if "\n" in text else text
    separator = max(",;\t", key=header.count)
    return _rows(path, csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True))


def read_tsv(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a TSV file; quotes are ordinary characters, as tools that write TSV leave them."""
    text = text_of(path, encoding)
    return _rows(path, csv.reader(io.StringIO(text, newline=""), delimiter="\t", quoting=csv.QUOTE_NONE))


def _rows(path: Path, rows: Iterator[list[str]] | object) -> Iterator[Record]:
    reader: csv._reader = rows  # type: ignore[name-defined]
    try:
        names = [name.strip() for name in next(reader)]
    except StopIteration:
        raise DataError(f"{path}: is empty; expected a header line and one row an example") from None
    if len(set(names)) < len(names) or "" in names:
        raise DataError(f"{path}:1: column names are {names}; expected each once and none empty")
    while True:
        line = reader.line_num + 1
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            yield Record(f"{path}:{line}", {}, f"is no row of a table ({error})")
            return
        if not row:
            continue
        if len(row) != len(names):
            yield Record(f"{path}:{line}", {}, f"expected {len(names)} cells as in the header, found {len(row)}")
            continue
        yield Record(f"{path}:{line}", dict(zip(names, row, strict=True)))


def read_parquet(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of a Parquet file, a batch of rows in memory at a time."""
    import pyarrow.parquet as parquet
    from pyarrow.lib import ArrowException

    try:
        file = parquet.ParquetFile(path)
    except (ArrowException, OSError) as error:
        raise DataError(f"{path}: cannot be read as Parquet ({error})") from None
    number = 0
    for batch in file.iter_batches(batch_size=8192):
        for row in batch.to_pylist(maps_as_pydicts="strict"):
            number += 1
            yield Record(f"{path}:{number}", row)


def read_excel(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of the first sheet of an Excel file."""
    try:
        import openpyxl
    except ImportError:
        raise MissingPackageError("openpyxl", "reading Excel files", "excel") from None
    try:
        sheet = openpyxl.load_workbook(path, read_only=True, data_only=True).worksheets[0]
    except Exception as error:
        raise DataError(f"{path}: cannot be read as an Excel file ({error}); expected .xlsx") from None
    rows = sheet.iter_rows(values_only=True)
    head = next(rows, None)
    if head is None:
        raise DataError(f"{path}: is empty; expected a header row and one row an example")
    names = ["" if name is None else str(name).strip() for name in head]
    for line, row in enumerate(rows, start=2):
        cells = {name: value for name, value in zip(names, row, strict=False) if name}
        if any(value is not None for value in cells.values()):
            yield Record(f"{path}:{line}", cells)
