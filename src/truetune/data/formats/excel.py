"""Excel."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from truetune.data.formats.tables import Row, named_rows
from truetune.data.record import Record
from truetune.errors import DataError, MissingPackageError


def read_excel(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the rows of the first sheet; numbers and dates are text, as they would be in CSV."""
    try:
        import openpyxl
    except ImportError:
        raise MissingPackageError("openpyxl", "reading Excel files", "excel") from None
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except Exception as error:
        raise DataError(f"{path}: cannot be read as an Excel file ({error}); expected .xlsx") from None
    try:
        yield from named_rows(path, _rows(book.worksheets[0]))
    finally:
        book.close()


def _rows(sheet: Any) -> Iterator[Row]:
    """Yield the rows that hold anything, as wide as the first one up to its last cell that holds anything."""
    width = 0
    for line, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        row = [_cell(value) for value in values]
        used = max((place for place, cell in enumerate(row, start=1) if cell.strip()), default=0)
        width = width or used
        if used > width:
            yield line, f"expected {width} cells as in the header, found {used}; name every column"
        elif used:
            yield line, (row + [""] * width)[:width]


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return value.isoformat() if isinstance(value, datetime.date | datetime.time) else str(value)
