"""The predictions table of a system, as its Parquet file holds it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from truetune.data.arrow import from_array
from truetune.errors import RunError
from truetune.metrics.label_scores import LabelScores, label_scores

GOLD, PREDICTED = "gold.", "predicted."


@dataclass(frozen=True, slots=True, eq=False)
class Predictions:
    """Columns in example order. `texts` are the inputs by field; `gold` and `predicted` by field too.

    Spans are lists of `Span`, scores a `LabelScores`; everything else is as the file has it.
    """

    ids: Sequence[str]
    groups: Sequence[str | None]
    texts: Mapping[str, Sequence[str]]
    gold: Mapping[str, Sequence[Any]]
    predicted: Mapping[str, Sequence[Any]]
    scores: LabelScores | None

    def __len__(self) -> int:
        return len(self.ids)


def read_predictions(path: Path) -> Predictions:
    """Read `predictions.parquet`; raises `RunError` for a file that is none."""
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise RunError(f"{path}: cannot be read as Parquet: {error}; evaluate the run again") from error
    if "id" not in table.column_names:
        raise RunError(f"{path}: no column `id`; found {', '.join(table.column_names)}; evaluate the run again")
    number = len(table)
    scores = [name for name in table.column_names if name == f"{PREDICTED}scores"]
    known = {"id", "group", *scores}
    columns = {name: from_array(table[name]) for name in table.column_names if name not in known}
    return Predictions(
        ids=[str(value) for value in table["id"].to_pylist()],
        groups=table["group"].to_pylist() if "group" in table.column_names else [None] * number,
        texts={name: values for name, values in columns.items() if _is_text(name, table)},
        gold=_fields(columns, GOLD),
        predicted=_fields(columns, PREDICTED),
        scores=_scores(table[scores[0]]) if scores else None,
    )


def _fields(columns: Mapping[str, list[Any]], prefix: str) -> dict[str, list[Any]]:
    return {name.removeprefix(prefix): values for name, values in columns.items() if name.startswith(prefix)}


def _is_text(name: str, table: Any) -> bool:
    kind = table.schema.field(name).type
    inside = not name.startswith((GOLD, PREDICTED))
    return inside and (pa.types.is_string(kind) or pa.types.is_large_string(kind)) and name != "group"


def _scores(column: Any) -> LabelScores | None:
    """Return probabilities by label from a struct or a map column; None where some example has none."""
    if column.null_count or not len(column):
        return None
    whole = column.combine_chunks()
    if pa.types.is_struct(column.type):
        labels = tuple(field.name for field in column.type)
        parts = [np.asarray(whole.field(name), dtype=np.float64) for name in labels]
        return label_scores(LabelScores(labels, np.stack(parts, axis=1)))
    return _from_map(whole) if pa.types.is_map(column.type) else None


def _from_map(column: Any) -> LabelScores:
    """Return scores of a map column; at once where every example lists the same labels in the same order."""
    keys, values = column.keys.to_numpy(zero_copy_only=False), column.items.to_numpy(zero_copy_only=False)
    number = len(keys) // len(column)
    labels = keys[:number]
    if len(keys) == number * len(column) and (keys.reshape(-1, number) == labels).all():
        return label_scores(LabelScores(tuple(labels.tolist()), values.reshape(-1, number).astype(np.float64)))
    return label_scores([dict(row) for row in column.to_pylist()])
