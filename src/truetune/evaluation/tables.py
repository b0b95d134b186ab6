"""Gold and predictions of one or several systems, joined by id: files, lists, or a run's table.

A missing or doubled id is an error that names it, never a silent zip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from truetune.errors import DataError, nearest
from truetune.evaluation.families import Columns
from truetune.tasks.base import Field, Scoring
from truetune.types import Ints

Source = str | Path | Sequence[Any]
"""A file, or a list with one value an example in the form that the files have."""

NO_GROUPS = "none"
"""What `--group none` says: examples are independent although the files have a `group` column."""


@dataclass(frozen=True)
class Part:
    """One side of an evaluation: gold, or what one system predicted."""

    where: str
    ids: Sequence[str]
    fields: dict[str, list[Any]]
    others: Mapping[str, list[Any]]
    """Columns that are no field of the task: groups, slices."""


@dataclass(frozen=True)
class Aligned:
    """Gold and the predictions of several systems, example by example."""

    ids: Sequence[str]
    gold: Columns
    systems: Mapping[str, Columns]
    groups: Ints | None
    others: Mapping[str, list[Any]]
    warnings: tuple[str, ...] = field(default=())

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def predicted(self) -> Columns:
        """The predictions of the only, or the first, system."""
        return next(iter(self.systems.values()))

    def column(self, name: str) -> list[Any]:
        """Return a column of gold; raises `DataError` with the nearest names for an unknown one."""
        if name in self.gold:
            return list(self.gold[name])
        if name not in self.others:
            raise DataError(f"gold has no column {name!r}; {nearest(name, (*self.gold, *self.others))}")
        return list(self.others[name])


def aligned(
    scoring: Scoring, gold: Source, systems: Mapping[str, Source], group: str | Sequence[Any] | None = None
) -> Aligned:
    """Read gold and each system's predictions, and join them by id.

    `group` names the column of gold that groups examples (default: `group` where it is there; `none` for
    none), or holds one group an example. Raises `DataError` with all problems listed.
    """
    right = read_part(gold, scoring.gold, "gold")
    order = {name: position for position, name in enumerate(right.ids)}
    columns = {}
    for name, source in systems.items():
        said = read_part(source, scoring.predicted, name)
        columns[name] = _in_order(said, right, order)
    others = dict(right.others)
    return Aligned(right.ids, right.fields, columns, _groups(right, others, group), others)


def read_part(source: Source, alternatives: Sequence[Sequence[Field]], name: str) -> Part:
    """Read one side: the first alternative whose required fields are there decides what is read."""
    if isinstance(source, str | Path):
        from truetune.data.read import read

        where = str(source)
        records = [(record.where, record.fields) for record in read(where)]
    else:
        where = name
        records = list(_listed(source, alternatives, name))
    if not records:
        raise DataError(f"{where}: holds no example; expected one a line")
    fields = _alternative(records, alternatives, where)
    return _parsed(records, fields, where)


def _listed(
    values: Sequence[Any], alternatives: Sequence[Sequence[Field]], name: str
) -> Iterable[tuple[str, Mapping[str, Any]]]:
    """Yield list items as records: mappings with a field of the task as they are, other values by themselves."""
    items = values.tolist() if hasattr(values, "tolist") else list(values)
    names = {field.name for fields in alternatives for field in fields}
    if items and isinstance(items[0], Mapping) and names & set(items[0]):
        return ((f"{name}[{place}]", item) for place, item in enumerate(items))
    single = _single_field(items, alternatives, name)
    return ((f"{name}[{place}]", {single: item}) for place, item in enumerate(items))


def _single_field(items: Sequence[Any], alternatives: Sequence[Sequence[Field]], name: str) -> str:
    """Return the field that bare list values are: of an alternative with one required field that parses the first."""
    candidates = []
    for fields in alternatives:
        required = [field for field in fields if field.required and field.parse is not None]
        if len(required) == 1:
            candidates.append(required[0])
    for candidate in candidates:
        assert candidate.parse is not None
        try:
            if items:
                candidate.parse(items[0])
        except ValueError:
            continue
        return candidate.name
    wanted = " or ".join(f"`{candidate.name}`" for candidate in candidates) or "records with the task's fields"
    raise DataError(f"{name}: the first value is {items[0]!r}; expected {wanted}")


def _alternative(
    records: Sequence[tuple[str, Mapping[str, Any]]], alternatives: Sequence[Sequence[Field]], where: str
) -> Sequence[Field]:
    there = {name for _, fields in records[:1000] for name in fields}
    for fields in alternatives:
        if all(field.name in there for field in fields if field.required and field.parse is not None):
            return fields
    wanted = " or ".join(
        " and ".join(f"`{field.name}`" for field in fields if field.required and field.parse is not None)
        for fields in alternatives
    )
    missing = next(field.name for field in alternatives[0] if field.required and field.name not in there)
    raise DataError(
        f"{where}: expected the columns {wanted}, found {', '.join(sorted(there))}; "
        f"for `{missing}`, {nearest(missing, there)} Rename the column"
    )


def _parsed(records: Sequence[tuple[str, Mapping[str, Any]]], fields: Sequence[Field], where: str) -> Part:
    problems: list[str] = []
    there = {name for _, record in records for name in record}
    read_fields = [field for field in fields if field.parse is not None and (field.required or field.name in there)]
    derived = [field for field in fields if field.derive is not None]
    columns: dict[str, list[Any]] = {field.name: [] for field in (*read_fields, *derived)}
    ids: list[str] = []
    numbered = not any("id" in record for _, record in records[:1])
    for number, (place, record) in enumerate(records, start=1):
        row: dict[str, Any] = {}
        for one in read_fields:
            assert one.parse is not None
            try:
                if one.name not in record and one.required:
                    raise ValueError("expected a value, found nothing")
                row[one.name] = one.parse(record[one.name]) if one.name in record else None
            except ValueError as error:
                problems.append(f"{place}: `{one.name}`: {error}")
        try:
            if len(row) == len(read_fields):
                row |= {one.name: one.derive(row) for one in derived if one.derive is not None}
        except ValueError as error:
            problems.append(f"{place}: {error}")
        for name, column in columns.items():
            column.append(row.get(name))
        given = record.get("id")
        if not numbered and given in (None, ""):
            problems.append(f"{place}: `id` is missing; every example needs one, or none has one")
        ids.append(str(number) if numbered else str(given))
    problems += _half_there(columns, read_fields, records)
    problems += _doubled(ids, records)
    if problems:
        raise DataError(f"{where}: {len(problems):,} problems", problems)
    names = [name for name in there if name not in columns and name != "id"]
    others = {name: [record.get(name) for _, record in records] for name in names}
    return Part(where, ids, columns, others)


def _half_there(
    columns: Mapping[str, list[Any]], fields: Sequence[Field], records: Sequence[tuple[str, Mapping[str, Any]]]
) -> list[str]:
    """An optional field is in every record or in none: a metric over some examples only would mislead."""
    found = []
    for one in fields:
        empty = [place for place, value in enumerate(columns[one.name]) if value is None]
        if not one.required and empty:
            found.append(
                f"{records[empty[0]][0]}: `{one.name}` is missing here but not elsewhere ({len(empty):,} times)"
            )
    return found


def _doubled(ids: Sequence[str], records: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str]:
    if len(set(ids)) == len(ids):
        return []
    first: dict[str, str] = {}
    found = []
    for name, (place, _) in zip(ids, records, strict=True):
        if name in first:
            found.append(f"{place}: id {name!r} stands already at {first[name]}")
        first.setdefault(name, place)
    return found


def _in_order(said: Part, right: Part, order: Mapping[str, int]) -> dict[str, list[Any]]:
    if list(said.ids) == list(right.ids):
        return said.fields
    there = set(said.ids)
    missing = [name for name in right.ids if name not in there]
    unknown = [name for name in said.ids if name not in order]
    problems = [f"id {name!r} of gold has no prediction" for name in missing]
    problems += [f"id {name!r} is predicted but stands not in gold" for name in unknown]
    if problems:
        raise DataError(
            f"{said.where} does not fit {right.where}: {len(right.ids):,} gold, {len(said.ids):,} predicted, "
            f"{len(missing):,} without a prediction, {len(unknown):,} without gold",
            problems,
        )
    place = {name: position for position, name in enumerate(said.ids)}
    positions = [place[name] for name in right.ids]
    return {name: [column[position] for position in positions] for name, column in said.fields.items()}


def _groups(right: Part, others: dict[str, list[Any]], group: str | Sequence[Any] | None) -> Ints | None:
    if group == NO_GROUPS or (group is None and "group" not in others):
        return None
    if group is None or isinstance(group, str):
        name = group or "group"
        if name not in others and name not in right.fields:
            raise DataError(f"{right.where}: no column {name!r}; {nearest(name, others)}")
        values = others.get(name) or right.fields[name]
    else:
        values = list(group)
    if len(values) != len(right.ids):
        raise DataError(f"{len(values):,} groups were given for {len(right.ids):,} examples; expected one an example")
    empty = [place for place, value in enumerate(values) if value in (None, "")]
    if len(empty) == len(values) and group is None:
        return None
    if empty:
        raise DataError(
            f"{right.where}: example {right.ids[empty[0]]!r} has no group ({len(empty):,} such); give every example "
            "one, or use --group none"
        )
    codes: dict[str, int] = {}
    return np.array([codes.setdefault(str(value), len(codes)) for value in values], dtype=np.int64)
