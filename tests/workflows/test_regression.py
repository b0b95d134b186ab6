"""Numbers from files to predictions, on a tiny real model: learnt, saved, loaded and the same."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.format import read_bundle
from truetune.errors import ConfigError, DataError
from truetune.workflows.finetune import finetune
from truetune.workflows.init import guessed
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
WORDS = {"boring": 10.0, "dull": 20.0, "warm": 30.0, "great": 40.0}


def written(path: Path, rows: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def ratings(folder: Path, number: int = 300) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        word = rng.choice(list(WORDS))
        rows.append({"text": f"{word} film {place} in {rng.choice(['Paris', 'Berlin'])}", "value": WORDS[word]})
    return written(folder / "ratings.jsonl", rows)


def pairs(folder: Path, number: int = 300) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        one, other = rng.choice(["warm", "dull"]), rng.choice(["warm", "dull"])
        value = (one == "warm") + 2 * (other == "warm")
        rows.append({"first": f"{one} film {place}", "second": f"{other} story {place}", "value": value})
    return written(folder / "pairs.jsonl", rows)


def settings(folder: Path, task: str, source: Path, model: Path, **train: Any) -> dict[str, Any]:
    return {
        "task": task,
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"learning_rate": 3e-3, "tokens_per_batch": 256, **train},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


def test_numbers_are_learnt_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = ratings(tmp_path)
    result = finetune(settings(tmp_path, "regression", source, tiny_bert, epochs=25), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "mae"
    assert scores["mae"] < 2, "a tiny model learns the toy set, whose numbers are 10 apart"
    assert scores["pearson"] > 0.98
    assert {one.name for one in (result.run / "baselines").iterdir()} == {"constant", "tfidf-ridge", "frozen-ridge"}
    bundle = read_bundle(result.run / "model")
    assert bundle.scale is not None
    assert bundle.scale[0] == pytest.approx(25, abs=5)

    model = truetune.load(result.run)
    texts = [f"{word} film 7 in Paris" for word in WORDS]
    said = [one["value"] for one in model.predict(texts)]
    assert said == pytest.approx(list(WORDS.values()), abs=5)
    plain = written(tmp_path / "plain.jsonl", [{"text": text} for text in texts])
    assert [one["value"] for one in predicted_file(model, str(plain), QUIET)] == pytest.approx(said)
    page = (result.run / "report.html").read_text(encoding="utf-8")
    assert "furthest from gold" in page
    with pytest.raises(DataError, match="expected 1 texts"):
        model.predict([("one", "two")])


def test_pairs_are_learnt(tmp_path: Path, tiny_bert: Path) -> None:
    source = pairs(tmp_path)
    result = finetune(settings(tmp_path, "similarity", source, tiny_bert, epochs=25), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "spearman"
    assert scores["pearson"] > 0.95, "a tiny model learns a number that both texts tell"
    assert (result.run / "baselines" / "overlap-ridge" / "scores.json").is_file()


def test_steps_are_learnt_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    source = ratings(tmp_path)
    result = finetune(settings(tmp_path, "ordinal", source, tiny_bert, epochs=15), progress=QUIET)
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.after["primary"] == "mae"
    assert scores["mae"] < 2, "a tiny model learns the toy set, whose steps are 10 apart"
    assert scores["accuracy"] > 0.9
    assert scores["kappa_quadratic"] > 0.95
    assert read_bundle(result.run / "model").labels == ("10|20", "20|30", "30|40")
    model = truetune.load(result.run)
    said = model.predict([f"{word} film 7 in Paris" for word in WORDS])
    assert [one["value"] for one in said] == list(WORDS.values())


def test_what_a_file_holds_is_found(tmp_path: Path) -> None:
    assert guessed(str(ratings(tmp_path))).task == "regression"
    assert guessed(str(pairs(tmp_path))).task == "similarity"
    renamed = written(tmp_path / "stars.jsonl", [{"review": "fine", "stars": 3}, {"review": "bad", "stars": 1}])
    assert dict(guessed(str(renamed), "regression").columns) == {"text": "review", "value": "stars"}


def test_recipes_of_labels_and_constant_numbers_are_refused(tmp_path: Path, tiny_bert: Path) -> None:
    wrong = {**settings(tmp_path, "regression", ratings(tmp_path), tiny_bert), "recipe": {"label_smoothing": 0.1}}
    with pytest.raises(ConfigError, match=r"recipe.label_smoothing: is of labels"):
        finetune(wrong, progress=QUIET)
    same = written(tmp_path / "same.jsonl", [{"text": f"film {place}", "value": 3} for place in range(40)])
    with pytest.raises(DataError, match="numbers of the training part are 3"):
        finetune(settings(tmp_path, "regression", same, tiny_bert), progress=QUIET)
