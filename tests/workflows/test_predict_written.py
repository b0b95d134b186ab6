"""Interrupted predictions of a file go on behind the last whole line, and only with the same model and texts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from truetune.errors import RunError
from truetune.tasks.table import task_named
from truetune.workflows.predict_written import Unfinished, written
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)


class Backwards:
    """A model that says each text backwards, and may break off; it counts what it was asked."""

    task = task_named("classification")

    def __init__(self, until: int = 10**9) -> None:
        self.asked: list[str] = []
        self.columns: dict[str, list[str]] = {}
        self.until = until

    def predict_columns(self, columns: Sequence[Sequence[Any]]) -> dict[str, list[str]]:
        if len(self.asked) >= self.until:
            raise KeyboardInterrupt
        self.asked += columns[0]
        return {"label": [text[::-1] for text in columns[0]]}


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr("truetune.workflows.predict_file.AT_ONCE", 4)
    found = tmp_path / "texts.txt"
    found.write_text("".join(f"text {number}\n" for number in range(10)), encoding="utf-8")
    return found


def predicted(model: Any, file: Path, output: Path, resume: bool = False, identity: str = "m") -> int:
    return written(model, str(file), Unfinished(output, identity, resume), QUIET)


def labels(output: Path) -> list[str]:
    return [json.loads(line)["label"] for line in output.read_text(encoding="utf-8").splitlines()]


def interrupted(file: Path, output: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        predicted(Backwards(until=8), file, output)
    assert not output.exists()


WHOLE = [f"text {number}"[::-1] for number in range(10)]


def test_it_goes_on_behind_the_last_whole_line(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "out" / "said.jsonl"
    interrupted(file, output)
    partial = output.with_name("said.jsonl.partial")
    with partial.open("a", encoding="utf-8") as opened:
        opened.write('{"id": "9", "lab')  # cut off by a kill
    model = Backwards()
    assert predicted(model, file, output, resume=True) == 10
    assert model.asked == ["text 8", "text 9"]
    assert labels(output) == WHOLE
    assert [one.name for one in output.parent.iterdir()] == ["said.jsonl"]


def test_without_resume_it_begins_anew(file: Path, tmp_path: Path) -> None:
    interrupted(file, tmp_path / "said.jsonl")
    model = Backwards()
    assert predicted(model, file, tmp_path / "said.jsonl") == 10
    assert len(model.asked) == 10
    assert labels(tmp_path / "said.jsonl") == WHOLE


@pytest.mark.parametrize("change", ["model", "texts"])
def test_what_belongs_to_another_model_or_text_is_not_gone_on_with(file: Path, tmp_path: Path, change: str) -> None:
    interrupted(file, tmp_path / "said.jsonl")
    if change == "texts":
        file.write_text(file.read_text(encoding="utf-8").replace("text 0", "another"), encoding="utf-8")
    with pytest.raises(RunError, match="another model or other texts"):
        predicted(Backwards(), file, tmp_path / "said.jsonl", True, "other" if change == "model" else "m")


def test_resuming_what_was_never_begun_begins_it(file: Path, tmp_path: Path) -> None:
    assert predicted(Backwards(), file, tmp_path / "said.jsonl", resume=True) == 10
    assert labels(tmp_path / "said.jsonl") == WHOLE


def test_all_lines_there_already_is_done_at_once(file: Path, tmp_path: Path) -> None:
    output = tmp_path / "said.jsonl"
    interrupted(file, output)
    partial = output.with_name("said.jsonl.partial")
    rest = "".join(json.dumps({"id": str(place), "label": WHOLE[place]}) + "\n" for place in (8, 9))
    partial.write_text(partial.read_text(encoding="utf-8") + rest, encoding="utf-8")
    model = Backwards()
    assert predicted(model, file, output, resume=True) == 10
    assert model.asked == []
    assert labels(output) == WHOLE
