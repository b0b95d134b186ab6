"""Spans within spans from files to predictions, on a tiny real model: learnt, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.errors import DataError
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)


def companies(folder: Path, number: int = 120) -> Path:
    """`Anna with Paris` is an organisation, with a place in it, and in `great Anna with Paris` stands a second one."""
    rng = random.Random(0)
    rows = []
    for place in range(number):
        person, city, word = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"]), rng.choice(["with", "and"])
        before = rng.choice(["great ", "film "])
        text = f"{before}{person} {word} {city} {place}"
        begin, end = len(before), text.rindex(" ")
        spans = [[end - len(city), end, "place"]]
        if word == "with":
            spans += [[begin, end, "org"]] + ([[0, end, "org"]] if before == "great " else [])
        rows.append({"text": text, "spans": spans})
    path = folder / "companies.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_spans_within_spans_are_learnt_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = companies(tmp_path)
    settings: dict[str, Any] = {
        "task": "nested-ner",
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 15, "learning_rate": 3e-3, "tokens_per_batch": 64, "head_learning_rate": 3e-3},
        "evaluate": {"resamples": 200, "baselines": ["all-O", "frozen-linear"]},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "span_f1"
    assert scores["span_f1"] > 0.95, "a tiny model learns the toy set"
    assert scores["f1/org"] > 0.95
    assert scores["span_f1"] > result.before["scores"][0]["value"], "tags find one of two spans"
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"all-O", "frozen-linear"}
    assert not [one for one in read_json(result.run / "audit.json")["findings"] if one["check"].startswith("spans-")]
    assert (result.run / "report.html").is_file()

    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    held_out = [rows[int(one) - 1] for one in read_json(result.run / "split.json")["test"]]
    model = truetune.load(result.run)
    said = [one["spans"] for one in model.predict([row["text"] for row in held_out])]
    saved = read_predicted(RunFolder(result.run), "after")["spans"]
    assert [[tuple(span) for span in one] for one in said] == [[tuple(span) for span in one] for one in saved]
    assert any({span[:2] for span in one} >= {(0, 21), (6, 21), (16, 21)} for one in said), "three spans in each other"
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in held_out), encoding="utf-8")
    from_file = [one["spans"] for one in predicted_file(model, str(plain), QUIET)]
    assert [[tuple(span) for span in one] for one in from_file] == [[tuple(span) for span in one] for one in said]
    again = truetune.evaluate(
        task="nested-ner", gold=[row["spans"] for row in held_out], predicted=[list(map(list, one)) for one in said]
    )
    assert again.score("span_f1").value == scores["span_f1"]


def test_what_a_file_holds_is_found(tmp_path: Path) -> None:
    assert guessed(str(companies(tmp_path))).task == "nested-ner"


def test_spans_of_several_pieces_and_no_spans_at_all_are_refused(tmp_path: Path, tiny_bert: Path) -> None:
    settings: dict[str, Any] = {
        "task": "nested-ner",
        "model": {"name": str(tiny_bert)},
        "track": {"output": str(tmp_path / "runs")},
    }
    source = tmp_path / "bad.jsonl"
    source.write_text('{"text": "Anna with Bob", "spans": [[[0, 4], [10, 13], "org"]]}\n', encoding="utf-8")
    with pytest.raises(DataError, match=r"bad.jsonl:1: `spans`.*several pieces \(discontinuous\)"):
        finetune({**settings, "data": {"source": str(source)}}, progress=QUIET)
    rows = [json.dumps({"text": f"Anna {place}", "spans": []}) for place in range(30)]
    source.write_text("\n".join(rows), encoding="utf-8")
    with pytest.raises(DataError, match=r"has no label.*expected one or more types of spans"):
        finetune({**settings, "data": {"source": str(source)}}, progress=QUIET)
