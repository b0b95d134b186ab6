"""Gold and predictions of one or several systems, joined by id: files, lists, or a run's table.

A missing or doubled id is an error that names it, never a silent zip.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from truetune.data.parse import Columns, Field, chosen_field, parsed
from truetune.data.record import Record
from truetune.errors import DataError, nearest
from truetune.evaluation.beside import one_file, other_texts
from truetune.evaluation.derived import NAMES as DERIVED
from truetune.evaluation.derived import derived
from truetune.evaluation.families import Fields
from truetune.tasks.base import Scoring
from truetune.types import Finding, Ints

Source = str | Path | Sequence[Any]
"""A file, or a list with one value an example in the form that the files have."""

NO_GROUPS = "none"
"""What `--group none` says: examples are independent although the files have a `group` column."""


@dataclass(frozen=True)
class Aligned:
    """Gold and the predictions of several systems, example by example."""

    ids: Sequence[str]
    gold: Fields
    systems: Mapping[str, Fields]
    groups: Ints | None
    others: Mapping[str, list[Any]]
    warnings: tuple[str, ...] = field(default=())
    findings: tuple[Finding, ...] = field(default=())
    """What is wrong with where the table comes from; the doctor adds what it sees in it."""

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def predicted(self) -> Fields:
        """The predictions of the only, or the first, system."""
        return next(iter(self.systems.values()))

    def column(self, name: str) -> list[Any]:
        """Return a column of gold, or one derived from its texts (`length`, `language`).

        Raises `DataError` with the nearest names for an unknown one.
        """
        if name in self.gold:
            return list(self.gold[name])
        if name in self.others:
            return list(self.others[name])
        found = derived(name, {**self.others, **self.gold})
        if found is None:
            raise DataError(f"gold has no column {name!r}; {nearest(name, (*self.gold, *self.others, *DERIVED))}")
        return found


def aligned(
    scoring: Scoring, gold: Source, systems: Mapping[str, Source], group: str | Sequence[Any] | None = None
) -> Aligned:
    """Read gold and each system's predictions, and join them by id.

    `group` names the column of gold that groups examples (default: `group` where it is there; `none` for
    none), or holds one group an example. Raises `DataError` with all problems listed.
    """
    right = read_part(gold, scoring.gold, "gold")
    order = {name: position for position, name in enumerate(right.ids)}
    columns, findings = {}, []
    for name, source in systems.items():
        said = read_part(source, scoring.predicted, name)
        places = _places(said, right, order)
        columns[name] = _in_order(said.fields, places)
        findings += [
            *one_file(gold, source, right.fields.keys() & said.fields.keys()),
            *other_texts(right, said, places),
        ]
    groups = group_names(right, group)
    codes = None if groups is None else group_codes(groups)
    return Aligned(right.ids, right.fields, columns, codes, dict(right.others), findings=tuple(findings))


def aligned_columns(
    scoring: Scoring,
    ids: Sequence[str],
    gold: Mapping[str, Sequence[Any]],
    systems: Mapping[str, Mapping[str, Sequence[Any]]],
    groups: Sequence[str] | None = None,
) -> Aligned:
    """Return columns that are in the same order already, read as the task's files would be."""
    right = parsed(_records(ids, gold), scoring.gold, "gold")
    said = {name: parsed(_records(ids, columns), scoring.predicted, name).fields for name, columns in systems.items()}
    codes = None if groups is None else group_codes(groups)
    return Aligned(right.ids, right.fields, said, codes, right.others)


def with_derived(scoring: Scoring, predicted: Mapping[str, Sequence[Any]]) -> dict[str, Sequence[Any]]:
    """Return predicted columns with those that the task's files derive of them: label and spans as one frame."""
    found = dict(predicted)
    for fields in scoring.predicted:
        if not all(one.name in predicted for one in fields if one.derive is None and one.required):
            continue
        rows = [dict(zip(predicted, row, strict=True)) for row in zip(*predicted.values(), strict=True)]
        for one in fields:
            if one.derive is not None and one.name not in found:
                found[one.name] = [one.derive(row) for row in rows]
    return found


def _records(ids: Sequence[str], columns: Mapping[str, Sequence[Any]]) -> Iterable[Record]:
    names = list(columns)
    for place, (one, *values) in enumerate(zip(ids, *columns.values(), strict=True)):
        fields = {name: value for name, value in zip(names, values, strict=True) if value is not None}
        yield Record(f"example {place}", {"id": one, **fields})


def group_codes(groups: Sequence[Any]) -> Ints:
    """Return groups as numbers from 0, in the order of their names: the order of examples changes nothing."""
    names = [str(value) for value in groups]
    codes = {name: code for code, name in enumerate(sorted(set(names)))}
    return np.array([codes[name] for name in names], dtype=np.int64)


def read_part(source: Source, alternatives: Sequence[Sequence[Field]], name: str) -> Columns:
    """Read one side: a file, or a list of records or of bare values."""
    if isinstance(source, str | Path):
        from truetune.data.read import read

        return parsed(read(source), alternatives, str(source))
    records = (Record(f"{name}[{place}]", item) for place, item in enumerate(as_records(source, alternatives, name)))
    return parsed(records, alternatives, name)


def as_records(source: Sequence[Any], alternatives: Sequence[Sequence[Field]], name: str) -> Sequence[Any]:
    """Return a list of records as it is, and one of bare values as records of the one field that they are."""
    items = source.tolist() if hasattr(source, "tolist") else list(source)
    names = {name for fields in alternatives for field in fields for name in field.names}
    if items and not (isinstance(items[0], Mapping) and names & set(items[0])):
        single = chosen_field(items, alternatives, name)
        items = [{single: item} for item in items]
    return items


def _places(said: Columns, right: Columns, order: Mapping[str, int]) -> Sequence[int]:
    """Return where in `said` each example of `right` stands; raises `DataError` for ids on one side only."""
    if list(said.ids) == list(right.ids):
        return range(len(said))
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
    return [place[name] for name in right.ids]


def _in_order(fields: Mapping[str, list[Any]], places: Sequence[int]) -> dict[str, list[Any]]:
    if isinstance(places, range):
        return dict(fields)
    return {name: [column[place] for place in places] for name, column in fields.items()}


def group_names(right: Columns, group: str | Sequence[Any] | None) -> list[Any] | None:
    """Return the group of each example, None where examples stand for themselves; see `aligned`."""
    others = right.others
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
    return list(values)
