"""Records to typed columns: fields are read, ids given or checked, all problems listed together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

import numpy as np

from truetune.data.record import Record
from truetune.errors import DataError, nearest
from truetune.types import Span

Renamed = Mapping[str, str | Sequence[str]]
"""Field -> column of the file, or several columns that are read as one text."""
LOOKED_AT = 1000
"""Records from which the columns of a source are known."""
LABELLED = ("label", "labels", "spans")
"""Fields that hold labels."""
AT_ONCE, CHARACTERS = 32_768, 1 << 24
"""How many records, and about how many characters of them, are in memory at a time where they are read in chunks."""
KEPT = 1000
"""Problems that are kept; of more they are only counted."""


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
    instead: Field | None = None
    """What a record may have in place of this field; its `parse` returns a value of this one."""

    @property
    def names(self) -> tuple[str, ...]:
        """The columns that a record may have it in."""
        return (self.name,) if self.instead is None else (self.name, self.instead.name)


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
    renamed: Renamed | None = None,
    limit: int | None = None,
    labels: Sequence[str] | None = None,
) -> Columns:
    """Return the columns of all records, in memory; see `reading`."""
    found = reading(islice(records, limit), alternatives, where, renamed=renamed, labels=labels)
    (columns,) = found.chunks(None)
    found.check(columns.ids, columns.places)
    return columns


def reading(
    records: Iterable[Record],
    alternatives: Sequence[Sequence[Field]],
    where: str,
    *,
    renamed: Renamed | None = None,
    labels: Sequence[str] | None = None,
) -> Reading:
    """Begin to read records.

    The first of `alternatives` whose required fields the file has decides what is read; `renamed` maps a
    field to the column of the file, or to several that become one text (`together`). An id is the record's `id`, else
    its number. `labels` are those that examples and types of spans may have. Raises `DataError` where there
    is no record, or none of the alternatives fits.
    """
    rows: Iterator[Record] = iter(records)
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
    fields = _alternative(there, alternatives, where, configured=renamed is not None)
    return Reading(chain(first, rows), where, fields, there, labels)


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


def together(values: Sequence[object]) -> object:
    """Return texts as one, each on a line of its own, without the empty and the absent ones.

    Where one is no text, that one is returned, for the field to refuse it.
    """
    texts = []
    for value in values:
        if value is None:
            continue
        if not isinstance(value, str):
            return value
        texts.append(value)
    return "\n".join(text for text in texts if text.strip())


def renamed_fields(fields: Mapping[str, Any], renamed: Renamed) -> dict[str, Any]:
    """Return columns under the names of fields; a column that a field's name hides is dropped."""
    columns = {name: [one] if isinstance(one, str) else list(one) for name, one in renamed.items()}
    taken = {column for several in columns.values() for column in several}
    found = {name: value for name, value in fields.items() if name not in renamed and name not in taken}
    for name, several in columns.items():
        values = [fields[column] for column in several if column in fields]
        if values:
            found[name] = values[0] if isinstance(renamed[name], str) else together(values)
    return found


def _check_renamed(first: Sequence[Record], renamed: Renamed, where: str) -> None:
    there = {str(name) for record in first for name in record.fields}
    for name, columns in renamed.items():
        for column in [columns] if isinstance(columns, str) else columns:
            if there and column not in there:
                raise DataError(
                    f"{where}: no column {column!r}, which data.columns gives for `{name}`; {nearest(column, there)}"
                )


def _renamed(record: Record, renamed: Renamed) -> Record:
    return record._replace(fields=renamed_fields(record.fields, renamed))


def _alternative(
    there: Sequence[str], alternatives: Sequence[Sequence[Field]], where: str, configured: bool
) -> Sequence[Field]:
    needed = [[one.names for one in fields if one.required and one.parse is not None] for fields in alternatives]
    for fields, columns in zip(alternatives, needed, strict=True):
        if all(any(name in there for name in names) for names in columns):
            return fields
    if there == ["text"] and any(len(columns) == 1 for columns in needed):
        # Plain lines: the text is the one field that is asked for.
        return alternatives[next(place for place, columns in enumerate(needed) if len(columns) == 1)]
    wanted = " or ".join(" and ".join(_either(names) for names in columns) for columns in needed)
    missing = next(names for names in needed[0] if not any(name in there for name in names))
    raise DataError(
        f"{where}: expected the columns {wanted}, found {', '.join(there)}. Rename the column of "
        f"{_either(missing)}{', or name it under data.columns' if configured else ''}; {nearest(missing[0], there)}"
    )


def _either(names: Sequence[str]) -> str:
    return " or ".join(f"`{name}`" for name in names)


class Reading:
    """Records on the way to columns, some at a time; problems are kept until all have been read."""

    def __init__(
        self,
        records: Iterable[Record],
        where: str,
        fields: Sequence[Field],
        there: Sequence[str],
        labels: Sequence[str] | None,
    ) -> None:
        required = [one.name for one in fields if one.required and one.parse is not None]
        self.where = where
        self._records = records
        self._plain = required[0] if list(there) == ["text"] and required != ["text"] else ""
        self._read = [one for one in fields if one.parse is not None and (one.required or one.name in there)]
        self._derived = [one for one in fields if one.derive is not None]
        self.fields = [one.name for one in (*self._read, *self._derived)]
        taken = {name for one in (*self._read, *self._derived) for name in one.names}
        self.others = [name for name in there if name not in (*taken, "id", self._plain and "text")]
        self.numbered = "id" not in there
        """Whether ids are the numbers of the records, because these have none of their own."""
        self._labels = None if labels is None else frozenset(labels)
        self._problems = _Problems()
        self._absent: dict[str, tuple[str, int]] = {}

    def chunks(self, examples: int | None = AT_ONCE) -> Iterator[Columns]:
        """Yield the columns of at most so many records at a time (None: of all), or of a few very long ones.

        A record with a problem has None for the field that is wrong; one that could not be read is left out.
        """
        found = self._none()
        size = 0
        for number, record in enumerate(self._records, start=1):
            if record.problem:
                self._problems.add(_told(record))
                continue
            size += self._add(found, number, record)
            if examples is not None and (len(found) >= examples or size >= CHARACTERS):
                yield found
                found, size = self._none(), 0
        if len(found) or examples is None:
            yield found

    def check(self, ids: Sequence[str], places: Sequence[str]) -> None:
        """Raise `DataError` that lists every problem of the records that were read, whose ids and places these are.

        Problems are unreadable records, bad values, labels that are not known, missing and doubled ids, and
        optional fields that only some records have.
        """
        for name, (place, number) in self._absent.items():
            # A metric over some examples only would mislead.
            self._problems.add(f"{place}: `{name}` is missing here but not elsewhere ({number:,} such)")
        pairs = [] if self.numbered else doubled(ids)
        for before, again in pairs[:KEPT]:
            self._problems.add(f"{places[again]}: id {ids[again]!r} stands already at {places[before]}")
        self._problems.number += len(pairs[KEPT:])
        number = self._problems.number
        if number:
            plural = "s" * (number > 1)
            raise DataError(f"{self.where}: {number:,} problem{plural}", self._problems.first, number)

    def _none(self) -> Columns:
        columns = Columns(self.where)
        columns.fields = {name: [] for name in self.fields}
        columns.others = {name: [] for name in self.others}
        return columns

    def _add(self, found: Columns, number: int, record: Record) -> int:
        """Add a record to columns, and return how many characters it has."""
        fields = {self._plain: record.fields["text"]} if self._plain else record.fields
        row: dict[str, Any] = {}
        sound = True
        for one in self._read:
            try:
                row[one.name] = self._value(one, fields, record.where)
            except ValueError as error:
                sound = False
                self._problems.add(f"{record.where}: `{one.name}`: {error}")
        if self._labels is not None:
            for told in unknown_labels(row, self._labels):
                self._problems.add(f"{record.where}: {told}")
        for one in self._derived if sound else ():
            assert one.derive is not None
            try:
                row[one.name] = one.derive(row)
            except ValueError as error:
                self._problems.add(f"{record.where}: {error}")
        given = record.fields.get("id")
        if not self.numbered and given in (None, ""):
            self._problems.add(f"{record.where}: `id` is missing; every example needs one, or none has one")
        found.ids.append(str(number) if self.numbered else str(given))
        found.places.append(record.where)
        for name, column in found.fields.items():
            column.append(row.get(name))
        for name, column in found.others.items():
            column.append(record.fields.get(name))
        return sum(len(value) for value in record.fields.values() if isinstance(value, str | list))

    def _value(self, one: Field, fields: Mapping[str, Any], where: str) -> Any:
        assert one.parse is not None
        other = one.instead
        if other is not None and other.parse and other.name in fields and fields.get(one.name) in (None, ""):
            return other.parse(fields[other.name])
        if one.name in fields:
            return one.parse(fields[one.name])
        if one.required:
            raise ValueError(f"expected {_either(one.names) if other else 'a value'}, found nothing")
        first, number = self._absent.get(one.name, (where, 0))
        self._absent[one.name] = first, number + 1
        return None


class _Problems:
    """The first problems, and how many there are."""

    def __init__(self) -> None:
        self.first: list[str] = []
        self.number = 0

    def add(self, told: str) -> None:
        self.number += 1
        if self.number <= KEPT:
            self.first.append(told)


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


def doubled(ids: Sequence[str]) -> list[tuple[int, int]]:
    """Return the first place and the place of each id that stands already before; 8 bytes of each id are in memory."""
    hashes = np.fromiter(map(hash, ids), dtype=np.int64, count=len(ids))
    values, counts = np.unique(hashes, return_counts=True)
    if len(values) == len(hashes):
        return []
    first: dict[str, int] = {}
    again = []
    for place in np.flatnonzero(np.isin(hashes, values[counts > 1])).tolist():
        before = first.setdefault(ids[place], place)
        if before != place:
            again.append((before, place))
    return again


def _told(record: Record) -> str:
    return f"{record.where}: {record.problem}"
