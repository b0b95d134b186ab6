"""What `truetune init` makes of files and folders that it looks at."""

import json
from pathlib import Path

import pytest
import yaml

from truetune import config
from truetune.cli.main import main
from truetune.errors import DataError
from truetune.tasks.table import TASKS
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


LONG = "The council met on Monday and, after five hours, agreed to build the bridge that it had turned down a year ago."
WRITTEN = {
    "translation": {"source": "The film was great.", "reference": "这部电影很棒。"},
    "summarization": {"source": LONG, "references": ["Council agrees to bridge"]},
    "dialogue": {"history": [{"role": "user", "content": "A table for two?"}], "reference": "This way, please."},
}


@pytest.mark.parametrize("task", WRITTEN)
def test_of_texts_for_texts_the_task_is_told_and_a_model_named_that_writes(tmp_path: Path, task: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text("".join(json.dumps(WRITTEN[task]) + "\n" for _ in range(9)), encoding="utf-8")
    assert main(["init", str(file), "-o", str(tmp_path / "made.yaml")]) == 0
    made = config.load(tmp_path / "made.yaml", tasks=TASKS)
    assert made.task == task
    assert (made.model.name, made.model.max_length) == ("builtin:smollm2-135m", 256)
    # The same by name, where columns do not tell.
    assert yaml.safe_load(config_text(str(file), guessed(str(file), task)))["model"]["name"] == made.model.name


@pytest.mark.parametrize("column", ["document", "documents"])
def test_queries_with_documents_are_a_retrieval(tmp_path: Path, column: str) -> None:
    file = tmp_path / "data.jsonl"
    file.write_text(json.dumps({"query": "Is it open?", column: "We open at nine."}) + "\n", encoding="utf-8")
    guess = guessed(str(file))
    assert (guess.task, set(guess.columns)) == ("retrieval", {"query", "documents"})
    assert yaml.safe_load(config_text(str(file), guess))["model"]["name"] == "builtin:minilm-en"
