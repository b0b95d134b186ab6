"""JSON: one object a line, a list of objects, an object of columns, or objects one after another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from truetune.data.encoding import opened, text_of
from truetune.data.formats.annotations import plain_fields
from truetune.data.formats.squad import is_article, questions
from truetune.data.record import Record
from truetune.errors import DataError

_ROWS = ("data", "examples", "rows", "records", "items")
"""Keys under which an object of its own holds the list of examples."""
_BETWEEN = " \t\n\r,"
_decoded = json.JSONDecoder().decode


def read_jsonl(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield one object a line; empty lines are passed over."""
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _line(f"{path}:{number}", line)


def read_json(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the objects of a JSON file in any of its usual shapes; SQuAD's articles give their questions."""
    text = text_of(path, encoding)
    start = _beyond(text, 0)
    if start == len(text):
        raise DataError(f"{path}: is empty; expected JSON objects, one an example")
    if text[start] == "[":
        yield from _sequence(path, text, start + 1, closed=True)
        return
    try:
        value, end = json.JSONDecoder().raw_decode(text, start)
    except json.JSONDecodeError as error:
        yield _broken(path, error)
        return
    if _beyond(text, end) == len(text):
        yield from _whole(path, value)
    else:
        yield from _sequence(path, text, start, closed=False)


def _sequence(path: Path, text: str, place: int, *, closed: bool) -> Iterator[Record]:
    """Yield the values from `place` on, up to the bracket that closes the list, or to the end of the file."""
    decoder = json.JSONDecoder()
    line, counted, number = 1, 0, 0
    while (place := _beyond(text, place)) < len(text):
        if closed and text[place] == "]":
            if _beyond(text, place + 1) < len(text):
                line += text.count("\n", counted, place)
                yield Record(f"{path}:{line}", {}, "holds something behind the end of the list; expected one list")
            return
        lines = text.count("\n", counted, place)
        line, counted, number = line + lines, place, number + 1
        # A line of several values does not say which of them is meant.
        which = f"[{number}]" if number > 1 and not lines else ""
        try:
            value, place = decoder.raw_decode(text, place)
        except json.JSONDecodeError as error:
            yield _broken(path, error)
            return
        yield from _objects(f"{path}:{line}{which}", value)
    if closed:
        yield Record(f"{path}:{line}", {}, "ends within the list; expected ]. Is the file complete?")


def _whole(path: Path, value: Any) -> Iterator[Record]:
    """Yield the examples of one value that is the whole file."""
    if not isinstance(value, Mapping):
        raise DataError(f"{path}: holds one {type(value).__name__}; expected a list of objects, one an example")
    rows = next((value[key] for key in _ROWS if isinstance(value.get(key), list)), None)
    if rows is not None and any(isinstance(row, Mapping) for row in rows):
        for number, row in enumerate(rows, start=1):
            yield from _objects(f"{path}[{number}]", row)
    elif value and all(isinstance(column, list) for column in value.values()):
        lengths = {name: len(column) for name, column in value.items()}
        if len(set(lengths.values())) > 1:
            told = ", ".join(f"{name} {length:,}" for name, length in lengths.items())
            raise DataError(f"{path}: columns have different numbers of values ({told}); expected as many in each")
        for number, cells in enumerate(zip(*value.values(), strict=True), start=1):
            yield from _objects(f"{path}[{number}]", dict(zip(value, cells, strict=True)))
    else:
        yield from _objects(f"{path}:1", value)


def _line(where: str, line: str) -> Record:
    try:
        value = _decoded(line)
    except json.JSONDecodeError as error:
        return Record(where, {}, f"is no JSON ({error.msg} at column {error.colno}); expected one object a line")
    return _object(where, value)


def _objects(where: str, value: Any) -> Iterator[Record]:
    if is_article(value):
        yield from questions(where, value)
    else:
        yield _object(where, value)


def _object(where: str, value: Any) -> Record:
    if not isinstance(value, dict):
        return Record(where, {}, f"expected an object, found {type(value).__name__}")
    try:
        return Record(where, plain_fields(value))
    except ValueError as error:
        return Record(where, {}, str(error))


def _broken(path: Path, error: json.JSONDecodeError) -> Record:
    return Record(f"{path}:{error.lineno}", {}, f"is no JSON ({error.msg} at column {error.colno})")


def _beyond(text: str, place: int) -> int:
    """Return the place of the next character that is neither white space nor a comma."""
    while place < len(text) and text[place] in _BETWEEN:
        place += 1
    return place
