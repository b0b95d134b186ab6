"""A label and spans by one model from files to predictions, tiny and real: learnt, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)


def orders(folder: Path, number: int = 120) -> Path:
    """Who and where are slots; the verb says what is wanted."""
    rng = random.Random(0)
    rows = []
    for place in range(number):
        intent = rng.choice(["visited", "with", "and"])
        person, city = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"])
        text = f"{person} {intent} {city} {place}"
        spans = [[0, len(person), "who"]]
        if rng.random() < 0.8:
            start = text.index(city)
            spans.append([start, start + len(city), "where"])
        else:
            text = f"{person} {intent} {place}"
        rows.append({"text": text, "intent": intent, "spans": spans})
    path = folder / "orders.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, source: Path, model: Path, **changes: Any) -> dict[str, Any]:
    return {
        "task": "intent-slots",
        "data": {"source": str(source), "columns": {"label": "intent"}, "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 20, "learning_rate": 3e-3, "tokens_per_batch": 64},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
        **changes,
    }


def test_frames_are_learnt_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = orders(tmp_path)
    result = finetune(settings(tmp_path, source, tiny_bert), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "frame_accuracy"
    assert scores["frame_accuracy"] > 0.95, "a tiny model learns the toy set"
    assert {"accuracy", "span_f1", "slot_f1/who", "f1/visited"} <= set(scores)
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"majority", "tfidf-window", "frozen-linear"}
    fit = read_json(result.run / "baselines/tfidf-window/fit.json")
    assert {name.partition(".")[0] for name in fit["settings"]} == {"label", "spans"}
    bundle = read_bundle(result.run / "model")
    assert bundle.labels == ("and", "visited", "with")
    assert bundle.tags == ("O", "B-where", "I-where", "B-who", "I-who")
    assert (result.run / "report.html").is_file()

    rows = [json.loads(line) for line in source.read_text(encoding="utf-8").splitlines()]
    held_out = [rows[int(one) - 1] for one in read_json(result.run / "split.json")["test"]]
    model = truetune.load(result.run)
    said = model.predict([row["text"] for row in held_out])
    saved = read_predicted(RunFolder(result.run), "after")
    assert [one["label"] for one in said] == saved["label"]
    assert [[tuple(span) for span in one["spans"]] for one in said] == [
        [tuple(s) for s in one] for one in saved["spans"]
    ]
    plain = tmp_path / "plain.jsonl"
    plain.write_text("".join(json.dumps({"text": row["text"]}) + "\n" for row in held_out), encoding="utf-8")
    from_file = list(predicted_file(model, str(plain), QUIET))
    assert [one["label"] for one in from_file] == saved["label"]
    again = truetune.evaluate(
        task="intent-slots",
        gold=[{"label": row["intent"], "spans": row["spans"]} for row in held_out],
        predicted=[{"label": one["label"], "spans": [list(span) for span in one["spans"]]} for one in said],
    )
    assert again.score("frame_accuracy").value == scores["frame_accuracy"]


def test_another_metric_may_decide_and_weights_of_labels_are_refused(tmp_path: Path, tiny_bert: Path) -> None:
    source = orders(tmp_path, 60)
    short = {"train": {"epochs": 1, "learning_rate": 3e-3}, "evaluate": {"resamples": 100, "baselines": ["majority"]}}
    short["evaluate"]["metric"] = "span_f1"
    result = finetune(settings(tmp_path, source, tiny_bert, **short), progress=QUIET)
    assert result.comparison["primary"] == result.before["primary"] == "span_f1"
    with pytest.raises(ConfigError, match=r"recipe.class_weights: is of labels alone"):
        finetune(settings(tmp_path, source, tiny_bert, **short, recipe={"class_weights": "balanced"}), progress=QUIET)


def test_what_a_file_holds_is_found(tmp_path: Path) -> None:
    guess = guessed(str(orders(tmp_path)))
    assert guess.task == "intent-slots"
    assert dict(guess.columns) == {"text": "text", "label": "intent"}
