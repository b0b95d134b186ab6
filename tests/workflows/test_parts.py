"""What is kept of texts that repeat: the first, and none where their gold contradicts itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from truetune.bundle.run_folder import RunFolder
from truetune.config import Data
from truetune.files import read_json
from truetune.tasks.table import TASKS
from truetune.workflows.parts import prepared
from truetune.workflows.progress import Progress


def kept(folder: Path, task: str, rows: list[dict[str, Any]]) -> tuple[list[str], dict[str, int]]:
    """Return the ids that the parts of a run hold, and what was removed."""
    (folder / "data.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    run = RunFolder(folder / "run")
    run.path.mkdir()
    data = prepared(TASKS[task], Data(source=str(folder / "data.jsonl")), run, Progress(quiet=True))
    ids = [name for part in data.parts.values() for name in part.stored_ids]
    return sorted(ids), {name: number for name, number in read_json(run.facts)["removed"].items() if number}


def test_of_labels_that_contradict_each_other_none_is_kept(tmp_path: Path) -> None:
    rows = [{"id": f"r{n:02}", "text": f"text {n}", "label": "ab"[n % 2]} for n in range(40)]
    rows += [{"id": "same", "text": "Text 3!", "label": "b"}, {"id": "other", "text": "text 4", "label": "b"}]
    ids, removed = kept(tmp_path, "classification", rows)
    assert ids == [f"r{n:02}" for n in range(40) if n != 4]
    assert removed == {"repeated texts dropped": 2, "texts with contrary gold dropped": 1}


@pytest.mark.parametrize(("task", "field"), [("translation", "references"), ("summarization", "references")])
def test_of_texts_that_may_be_said_in_several_ways_the_first_is_kept(task: str, field: str, tmp_path: Path) -> None:
    rows = [{"id": f"r{n:02}", "source": f"text {n}", field: [f"words {n}"]} for n in range(40)]
    rows += [{"id": "other", "source": "text 4", field: ["said otherwise"]}]
    ids, removed = kept(tmp_path, task, rows)
    assert ids == [f"r{n:02}" for n in range(40)]
    assert removed == {"repeated texts dropped": 1}
