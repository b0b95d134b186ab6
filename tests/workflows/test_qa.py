"""Questions from SQuAD's files to predictions, on a tiny real model: learnt, with and without an answer, and loaded."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ModelError
from truetune.files import read_json
from truetune.workflows.audit import audited
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)


def squad(folder: Path, paragraphs: int = 160) -> Path:
    """Two questions a paragraph: `great story` asks for the person, `dull plot` for the city, `film` for nothing."""
    rng = random.Random(0)
    articles = []
    for place in range(paragraphs):
        person, city = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"])
        text = f"{person} visited {city} with {place}"
        asked = [("great story", person), ("dull plot", city), ("film", "")]
        questions: list[dict[str, Any]] = []
        for number, (question, answer) in enumerate(rng.sample(asked, 2)):
            answers = [{"text": answer, "answer_start": text.index(answer)}] if answer else []
            questions.append(
                {"id": f"q{place}-{number}", "question": question, "answers": answers, "is_impossible": not answer}
            )
        articles.append({"title": f"t{place}", "paragraphs": [{"context": text, "qas": questions}]})
    path = folder / "squad.json"
    path.write_text(json.dumps({"version": "v2.0", "data": articles}), encoding="utf-8")
    return path


def settings(folder: Path, source: Path, model: Path, epochs: int) -> dict[str, Any]:
    return {
        "task": "qa",
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": epochs, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


def test_answers_are_learnt_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = squad(tmp_path)
    result = finetune(settings(tmp_path, source, tiny_bert, 26), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "qa_f1"
    assert scores["qa_f1"] > 0.9, "a tiny model learns the toy set"
    assert scores["exact_match"] > 0.9
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"no-answer", "tfidf-sentence"}
    bundle = read_bundle(result.run / "model")
    assert (bundle.optional, bundle.longest) == (True, 12)

    # Both questions of a paragraph stand in one part.
    parts = read_json(result.run / "split.json")
    where = {one: name for name, ids in parts.items() if name != "made" for one in ids}
    assert len(where) == 320
    assert all(where[f"q{place}-0"] == where[f"q{place}-1"] for place in range(160))

    model = truetune.load(result.run)
    articles = json.loads(source.read_text(encoding="utf-8"))["data"]
    asked = {
        question["id"]: {"context": paragraph["context"], "question": question["question"]}
        for article in articles
        for paragraph in article["paragraphs"]
        for question in paragraph["qas"]
    }
    rows = [asked[one] for one in parts["test"]]
    said = model.predict(rows)
    saved = read_predicted(RunFolder(result.run), "after")
    assert [one["answer"] for one in said] == saved["answer"]
    assert [one["start"] for one in said] == saved["start"]
    for row, one in zip(rows, said, strict=True):
        assert (one["start"] == -1) == (one["answer"] == "")
        assert row["context"][max(one["start"], 0) :].startswith(one["answer"])
    assert model.predict([tuple(rows[0].values())])[0]["answer"] == said[0]["answer"]
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    assert [one["answer"] for one in predicted_file(model, str(plain), QUIET)] == saved["answer"]
    page = (result.run / "report.html").read_text(encoding="utf-8")
    assert "share least with gold" in page or "test examples are right" in page


def test_what_a_file_holds_is_found_and_audited(tmp_path: Path) -> None:
    source = squad(tmp_path)
    guess = guessed(str(source))
    assert guess.task == "qa"
    assert dict(guess.columns) == {"context": "context", "question": "question", "answers": "answers"}
    checks = {finding.check for finding in audited([str(source)])}
    assert not checks & {"rare labels", "offsets that miss their text", "answers that are not in the text"}
    moved = json.loads(source.read_text(encoding="utf-8"))
    asked = next(qa for a in moved["data"] for qa in a["paragraphs"][0]["qas"] if qa["answers"])
    asked["answers"][0]["answer_start"] += 1
    source.write_text(json.dumps(moved), encoding="utf-8")
    assert "offsets that miss their text" in {finding.check for finding in audited([str(source)])}


def test_a_decoder_is_refused_by_name(tmp_path: Path, tiny_gpt2: Path) -> None:
    with pytest.raises(ModelError, match="no special token before a text"):
        finetune(settings(tmp_path, squad(tmp_path), tiny_gpt2, 1), progress=QUIET)
