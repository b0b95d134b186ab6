"""JSON: one object a line, a list of objects, an object of columns, or objects one after another."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from truetune.data.encoding import opened
from truetune.data.formats.annotations import plain_fields
from truetune.data.formats.json_stream import BrokenJsonError, JsonStream
from truetune.data.formats.squad import is_article, questions
from truetune.data.record import Record
from truetune.errors import DataError

_ROWS = ("data", "examples", "rows", "records", "items")
"""Keys under which an object of its own holds the list of examples."""
_decoded = json.JSONDecoder().decode


def read_jsonl(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield one object a line; empty lines are passed over."""
    with opened(path, encoding) as file:
        for number, line in enumerate(file, start=1):
            if line.strip():
                yield _line(f"{path}:{number}", line)


def read_json(path: Path, encoding: str | None) -> Iterator[Record]:
    """Yield the objects of a JSON file in any of its usual shapes; SQuAD's articles give their questions.

    Lists and objects one after another are read one by one; an object that holds everything is read whole.
    """
    with opened(path, encoding) as file:
        stream = JsonStream(file)
        first = stream.next_character()
        if not first:
            raise DataError(f"{path}: is empty; expected JSON objects, one an example")
        if first == "[":
            stream.skip()
            yield from _sequence(path, stream, closed=True)
            return
        line = stream.line()
        try:
            value = stream.value()
        except BrokenJsonError as error:
            yield Record(f"{path}:{error.line}", {}, str(error))
            return
        if not stream.next_character():
            yield from _whole(path, value)
        else:
            yield from _objects(f"{path}:{line}", value)
            yield from _sequence(path, stream, closed=False, line=line, number=1)


def _sequence(path: Path, stream: JsonStream, *, closed: bool, line: int = 1, number: int = 0) -> Iterator[Record]:
    """Yield the values that come next, up to the bracket that closes the list, or to the end of the file.

    `number` values came before, the last of them in `line`.
    """
    while first := stream.next_character():
        before, line = line, stream.line()
        if closed and first == "]":
            stream.skip()
            if stream.next_character():
                yield Record(f"{path}:{line}", {}, "holds something behind the end of the list; expected one list")
            return
        number += 1
        # A line of several values does not say which of them is meant.
        which = f"[{number}]" if number > 1 and line == before else ""
        try:
            value = stream.value()
        except BrokenJsonError as error:
            yield Record(f"{path}:{error.line}", {}, str(error))
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
    except (RecursionError, ValueError) as error:  # values too deep in each other, numbers of thousands of digits
        return Record(where, {}, f"is no JSON that can be read ({error})")
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
