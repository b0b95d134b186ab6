"""Replies from files to rankings, on a tiny real model: learnt, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.errors import DataError
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)
ANSWERS = {
    "Anna": "a warm story",
    "Bob": "dull and tedious",
    "Paris": "unbelievable tokenization",
    "Berlin": "brilliant funny film",
    "2024": "boring plot",
}


def dialogues(folder: Path, number: int = 150, candidates: bool = True) -> Path:
    """No word of what was said stands in the reply, so that words in common tell nothing."""
    rng = random.Random(0)
    rows = []
    for place in range(number):
        name = list(ANSWERS)[place % len(ANSWERS)]
        row: dict[str, Any] = {"history": [f"with {place}", f"{name} and {place}"], "response": ANSWERS[name]}
        if candidates:
            others = [one for one in ANSWERS.values() if one != ANSWERS[name]]
            row["candidates"] = [*rng.sample(others, 2), ANSWERS[name]]
        rows.append(row)
    path = folder / "dialogues.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, source: Path, model: Path, epochs: int) -> dict[str, Any]:
    return {
        "task": "response-ranking",
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.2},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": epochs, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


def test_replies_are_found_by_the_first_numbers_of_vectors_that_learnt_it(tmp_path: Path, tiny_bert: Path) -> None:
    """Beside wrong replies that look right, and candidates of their own in each dialogue."""
    config = settings(tmp_path, dialogues(tmp_path), tiny_bert, 12)
    config["recipe"] = {"matryoshka": [16], "hard_negatives": 2}
    result = finetune(config, progress=QUIET)
    (found,) = [one for one in read_json(result.run / "audit.json")["findings"] if one["check"] == "sizes of vectors"]
    sizes = {line.partition(":")[0]: float(line.rpartition(" ")[2]) for line in found["examples"]}
    assert list(sizes) == ["16", "32"]
    assert all(0.7 < value <= 1 for value in sizes.values()), "one of three candidates is right"
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["hits@1"] > 0.7


def test_replies_are_found_among_candidates_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = dialogues(tmp_path)
    result = finetune(settings(tmp_path, source, tiny_bert, 12), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "hits@1"
    assert scores["hits@1"] > 0.95, "a tiny model learns the toy set"
    assert scores["hits@5"] == 1.0, "three candidates have places one to three"
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"tfidf-ranking", "bm25", "untuned"}
    ranked = read_predicted(RunFolder(result.run), "baselines/bm25")["ranking"]
    assert {len(one) for one in ranked} == {3}, "baselines rank the same candidates"
    assert set(read_bundle(result.run / "model").documents) == set(ANSWERS.values())

    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    held_out = [rows[int(one) - 1] for one in read_json(result.run / "split.json")["test"]]
    saved = read_predicted(RunFolder(result.run), "after")
    model = truetune.load(result.run)
    said = model.predict(held_out)
    assert [one["ranking"] for one in said] == saved["ranking"]
    asked = [{"history": row["history"], "candidates": row["candidates"]} for row in held_out]
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    assert [one["response"] for one in predicted_file(model, str(plain), QUIET)] == saved["response"]
    # Without candidates all replies that are stored are ranked; new ones are ranked where they are given.
    assert len(model.predict([row["history"][1] for row in held_out])[0]["ranking"]) == len(ANSWERS)
    new = model.predict([{"history": "with Anna", "candidates": ["Anna visited", "great"]}])
    assert new[0]["response"] in ("Anna visited", "great")
    again = truetune.evaluate(
        task="response-ranking",
        gold=[{"response": row["response"]} for row in held_out],
        predicted=[{"ranking": one["ranking"]} for one in said],
    )
    assert again.score("hits@1").value == scores["hits@1"]


def test_without_candidates_all_replies_of_the_data_are_ranked(tmp_path: Path, tiny_bert: Path) -> None:
    source = dialogues(tmp_path, 60, candidates=False)
    assert guessed(str(source)).task == "response-ranking"
    result = finetune(settings(tmp_path, source, tiny_bert, 1), progress=QUIET)
    assert {len(one) for one in read_predicted(RunFolder(result.run), "after")["ranking"]} == {len(ANSWERS)}


def test_a_reply_that_is_no_candidate_is_told_with_its_line(tmp_path: Path, tiny_bert: Path) -> None:
    source = tmp_path / "bad.jsonl"
    rows = [{"history": "Anna", "response": "a", "candidates": ["a", "b"]}]
    rows.append({"history": "Bob", "response": "c", "candidates": ["a", "b"]})
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(DataError, match=r"bad.jsonl:2: `response` is none of the `candidates`"):
        finetune(settings(tmp_path, source, tiny_bert, 1), progress=QUIET)
