"""Records to typed columns: fields are read, ids given or checked, all problems listed together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from truetune.data.record import Record
from truetune.errors import DataError, nearest
from truetune.types import Span

LOOKED_AT = 1000
"""Records from which the columns of a source are known."""
LABELLED = ("label", "labels", "spans")
"""Fields that hold labels."""


@dataclass(frozen=True)
class Field:
    """One field of a file: its name and how its raw value is read.

    `parse` takes what JSON, CSV or a Python list holds and returns the typed value; it raises ValueError
    with "expected ..., found ..." for anything else, and the reader adds file, line and field.
    `derive`, instead of `parse`, makes the field from the other fields of the same record.
    """

    name: str
    parse: Callable[[object], Any] | None = None
    derive: Callable[[Mapping[str, Any]], Any] | None = None
    required: bool = True


@dataclass
class Columns:
    """Typed columns of records, in their order."""

    where: str
    ids: list[str] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    fields: dict[str, list[Any]] = field(default_factory=dict)
    others: dict[str, list[Any]] = field(default_factory=dict)
    """Columns that are no field of the task (groups, slices), as the file has them."""

    def __len__(self) -> int:
        return len(self.ids)


def parsed(
    records: Iterable[Record],
    alternatives: Sequence[Sequence[Field]],
    where: str,
    *,
    renamed: Mapping[str, str] | None = None,
    limit: int | None = None,
    labels: Sequence[str] | None = None,
) -> Columns:
    """Return the columns of all records.

    The first of `alternatives` whose required fields the file has decides what is read; `renamed` maps a
    field to the column of the file. An id is the record's `id`, else its number. Raises `DataError` that
    lists every problem: unreadable records, bad values, labels (and types of spans) other than `labels` where
    those are given, missing and doubled ids, optional fields that only some records have.
    """
    rows: Iterator[Record] = islice(records, limit)
    first = list(islice(rows, LOOKED_AT))
    if not first:
        raise DataError(f"{where}: holds no example; expected one a line")
    if renamed:
        _check_renamed(first, renamed, where)
        first = [_renamed(record, renamed) for record in first]
        rows = (_renamed(record, renamed) for record in rows)
    there = list(dict.fromkeys(name for record in first for name in record.fields))
    if not there:
        raise DataError(f"{where}: no example can be read", [_told(record) for record in first])
    fields = _alternative(there, alternatives, where)
    return _Reading(where, fields, there, labels).columns(chain(first, rows))


def chosen_field(items: Sequence[Any], alternatives: Sequence[Sequence[Field]], where: str) -> str:
    """Return the field that bare values of a list are: the one required field of the first alternative that fits."""
    single = [one for fields in alternatives if len(one := [f for f in fields if f.required and f.parse]) == 1]
    candidates = [one[0] for one in single]
    for candidate in candidates:
        assert candidate.parse is not None
        try:
            if items:
                candidate.parse(items[0])
        except ValueError:
            continue
        return candidate.name
    wanted = " or ".join(f"`{candidate.name}`" for candidate in candidates) or "records with the task's fields"
    raise DataError(f"{where}: the first value is {items[0]!r}; expected {wanted}")


def _check_renamed(first: Sequence[Record], renamed: Mapping[str, str], where: str) -> None:
    there = {str(name) for record in first for name in record.fields}
    for name, column in renamed.items():
        if there and column not in there:
            raise DataError(
                f"{where}: no column {column!r}, which data.columns gives for `{name}`; {nearest(column, there)}"
            )


def _renamed(record: Record, renamed: Mapping[str, str]) -> Record:
    """Return a record whose columns have the names of fields; a column that a field's name hides is dropped."""
    taken = {column: name for name, column in renamed.items()}
    fields = {name: value for name, value in record.fields.items() if name not in renamed and name not in taken}
    fields |= {name: record.fields[column] for name, column in renamed.items() if column in record.fields}
    return record._replace(fields=fields)


def _alternative(there: Sequence[str], alternatives: Sequence[Sequence[Field]], where: str) -> Sequence[Field]:
    needed = [[one.name for one in fields if one.required and one.parse is not None] for fields in alternatives]
    for fields, names in zip(alternatives, needed, strict=True):
        if set(names) <= set(there):
            return fields
    if there == ["text"] and any(len(names) == 1 for names in needed):
        # Plain lines: the text is the one field that is asked for.
        return alternatives[next(place for place, names in enumerate(needed) if len(names) == 1)]
    wanted = " or ".join(" and ".join(f"`{name}`" for name in names) for names in needed)
    missing = next(name for name in needed[0] if name not in there)
    raise DataError(
        f"{where}: expected the columns {wanted}, found {', '.join(there)}; for `{missing}`: "
        f"{nearest(missing, there)} Rename it, or name its column under data.columns"
    )


class _Reading:
    """Reads records one by one and keeps the problems."""

    def __init__(self, where: str, fields: Sequence[Field], there: Sequence[str], labels: Sequence[str] | None) -> None:
        required = [one.name for one in fields if one.required and one.parse is not None]
        self.plain = required[0] if list(there) == ["text"] and required != ["text"] else ""
        self.read = [one for one in fields if one.parse is not None and (one.required or one.name in there)]
        self.derived = [one for one in fields if one.derive is not None]
        names = [one.name for one in (*self.read, *self.derived)]
        self.found = Columns(where, fields={name: [] for name in names})
        self.other_names = [name for name in there if name not in (*names, "id", self.plain and "text")]
        self.found.others = {name: [] for name in self.other_names}
        self.numbered = "id" not in there
        self.problems: list[str] = []
        self.absent: dict[str, list[str]] = {}
        self.labels = None if labels is None else frozenset(labels)

    def columns(self, records: Iterable[Record]) -> Columns:
        for number, record in enumerate(records, start=1):
            if record.problem:
                self.problems.append(_told(record))
            else:
                self._add(number, record)
        self.problems += self._half_there()
        self.problems += _doubled(self.found)
        if self.problems:
            number = len(self.problems)
            raise DataError(f"{self.found.where}: {number:,} problem{'s' * (number > 1)}", self.problems)
        return self.found

    def _add(self, number: int, record: Record) -> None:
        fields = {self.plain: record.fields["text"]} if self.plain else record.fields
        row: dict[str, Any] = {}
        sound = True
        for one in self.read:
            try:
                row[one.name] = self._value(one, fields, record.where)
            except ValueError as error:
                sound = False
                self.problems.append(f"{record.where}: `{one.name}`: {error}")
        if self.labels is not None:
            self.problems += [f"{record.where}: {told}" for told in unknown_labels(row, self.labels)]
        for one in self.derived if sound else ():
            assert one.derive is not None
            try:
                row[one.name] = one.derive(row)
            except ValueError as error:
                self.problems.append(f"{record.where}: {error}")
        given = record.fields.get("id")
        if not self.numbered and given in (None, ""):
            self.problems.append(f"{record.where}: `id` is missing; every example needs one, or none has one")
        self.found.ids.append(str(number) if self.numbered else str(given))
        self.found.places.append(record.where)
        for name, column in self.found.fields.items():
            column.append(row.get(name))
        for name, column in self.found.others.items():
            column.append(record.fields.get(name))

    def _value(self, one: Field, fields: Mapping[str, Any], where: str) -> Any:
        assert one.parse is not None
        if one.name in fields:
            return one.parse(fields[one.name])
        if one.required:
            raise ValueError("expected a value, found nothing")
        self.absent.setdefault(one.name, []).append(where)
        return None

    def _half_there(self) -> list[str]:
        """An optional field is in every record or in none: a metric over some examples only would mislead."""
        return [
            f"{places[0]}: `{name}` is missing here but not elsewhere ({len(places):,} such)"
            for name, places in self.absent.items()
        ]


def unknown_labels(row: Mapping[str, Any], known: Collection[str]) -> list[str]:
    """Return what is wrong with the label, the labels or the types of spans of an example, given the known ones."""
    found = []
    for name in LABELLED:
        value = row.get(name)
        for item in [value] if isinstance(value, str) else value or ():
            label = item.type if isinstance(item, Span) else item
            if label not in known:
                found.append(f"label {label!r} is not one of data.labels; {nearest(label, known)}")
    return found


def _told(record: Record) -> str:
    return f"{record.where}: {record.problem}"


def _doubled(found: Columns) -> list[str]:
    if len(set(found.ids)) == len(found.ids):
        return []
    first: dict[str, str] = {}
    told = []
    for name, place in zip(found.ids, found.places, strict=True):
        if name in first:
            told.append(f"{place}: id {name!r} stands already at {first[name]}")
        first.setdefault(name, place)
    return told
