"""Batches of examples: lists and arrays as a caller has them, read and checked as a file would be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.data.parse import Field, parsed
from truetune.data.record import Record
from truetune.errors import DataError
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
    cells: Sequence[Cell]
    """The distinct cells."""
    cell_of: Ints | None
    """`[examples]`, position in `cells`; None where there is one cell."""
    shape: Mapping[str, str]
    """What must be the same in every batch, in words."""


@dataclass(frozen=True)
class Given:
    """What a caller gives of some examples, one item an example, in the same order."""

    ids: Sequence[Any]
    gold: Sequence[Any]
    predicted: Sequence[Any]
    scores: Sequence[Any] | None = None
    group: str | Sequence[Any] | None = None
    """The column of gold records that groups examples, or the groups."""

    def __post_init__(self) -> None:
        columns = {"gold": self.gold, "predicted": self.predicted, "scores": self.scores, "groups": self.group}
        sizes = {
            name: len(column) for name, column in columns.items() if column is not None and not isinstance(column, str)
        }
        for name, size in sizes.items():
            if size != len(self.ids):
                raise DataError(f"{len(self.ids):,} ids and {size:,} {name}; expected one of each an example")

    def __len__(self) -> int:
        return len(self.ids)

    def read(self, scoring: Scoring, slice_by: str | None) -> Batch:
        """Return the typed columns; raises `DataError` that lists all bad values and doubled ids."""
        gold = parsed(self._records(self.gold, scoring.gold, "gold"), scoring.gold, "gold")
        predicted = self._records(self.predicted, scoring.predicted, "predicted")
        if self.scores is not None:
            _check_takes_scores(scoring)
            predicted = [
                one._replace(fields={**one.fields, "scores": scores})
                for one, scores in zip(predicted, self.scores, strict=True)
            ]
        said = parsed(predicted, scoring.predicted, "predicted")
        groups = group_names(gold, self.group)
        table = Aligned(gold.ids, gold.fields, {}, None, gold.others)
        of_group = [None] * len(self) if groups is None else list(map(str, groups))
        of_slice = [None] * len(self) if slice_by is None else table.column(slice_by)
        pairs = list(zip(of_group, of_slice, strict=True))
        place = {cell: number for number, cell in enumerate(dict.fromkeys(pairs))}
        shape = {
            "fields of gold": ", ".join(gold.fields),
            "fields of predicted": ", ".join(said.fields),
            "groups": "none" if groups is None else "given",
        }
        if scoring.constant is not None:
            shape["labels of scores"] = scoring.constant(gold.fields, said.fields)
        cell_of = None if len(place) == 1 else np.array([place[cell] for cell in pairs], dtype=np.int64)
        return Batch(gold.ids, gold.fields, said.fields, list(place), cell_of, shape)

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


def _check_takes_scores(scoring: Scoring) -> None:
    if all(field.name != "scores" for fields in scoring.predicted for field in fields):
        raise DataError("this task has no scores; give predicted only")
