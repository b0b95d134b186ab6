"""JSON: one object a line, a list of objects, an object of columns, or objects one after another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from truetune.data.encoding import text_of
from truetune.data.formats.annotations import plain_fields
from truetune.data.record import Record
from truetune.errors import DataError

_ROWS = ("data", "examples", "rows", "records", "items")
"""Keys under which an object of its own holds the list of examples."""


def read_jsonl(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield one object a line; empty lines are passed over."""
    for number, line in enumerate(text_of(path, encoding).split("\n"), start=1):
        if line.strip():
            yield _line(f"{path}:{number}", line)


def read_json(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the objects of a JSON file in any of its usual shapes."""
    text = text_of(path, encoding)
    if not text.strip():
        raise DataError(f"{path}: is empty; expected JSON objects, one an example")
    decoder = json.JSONDecoder()
    place = _next(text, 0)
    first = True
    while place < len(text):
        line = text.count("\n", 0, place) + 1
        try:
            value, end = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            yield Record(f"{path}:{error.lineno}", {}, f"is no JSON ({error.msg} at column {error.colno})")
            return
        place = _next(text, end)
        if first and place >= len(text):
            yield from _whole(path, value)
            return
        yield _object(f"{path}:{line}", value)
        first = False


def _whole(path: Path, value: Any) -> Iterator[Record]:
    if isinstance(value, Mapping):
        rows = next((value[key] for key in _ROWS if isinstance(value.get(key), list)), None)
        if rows is None and value and all(isinstance(column, list) for column in value.values()):
            lengths = {len(column) for column in value.values()}
            if len(lengths) > 1:
                raise DataError(f"{path}: columns have {sorted(lengths)} values; expected as many in each")
            rows = [dict(zip(value, row, strict=True)) for row in zip(*value.values(), strict=True)]
        value = [value] if rows is None else rows
    if not isinstance(value, list):
        raise DataError(f"{path}: holds one {type(value).__name__}; expected a list of objects, one an example")
    for number, item in enumerate(value, start=1):
        yield _object(f"{path}[{number}]", item)


def _line(where: str, line: str) -> Record:
    try:
        return _object(where, json.loads(line))
    except json.JSONDecodeError as error:
        return Record(where, {}, f"is no JSON ({error.msg} at column {error.colno}); expected one object a line")


def _object(where: str, value: Any) -> Record:
    if not isinstance(value, Mapping):
        return Record(where, {}, f"expected an object, found {type(value).__name__}")
    try:
        return Record(where, plain_fields(value))
    except ValueError as error:
        return Record(where, {}, str(error))


def _next(text: str, place: int) -> int:
    while place < len(text) and text[place] in " \t\n\r,":
        place += 1
    return place
