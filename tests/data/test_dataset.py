"""Data sets: what is written is mapped back the same, and faults are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from truetune.data.arrow import read_parquet_columns, write_parquet
from truetune.data.dataset import Dataset, dataset_of
from truetune.data.parse import Columns
from truetune.errors import DataError, RunError
from truetune.types import Span


def columns(**others: list) -> Columns:
    fields = {
        "text": ["北京好", "b", "c"],
        "spans": [[Span(0, 2, "LOC")], [], []],
        "label": ["x", "y", "x"],
        "labels": [("a",), (), ("a", "b")],
    }
    return Columns("f", ["1", "2", "3"], ["f:1", "f:2", "f:3"], fields, dict(others))


def test_columns_come_back_as_they_were(tmp_path: Path) -> None:
    data = dataset_of(columns(group=["g", "g", "h"], page=[1, None, "x"]), tmp_path / "a.arrow")
    again = Dataset.open(tmp_path / "a.arrow")
    assert len(again) == 3
    assert (again.ids, again.groups) == (["1", "2", "3"], ["g", "g", "h"])
    assert again.column("text") == ["北京好", "b", "c"]
    assert again.column("spans") == [[Span(0, 2, "LOC")], [], []]
    assert again.column("labels") == [["a"], [], ["a", "b"]]
    assert again.column("page") == ["1", None, "x"]
    assert again.fingerprint == data.fingerprint


def test_take_and_chosen_keep_the_order_asked_for(tmp_path: Path) -> None:
    data = dataset_of(columns(), tmp_path / "a.arrow")
    assert data.take([2, 0]).ids == ["3", "1"]
    assert data.chosen(["2", "1"]).column("label") == ["y", "x"]
    with pytest.raises(DataError, match="no example with the id '9'"):
        data.chosen(["9"])
    data.take([1]).write(tmp_path / "b.arrow")
    assert Dataset.open(tmp_path / "b.arrow").ids == ["2"]


def test_the_fingerprint_tells_data_apart(tmp_path: Path) -> None:
    first = dataset_of(columns(), tmp_path / "a.arrow")
    changed = columns()
    changed.fields["label"][0] = "y"
    assert dataset_of(changed, tmp_path / "b.arrow").fingerprint != first.fingerprint


def test_groups_and_labels_are_checked(tmp_path: Path) -> None:
    path = tmp_path / "a.arrow"
    with pytest.raises(DataError, match=r"no column 'docs' for data\.group; did you mean 'doc'"):
        dataset_of(columns(doc=["a", "b", "c"]), path, group="docs")
    with pytest.raises(DataError, match=r"f:2: column 'doc', which groups examples, is empty \(1 such\)"):
        dataset_of(columns(doc=["a", "", "c"]), path, group="doc")
    with pytest.raises(DataError, match=r"f:2: label 'y' is not one of data\.labels"):
        dataset_of(columns(), path, labels=["x", "a", "b", "LOC"])
    with pytest.raises(DataError, match=r"f:1: label 'LOC' is not one of data\.labels; known: LOCATION"):
        dataset_of(columns(), path, labels=["x", "y", "a", "b", "LOCATION"])
    assert not path.exists()


def test_an_empty_group_column_is_none(tmp_path: Path) -> None:
    assert dataset_of(columns(group=[None, "", None]), tmp_path / "a.arrow").groups is None


def test_a_predictions_table_keeps_its_types(tmp_path: Path) -> None:
    table = {"id": ["1", "2"], "gold.label": ["a", "b"], "predicted.scores": [{"a": 0.25, "b": 0.75}, {"a": 1.0}]}
    write_parquet(tmp_path / "p.parquet", table)
    assert read_parquet_columns(tmp_path / "p.parquet") == table
    (tmp_path / "p.parquet").write_text("broken", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read as Parquet"):
        read_parquet_columns(tmp_path / "p.parquet")
