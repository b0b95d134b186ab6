from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from truetune.errors import RunError
from truetune.reports.predictions import read_predictions
from truetune.types import Span


def written(path: Path, columns: dict[str, object]) -> Path:
    pq.write_table(pa.table(columns), path / "predictions.parquet")
    return path / "predictions.parquet"


@pytest.mark.parametrize(
    "kind",
    [pa.struct([("b", pa.float32()), ("a", pa.float64())]), pa.map_(pa.string(), pa.float64())],
    ids=["struct", "map"],
)
def test_scores_are_read_from_structs_and_from_maps(tmp_path: Path, kind: pa.DataType) -> None:
    rows = [{"b": 0.25, "a": 0.75}, {"b": 0.5, "a": 0.5}]
    values = rows if pa.types.is_struct(kind) else [list(row.items()) for row in rows]
    path = written(tmp_path, {"id": [1, 2], "predicted.scores": pa.array(values, type=kind)})
    scores = read_predictions(path).scores
    assert scores is not None
    assert scores.labels == ("a", "b")
    np.testing.assert_allclose(scores.values, [[0.75, 0.25], [0.5, 0.5]])


def test_maps_may_list_their_labels_in_any_order(tmp_path: Path) -> None:
    kind = pa.map_(pa.string(), pa.float64())
    rows = [[("a", 0.75), ("b", 0.25)], [("b", 0.5), ("a", 0.5)], [("b", 1.0), ("a", 0.0)]]
    path = written(tmp_path, {"id": [1, 2, 3], "predicted.scores": pa.array(rows, type=kind)})
    scores = read_predictions(path).scores
    assert scores is not None
    np.testing.assert_allclose(scores.values, [[0.75, 0.25], [0.5, 0.5], [0.0, 1.0]])


def test_an_example_without_scores_leaves_none_to_draw(tmp_path: Path) -> None:
    kind = pa.struct([("a", pa.float64())])
    path = written(tmp_path, {"id": ["x", "y"], "predicted.scores": pa.array([{"a": 1.0}, None], type=kind)})
    assert read_predictions(path).scores is None


def test_texts_groups_and_fields_are_told_apart(tmp_path: Path) -> None:
    spans = [[{"start": 0, "end": 2, "type": "PER"}], []]
    path = written(
        tmp_path,
        {
            "id": ["x", "y"],
            "group": ["doc-1", None],
            "first": ["a", "b"],
            "second": ["c", "d"],
            "length": [1, 2],
            "gold.spans": spans,
            "predicted.spans": pa.array([[], spans[0]]),
            "gold.label": ["A", "B"],
        },
    )
    found = read_predictions(path)
    assert (found.ids, found.groups, len(found)) == (["x", "y"], ["doc-1", None], 2)
    assert found.texts == {"first": ["a", "b"], "second": ["c", "d"]}
    assert found.gold == {"spans": [[Span(0, 2, "PER")], []], "label": ["A", "B"]}
    assert found.predicted["spans"] == [[], [Span(0, 2, "PER")]]


def test_a_broken_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = tmp_path / "predictions.parquet"
    path.write_bytes(b"PAR1 not really")
    with pytest.raises(RunError, match=r"predictions\.parquet: cannot be read as Parquet"):
        read_predictions(path)


def test_a_table_without_ids_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="no column `id`; found gold"):
        read_predictions(written(tmp_path, {"gold.label": ["a"]}))
