"""Pairs and spans from files to predictions, on a tiny real model: learnt, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def pairs(number: int = 200) -> list[dict[str, Any]]:
    """The label is told by both texts, and which of them is the first matters."""
    rng = random.Random(0)
    rows = []
    for place in range(number):
        one, other = rng.choice(["warm", "dull"]), rng.choice(["warm", "dull"])
        label = f"{one} then {other}"
        rows.append({"first": f"{one} film {place}", "second": f"{other} story {place}", "label": label})
    return rows


def sentences(number: int = 90) -> list[dict[str, Any]]:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        person, city = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"])
        start = len(person) + 9
        spans = [[0, len(person), "person"], [start, start + len(city), "place"]]
        rows.append({"text": f"{person} visited {city} {place}", "spans": spans})
    return rows


def settings(folder: Path, task: str, rows: list[dict[str, Any]], model: Path) -> dict[str, Any]:
    return {
        "task": task,
        "data": {
            "source": str(written(folder / "rows.jsonl", rows)),
            "validation_share": 0.2,
            "test_share": 0.2,
        },
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 20, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


@pytest.mark.parametrize(("task", "metric"), [("pair", "accuracy"), ("ner", "span_f1")])
def test_what_is_learnt_is_saved_loaded_and_the_same(tmp_path: Path, tiny_bert: Path, task: str, metric: str) -> None:
    rows = pairs() if task == "pair" else sentences()
    result = finetune(settings(tmp_path, task, rows, tiny_bert), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == metric
    assert scores[metric] > 0.95, "a tiny model learns the toy set"

    saved = read_predicted(RunFolder(result.run), "after")
    held_out = [rows[int(one) - 1] for one in read_json(result.run / "split.json")["test"]]
    model = truetune.load(result.run)
    field = "label" if task == "pair" else "spans"
    inputs = [{name: row[name] for name in model.input_names} for row in held_out]
    said = [one[field] for one in model.predict(inputs)]
    plain = written(tmp_path / "plain.jsonl", inputs)
    assert [one[field] for one in predicted_file(model, str(plain), QUIET)] == said
    if task == "pair":
        assert said == saved["label"]
        assert [one["scores"] for one in model.predict(inputs)] == [pytest.approx(one) for one in saved["scores"]]
    else:
        assert [[list(span) for span in spans] for spans in said] == [list(map(list, one)) for one in saved["spans"]]
