"""Predictions of a run that are stale, and test texts that training has seen, are told of when they are scored."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from truetune.bundle.run_folder import RunFolder
from truetune.evaluation.evaluate import evaluated
from truetune.tracking.ledger import looks
from truetune.workflows.finetune import finetune
from truetune.workflows.origin import stale_findings
from truetune.workflows.progress import Progress
from truetune.workflows.rescore import run_table, runs_table

SHARED = 8


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """A run whose test file holds some texts of its training file."""
    folder = tmp_path_factory.mktemp("stale")
    rows = [
        {"text": f"{'lovely' if place % 2 else 'dull'} film {place}", "label": str(place % 2)} for place in range(140)
    ]
    parts = {"train": rows[:80], "validation": rows[80:100], "test": [*rows[100:], *rows[:SHARED]]}
    for name, part in parts.items():
        (folder / f"{name}.jsonl").write_text("".join(json.dumps(row) + "\n" for row in part), encoding="utf-8")
    settings: dict[str, Any] = {
        "task": "classification",
        "data": {name: str(folder / f"{name}.jsonl") for name in parts},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 1},
        "evaluate": {"resamples": 100, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }
    finetune(settings, progress=Progress(quiet=True))
    return folder


def copied(finished: Path, to: Path) -> RunFolder:
    shutil.copytree(finished / "runs" / "tiny", to / "tiny")
    return RunFolder(to / "tiny")


def test_an_untouched_run_is_not_stale_and_seen_texts_are_told(finished: Path, tmp_path: Path) -> None:
    run = copied(finished, tmp_path)
    assert list(stale_findings(run)) == list(stale_findings(run, "before")) == []
    task, table = run_table(run.path)
    (seen,) = table.findings
    assert (seen.check, seen.count) == ("test texts seen in training", SHARED)
    assert seen.check in [one.check for one in evaluated(task, table).findings]
    saved = json.loads(run.scores("after").read_text(encoding="utf-8"))["findings"]
    assert [one["count"] for one in saved if one["check"] == seen.check] == [SHARED]


@pytest.mark.parametrize(
    ("changed", "name"),
    [
        ("config.yaml", "settings"),
        ("data/test.arrow", "test part"),
        ("model/model.safetensors", "model"),
        ("model/truetune.json", "thresholds and decisions"),
        ("after/predictions.parquet", "predictions"),
    ],
)
def test_what_changed_is_named(finished: Path, tmp_path: Path, changed: str, name: str) -> None:
    run = copied(finished, tmp_path)
    with (run.path / changed).open("ab") as file:
        file.write(b"\n")
    (finding,) = stale_findings(run)
    assert (finding.check, finding.severity, finding.examples) == ("stale predictions", "error", (name,))


def test_a_data_file_that_changed_is_named_in_evaluate_and_compare(finished: Path, tmp_path: Path) -> None:
    first, second = copied(finished, tmp_path / "a"), copied(finished, tmp_path / "b")
    train = finished / "train.jsonl"
    before = train.read_bytes()
    try:
        train.write_bytes(before + before.splitlines(keepends=True)[0])
        for table in (run_table(first.path)[1], runs_table([first.path, second.path])[1]):
            stale = next(one for one in table.findings if one.check == "stale predictions")
            assert stale.severity == "warning"
            assert str(train) in stale.examples[0]
    finally:
        train.write_bytes(before)
    assert not list(stale_findings(first))


def test_the_run_stands_in_the_ledger_once_with_its_score(finished: Path) -> None:
    folder = finished / "runs"
    (look,) = looks(folder / "ledger.jsonl")
    after = json.loads((folder / "tiny" / "after" / "scores.json").read_text(encoding="utf-8"))
    assert (look.by, look.metric) == ("tiny", "accuracy")
    assert look.value == next(one["value"] for one in after["scores"] if one["metric"] == "accuracy")
    assert json.loads((folder / "tiny" / "comparison.json").read_text(encoding="utf-8"))["looks"] == 1
    page = (folder / "tiny" / "report.html").read_text(encoding="utf-8")
    assert "the first system whose score on this test set was looked at" in page
