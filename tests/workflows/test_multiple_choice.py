"""Multiple choice from files to predictions, on a tiny real model: learnt, saved, loaded and the same."""

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
from truetune.reports.model_card import plain_code
from truetune.tasks.classify_encoding import softmax
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)
GOOD, BAD = ["lovely", "brilliant", "warm", "funny", "great"], ["dull", "tedious", "bad", "boring"]


def questions(folder: Path, number: int = 120) -> Path:
    """The choice in a kind word is right, wherever it stands, beside one or two in unkind words."""
    rng = random.Random(0)
    rows = []
    for place in range(number):
        right = f"{rng.choice(GOOD)} film"
        choices = [right, *(f"{word} film" for word in rng.sample(BAD, rng.choice([1, 2])))]
        rng.shuffle(choices)
        rows.append({"passage": f"Anna {place}", "question": "What story?", "options": choices, "answer": right})
    path = folder / "questions.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def test_choices_are_learnt_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = questions(tmp_path)
    settings: dict[str, Any] = {
        "task": "multiple-choice",
        "data": {
            "source": str(source),
            "columns": {"context": "passage", "choices": "options"},
            "validation_share": 0.2,
            "test_share": 0.3,
        },
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 6, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200},
        "track": {"output": str(tmp_path / "runs"), "name": "tiny"},
    }
    result = finetune(settings, progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["accuracy"] > 0.95, "a tiny model learns the toy set"
    before = {one.name: read_json(one / "scores.json") for one in (result.run / "baselines").iterdir()}
    assert set(before) == {"chance", "position", "tfidf-choice"}
    assert before["chance"]["scores"][0]["value"] < 0.75
    assert (result.run / "report.html").is_file()

    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    held_out = [rows[int(one) - 1] for one in read_json(result.run / "split.json")["test"]]
    asked = [{"context": row["passage"], **row, "choices": row["options"]} for row in held_out]
    model = truetune.load(result.run)
    said = model.predict(asked)
    saved = read_predicted(RunFolder(result.run), "after")
    assert [one["answer"] for one in said] == saved["answer"]
    # Where a choice stands says nothing.
    turned = model.predict([{**row, "choices": row["options"][::-1]} for row in asked])
    assert [one["answer"] for one in turned] == saved["answer"]
    assert turned[0]["probabilities"] == pytest.approx(said[0]["probabilities"][::-1], abs=1e-4)
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps(row) + "\n" for row in asked), encoding="utf-8")
    assert [one["answer"] for one in predicted_file(model, str(plain), QUIET)] == saved["answer"]
    again = truetune.evaluate(
        task="multiple-choice",
        gold=[{"choices": row["options"], "answer": row["answer"]} for row in held_out],
        predicted=[one["answer"] for one in said],
    )
    assert again.score("accuracy").value == scores["accuracy"]
    with pytest.raises(DataError, match=r"has 4 choices, but the model learns at most 3"):
        model.predict([{"context": "", "question": "Who?", "choices": ["a", "b", "c", "d"]}])
    # What the card says of plain Transformers gives the same scores, a row a choice.
    names: dict[str, Any] = {"path": str(result.run / "model")}
    names["contexts"] = [row["context"] for row in asked for _ in row["choices"]]
    names["questions_with_choices"] = [f"{row['question']} {choice}" for row in asked for choice in row["choices"]]
    code = plain_code(read_json(result.run / "model" / "backbone.json")["form"])
    # The tokenizer of a tiny BERT is of no class that tells sides apart without being asked.
    exec(code.replace("padding=True", "padding=True, return_token_type_ids=True"), names)
    rows_of_first = names["logits"][: len(asked[0]["choices"]), 0].numpy().astype(float)
    assert softmax(rows_of_first) == pytest.approx(said[0]["probabilities"], abs=1e-5)


def test_what_a_file_holds_is_found_and_a_wrong_answer_told_with_its_line(tmp_path: Path, tiny_bert: Path) -> None:
    rows = [json.loads(line) for line in questions(tmp_path, 6).read_text(encoding="utf-8").splitlines()]
    named = [{"context": row["passage"], "question": row["question"], "choices": row["options"]} for row in rows]
    source = tmp_path / "named.jsonl"
    lines = [json.dumps({**row, "answer": place}) for place, row in enumerate(named)]
    source.write_text("\n".join(lines), encoding="utf-8")
    guess = guessed(str(source))
    assert guess.task == "multiple-choice"
    assert set(guess.columns) == {"context", "question", "choices", "answer"}
    settings = {"task": "multiple-choice", "data": {"source": str(source)}, "model": {"name": str(tiny_bert)}}
    with pytest.raises(DataError, match=r"named.jsonl:4: .*the answer '3' is none of the"):
        finetune({**settings, "track": {"output": str(tmp_path / "runs")}}, progress=QUIET)
