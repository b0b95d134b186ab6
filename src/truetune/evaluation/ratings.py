"""Ratings of people, read from a file or a list: who gave which item which value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any

from truetune.data.record import Record
from truetune.errors import DataError, nearest
from truetune.evaluation.tables import NO_GROUPS, Source
from truetune.tasks.fields import as_label, as_number

LONG = ("item", "rater", "rating")
"""The columns of the long form: a line is one rating."""
BESIDE = ("id", "item", "group", "text")
"""Columns of the wide form that are no rater."""
LOOKED_AT = 1000


@dataclass(frozen=True)
class Rated:
    """Items with the rating of each rater, None where one gave none."""

    items: tuple[str, ...]
    raters: tuple[str, ...]
    ratings: tuple[tuple[Any, ...], ...]
    """`[items][raters]`"""
    groups: tuple[str, ...] | None = None


@dataclass
class _Line:
    where: str
    item: str
    group: Any
    given: dict[str, Any]


def rated(source: Source, scale: str, raters: Sequence[str] | None = None, group: str | None = None) -> Rated:
    """Return the ratings of a file or of records, in the long form (columns item, rater, rating) or the wide one.

    In the wide form a line is an item and every column is a rater, but for id, item, group and text; `raters`
    names the columns instead. A list may also hold one list of ratings an item. `group` names the column
    that groups items (default: `group` where it is there; `none` for none). Raises `DataError` with every
    problem listed: doubled items, two ratings of one rater, values that are no numbers where `scale` is
    `interval`.
    """
    if isinstance(source, str | Path):
        from truetune.data.read import read

        return _read(read(source), str(source), scale, raters, group)
    items = [_record(item, place) for place, item in enumerate(source)]
    return _read(
        (Record(f"ratings[{place}]", item) for place, item in enumerate(items)), "ratings", scale, raters, group
    )


def _record(item: Any, place: int) -> Mapping[str, Any]:
    if isinstance(item, Mapping):
        return item
    if isinstance(item, str) or not isinstance(item, Iterable):
        raise DataError(f"ratings[{place}]: expected a record or a list with one rating a rater, found {item!r}")
    return {f"rater {number}": rating for number, rating in enumerate(item, start=1)}


def _read(records: Iterable[Record], where: str, scale: str, raters: Sequence[str] | None, group: str | None) -> Rated:
    rows = iter(records)
    first = list(islice(rows, LOOKED_AT))
    there = list(dict.fromkeys(str(name) for record in first for name in record.fields))
    if not first:
        raise DataError(f"{where}: holds no rating")
    if group not in (None, NO_GROUPS) and group not in there:
        raise DataError(f"{where}: no column {group!r}; {nearest(group, there)}")
    by = None if group == NO_GROUPS else group or ("group" if "group" in there else None)
    long = raters is None and set(LONG) <= set(there)
    named = _raters(there, raters, by, where) if not long else ()
    problems: list[str] = []
    lines: dict[str, _Line] = {}
    for number, record in enumerate(chain(first, rows), start=1):
        try:
            line = _long(record, scale, by) if long else _wide(record, number, named, scale, by)
            _add(lines, line, joins=long)
        except ValueError as error:
            problems.append(f"{record.where}: {error}")
    if problems:
        raise DataError(f"{where}: {len(problems):,} problem{'s' * (len(problems) > 1)}", problems)
    names = named or tuple(sorted({rater for line in lines.values() for rater in line.given}))
    ratings = tuple(tuple(line.given.get(rater) for rater in names) for line in lines.values())
    groups = tuple(str(line.group) for line in lines.values()) if by is not None else None
    return Rated(tuple(lines), names, _as_numbers(ratings, scale), groups)


def _raters(there: Sequence[str], raters: Sequence[str] | None, by: str | None, where: str) -> tuple[str, ...]:
    named = tuple(raters) if raters is not None else tuple(name for name in there if name not in (*BESIDE, by))
    if raters is None and {"rater", "rating"} & set(there):
        missing = ", ".join(f"`{name}`" for name in LONG if name not in there)
        raise DataError(
            f"{where}: a line seems to be one rating, but {missing} is not among the columns {', '.join(there)}; "
            "rename the column, or name those of the raters with --raters (`raters` in Python)"
        )
    for name in named:
        if name not in there:
            raise DataError(f"{where}: no column {name!r} of a rater; {nearest(name, there)}")
    if len(named) < 2:
        raise DataError(
            f"{where}: expected the columns {', '.join(LONG)}, or one column for each of two or more raters; "
            f"found {', '.join(there) or 'none'}"
        )
    return named


def _long(record: Record, scale: str, by: str | None) -> _Line:
    _check(record)
    absent = [name for name in LONG if name not in record.fields]
    if absent:
        raise ValueError(f"`{absent[0]}` is missing")
    item, rater = as_label(record.fields["item"]), as_label(record.fields["rater"])
    value = _rating(record.fields["rating"], scale)
    return _Line(record.where, item, _group(record, by), {rater: value})


def _wide(record: Record, number: int, raters: Sequence[str], scale: str, by: str | None) -> _Line:
    _check(record)
    unknown = [name for name in record.fields if str(name).startswith("rater ") and name not in raters]
    if unknown:
        raise ValueError(f"{len(record.fields)} ratings; expected one of each of {len(raters)} raters, or None")
    item = record.fields.get("id", record.fields.get("item"))
    name = str(number) if item in (None, "") else as_label(item)
    given = {rater: _rating(record.fields.get(rater), scale) for rater in raters}
    return _Line(record.where, name, _group(record, by), given)


def _check(record: Record) -> None:
    if record.problem:
        raise ValueError(record.problem)


def _group(record: Record, by: str | None) -> Any:
    if by is None:
        return None
    value = record.fields.get(by)
    if value in (None, ""):
        raise ValueError(f"`{by}` is missing; give every item one, or use the group none")
    return value


def _rating(value: Any, scale: str) -> Any:
    if value is None or value == "" or (isinstance(value, float) and value != value):
        return None
    return as_number(value) if scale == "interval" else as_label(value)


def _add(lines: dict[str, _Line], line: _Line, joins: bool) -> None:
    known = lines.setdefault(line.item, line)
    if known is line:
        return
    if not joins:
        raise ValueError(f"item {line.item!r} stands already at {known.where}")
    if known.group != line.group:
        raise ValueError(f"item {line.item!r} is in group {line.group!r}, but in {known.group!r} at {known.where}")
    for rater, value in line.given.items():
        if rater in known.given:
            raise ValueError(f"rater {rater!r} rated item {line.item!r} twice")
        known.given[rater] = value


def _as_numbers(ratings: tuple[tuple[Any, ...], ...], scale: str) -> tuple[tuple[Any, ...], ...]:
    """Return ordinal ratings as numbers where all of them are: 10 stands above 9."""
    if scale != "ordinal":
        return ratings
    try:
        return tuple(tuple(None if one is None else float(one) for one in given) for given in ratings)
    except ValueError:
        return ratings
