"""Batches of examples: lists and arrays as a caller has them, read and checked as a file would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.data.parse import Field, parsed
from truetune.data.record import Record
from truetune.errors import DataError
from truetune.evaluation.beside import Apart, texts_apart
from truetune.evaluation.cells import Cell
from truetune.evaluation.families import Fields
from truetune.evaluation.tables import Aligned, as_records, group_names
from truetune.tasks.base import Scoring
from truetune.types import Ints


@dataclass(frozen=True)
class Batch:
    """Examples as typed columns, with the cell of each."""

    ids: Sequence[str]
    gold: Fields
    predicted: Fields
    others: Mapping[str, Sequence[Any]]
    """Columns of gold that are no field of the task."""
    cells: Sequence[Cell]
    """The distinct cells."""
    cell_of: Ints | None
    """`[examples]`, position in `cells`; None where there is one cell."""
    shape: Mapping[str, str]
    """What must be the same in every batch, in words."""
    apart: Apart
    """Predictions that stand beside another text than gold."""


@dataclass(frozen=True)
class Given:
    """What a caller gives of some examples, one item an example, in the same order."""

    ids: Sequence[Any]
    gold: Sequence[Any]
    predicted: Sequence[Any]
    scores: Sequence[Any] | None = None

    def __post_init__(self) -> None:
        for name in ("gold", "predicted", "scores"):
            check_length(len(self.ids), getattr(self, name), name)

    def records(self, scoring: Scoring) -> tuple[list[Record], list[Record]]:
        """Return gold and predicted as records with ids; raises `DataError` for another id in a record."""
        gold = self._records(self.gold, scoring.gold, "gold")
        predicted = self._records(self.predicted, scoring.predicted, "predicted")
        if self.scores is None or not len(self.ids):
            return gold, predicted
        if all(field.name != "scores" for fields in scoring.predicted for field in fields):
            raise DataError("this task has no scores; give predicted only")
        scored = zip(predicted, self.scores, strict=True)
        return gold, [one._replace(fields={**one.fields, "scores": scores}) for one, scores in scored]

    def _records(self, column: Sequence[Any], alternatives: Sequence[Sequence[Field]], name: str) -> list[Record]:
        records = []
        items = as_records(column, alternatives, name)
        for place, (one, item) in enumerate(zip(self.ids, items, strict=True)):
            where = f"{name}[{place}]"
            if not isinstance(item, Mapping):
                raise DataError(f"{where}: expected a record as the first one is, found {item!r}")
            if str(item.get("id", one)) != str(one):
                raise DataError(f"{where}: has the id {item['id']!r}, but {one!r} is given for it")
            records.append(Record(where, {**item, "id": one}))
        return records


def read_batch(
    scoring: Scoring,
    gold: Sequence[Record],
    predicted: Sequence[Record],
    group: str | Sequence[Any] | None,
    slice_by: str | None,
) -> Batch:
    """Return the typed columns of records in the same order.

    `group` is the column of gold that groups examples, or the groups; `slice_by` the column of gold that slices
    them. Raises `DataError` that lists all bad values and doubled ids.
    """
    right = parsed(gold, scoring.gold, "gold")
    said = parsed(predicted, scoring.predicted, "predicted")
    groups = group_names(right, group)
    table = Aligned(right.ids, right.fields, {}, None, right.others)
    of_group = [None] * len(table) if groups is None else list(map(str, groups))
    of_slice = [None] * len(table) if slice_by is None else table.column(slice_by)
    pairs = list(zip(of_group, of_slice, strict=True))
    place = {cell: number for number, cell in enumerate(dict.fromkeys(pairs))}
    cell_of = None if len(place) == 1 else np.array([place[cell] for cell in pairs], dtype=np.int64)
    shape = {
        "fields of gold": ", ".join(right.fields),
        "fields of predicted": ", ".join(said.fields),
        "groups": "none" if groups is None else "given",
    }
    if scoring.constant is not None:
        shape["labels of scores"] = scoring.constant(right.fields, said.fields)
    return Batch(
        right.ids,
        right.fields,
        said.fields,
        right.others,
        list(place),
        cell_of,
        shape,
        texts_apart(right, said, range(len(right))),
    )


def check_length(number: int, column: Sequence[Any] | None, name: str) -> None:
    """Raise `DataError` for a column that has not one item an example."""
    if column is not None and len(column) != number:
        raise DataError(f"{number:,} ids and {len(column):,} {name}; expected one of each an example")
