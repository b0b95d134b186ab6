"""Data sets: what is written is mapped back the same, and faults are named."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from truetune.data import parse
from truetune.data.arrow import read_parquet_columns, write_parquet
from truetune.data.dataset import Dataset, dataset_of, read_dataset
from truetune.data.parse import Columns, Field, reading
from truetune.data.record import Record
from truetune.errors import DataError, RunError
from truetune.tasks.fields import as_label, as_text
from truetune.tasks.span_fields import as_gold_spans
from truetune.types import Span

TEXT = ((Field("text", as_text),),)


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


FIELDS = ((Field("text", as_text), Field("spans", as_gold_spans)), (Field("text", as_text), Field("label", as_label)))


@pytest.fixture
def two_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parse.Reading.chunks, "__defaults__", (2,))


def records(*rows: dict) -> list[Record]:
    return [Record(f"f:{number}", row) for number, row in enumerate(rows, start=1)]


@pytest.mark.usefixtures("two_at_once")
def test_chunks_on_disk_are_the_same_data(tmp_path: Path) -> None:
    rows = [{"id": n, "text": f"t{n}", "spans": [[0, 1, "X"]] if n > 3 else [], "doc": f"d{n // 2}"} for n in range(7)]
    data = read_dataset(reading(records(*rows), FIELDS, "f"), tmp_path / "a.arrow", group="doc")
    whole = dataset_of(parse.parsed(records(*rows), FIELDS, "f"), tmp_path / "b.arrow", group="doc")
    assert data.fingerprint == whole.fingerprint
    assert (data.ids, data.groups) == (whole.ids, whole.groups)
    assert data.column("spans") == [[]] * 4 + [[Span(0, 1, "X")]] * 3
    assert data.column("doc") == whole.column("doc")
    assert [chunk["text"] for chunk in data.chunks(["text"])] == [["t0", "t1"], ["t2", "t3"], ["t4", "t5"], ["t6"]]
    assert data.stored("text").at([5, 0]) == ["t5", "t0"]
    data.take([6, 1, 2]).write(tmp_path / "c.arrow")
    assert Dataset.open(tmp_path / "c.arrow").column("text") == ["t6", "t1", "t2"]


@pytest.mark.usefixtures("two_at_once")
def test_problems_of_all_chunks_are_listed_together(tmp_path: Path) -> None:
    rows = [{"id": n % 4, "text": "" if n == 3 else "t", "label": "x"} for n in range(6)]
    with pytest.raises(DataError) as caught:
        read_dataset(reading(records(*rows), FIELDS, "f"), tmp_path / "a.arrow")
    assert caught.value.problems == (
        "f:4: `text`: expected a text, found an empty one",
        "f:5: id '0' stands already at f:1",
        "f:6: id '1' stands already at f:2",
    )
    rows = [{"text": "t", "label": "x", "group": "g" if n < 4 else ""} for n in range(6)]
    with pytest.raises(DataError, match=r"f:5: column 'group', which groups examples, is empty \(2 such\)"):
        read_dataset(reading(records(*rows), FIELDS, "f"), tmp_path / "a.arrow")
    assert not list(tmp_path.iterdir())


def test_halves_of_characters_are_told_with_their_place(tmp_path: Path) -> None:
    records = [Record(f"f:{number}", {"text": "whole 😀", "note": "n"}) for number in range(1, 4)]
    records[1] = Record("f:2", {"text": "half \ud83d", "note": "n"})
    records[2] = Record("f:3", {"text": "whole", "note": ["\ude00"]})
    for write in (
        lambda: read_dataset(reading(iter(records), TEXT, "f"), tmp_path / "a.arrow"),
        lambda: dataset_of(parse.parsed(records, TEXT, "f"), tmp_path / "b.arrow"),
    ):
        with pytest.raises(DataError) as told:
            write()
        assert [one.partition(", one half")[0] for one in told.value.problems] == [
            r"f:2: `text`: holds '\ud83d'",
            r"f:3: `note`: holds '\ude00'",
        ]
    assert not list(tmp_path.iterdir())


def test_the_fingerprint_is_of_the_values_alone(tmp_path: Path) -> None:
    data = dataset_of(columns(group=["g", "g", "h"]), tmp_path / "a.arrow")
    digest = hashlib.sha256()
    for name, values in (
        ("id", data.ids),
        ("group", data.groups),
        *((f"field.{name}", data.column(name)) for name in ("label", "labels", "spans", "text")),
    ):
        digest.update(name.encode() + json.dumps(values, ensure_ascii=False).encode())
    assert data.fingerprint == digest.hexdigest()
    assert data.take([]).fingerprint != data.fingerprint


def test_a_predictions_table_keeps_its_types(tmp_path: Path) -> None:
    table = {"id": ["1", "2"], "gold.label": ["a", "b"], "predicted.scores": [{"a": 0.25, "b": 0.75}, {"a": 1.0}]}
    write_parquet(tmp_path / "p.parquet", table)
    assert read_parquet_columns(tmp_path / "p.parquet") == table
    (tmp_path / "p.parquet").write_text("broken", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read as Parquet"):
        read_parquet_columns(tmp_path / "p.parquet")
