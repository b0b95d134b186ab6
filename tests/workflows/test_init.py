"""What `truetune init` makes of files and folders that it looks at."""

import json
from pathlib import Path

import pytest
import yaml

from truetune.cli.main import main
from truetune.errors import DataError
from truetune.workflows.init import config_text, guessed

ROWS = "".join(f"text number {place},{'ab'[place % 2]}\n" for place in range(20))


def test_a_folder_of_splits_is_looked_at_by_its_training_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "parts").mkdir()
    for name in ("train", "dev", "test"):
        (tmp_path / "parts" / f"{name}.csv").write_text("review,class\n" + ROWS, encoding="utf-8")
    assert main(["init", "parts"]) == 0
    made = yaml.safe_load((tmp_path / "parts.yaml").read_text(encoding="utf-8"))
    assert made["data"]["source"] == "parts"
    assert made["data"]["columns"] == {"text": "review", "label": "class"}


@pytest.mark.parametrize(("documents", "group"), [(1, None), (2, None), (3, "group")])
def test_a_group_is_named_where_each_part_can_have_one(tmp_path: Path, documents: int, group: str | None) -> None:
    file = tmp_path / "tags.conll"
    file.write_text("-DOCSTART- O\n\nAnn B-PER\nleft O\n\nBob B-PER\n\n" * documents, encoding="utf-8")
    assert guessed(str(file)).group == group


def test_records_that_cannot_be_read_are_told_with_their_reason(tmp_path: Path) -> None:
    result = {"type": "labels", "value": {"start": 0, "end": 3, "labels": ["PER"], "text": "Bob"}}
    task = {"data": {"text": "Ann left"}, "annotations": [{"result": [result]}]}
    file = tmp_path / "export.json"
    file.write_text(json.dumps([task, task]), encoding="utf-8")
    with pytest.raises(DataError, match="no example can be read") as refused:
        guessed(str(file))
    assert "says 'Bob', which does not stand there" in str(refused.value)


@pytest.mark.parametrize("column", ["yes", "Null", "-", "2024", "a: b", "two\nlines"])
def test_any_name_of_a_column_is_read_back_from_the_config(tmp_path: Path, column: str) -> None:
    file = tmp_path / "data.jsonl"
    rows = [{"text": f"text number {place}", column: "ab"[place % 2]} for place in range(20)]
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    made = yaml.safe_load(config_text(str(file), guessed(str(file))))
    assert made["data"]["columns"] == {"label": column}
