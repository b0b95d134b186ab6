"""Whole runs on tiny real models: every stage leaves its files, and a killed run ends as an unbroken one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError, RunError
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress
from truetune.workflows.rescore import run_table

QUIET = Progress(quiet=True)
GOOD = ["lovely", "brilliant", "warm", "funny", "great"]
BAD = ["dull", "tedious", "bad", "boring", "unbelievable"]


def reviews(folder: Path, number: int = 120) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        good = place % 2 == 0
        words = [rng.choice(GOOD if good else BAD), "film", str(place), rng.choice(["story", "plot", "Paris"])]
        rows.append({"id": f"r{place}", "text": " ".join(words), "label": "pos" if good else "neg"})
    path = folder / "reviews.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def sentences(folder: Path, number: int = 90) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        person, city = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"])
        text = f"{person} visited {city} {place}"
        spans = [[0, len(person), "PER"], [len(person) + 9, len(person) + 9 + len(city), "LOC"]]
        rows.append({"text": text, "spans": spans, "group": f"page {place // 3}"})
    path = folder / "sentences.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, model: Path, **changes: Any) -> dict[str, Any]:
    task = changes.pop("task", "classification")
    source = (sentences if task == "ner" else reviews)(folder)
    train = {"epochs": 6, "learning_rate": 3e-3, "tokens_per_batch": 256, "evaluations_per_epoch": 1}
    return {
        "task": task,
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {**train, **changes},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }


@pytest.mark.parametrize("task", ["classification", "ner"])
def test_a_run_goes_the_whole_way(tmp_path: Path, tiny_bert: Path, task: str) -> None:
    result = finetune(settings(tmp_path, tiny_bert, task=task, epochs=20), progress=QUIET)
    run = RunFolder(result.run)
    assert run.finished
    primary = result.after["primary"]
    after = next(score for score in result.after["scores"] if score["metric"] == primary)
    assert after["value"] > 0.9, "a tiny model learns the toy set"
    assert after["low"] < after["value"] or after["value"] == 1
    assert result.comparison["primary"] == primary
    assert {one["candidate"] for one in result.comparison["comparisons"]} == {"fine-tuned"}
    assert len(result.verdict["lines"]["en"]) == len(result.verdict["lines"]["zh"]) == 3
    assert not run.checkpoints.exists()
    page = run.report.read_text(encoding="utf-8")
    assert result.verdict["lines"]["en"][1].partition(",")[0].removeprefix("Difference ") in page
    names = [file.suffix for file in result.run.rglob("*") if file.is_file()]
    assert not {".pt", ".bin", ".pkl", ".pickle"} & set(names)


def test_a_label_that_training_never_sees_is_missed_and_stops_nothing(tmp_path: Path, tiny_bert: Path) -> None:
    asked = settings(tmp_path, tiny_bert, epochs=1)
    rows = [json.loads(line) for line in Path(asked["data"]["source"]).read_text(encoding="utf-8").splitlines()]
    parts = {"train": rows[:60], "validation": rows[60:80], "test": rows[80:]}
    for part, place in (("validation", 3), ("test", 5)):
        parts[part][place] = {**parts[part][place], "label": "unheard of"}
    asked["data"] = {part: str(tmp_path / f"{part}.jsonl") for part in parts}
    for part, some in parts.items():
        Path(asked["data"][part]).write_text("".join(json.dumps(row) + "\n" for row in some), encoding="utf-8")
    result = finetune(asked, progress=QUIET)
    scores = {one["metric"]: one for one in result.after["scores"]}
    assert scores["f1/unheard of"]["value"] == 0
    assert scores["accuracy"]["value"] <= 39 / 40
    assert any(note.startswith("1 gold labels (2.50%) were given") for note in result.after["warnings"])
    assert len(truetune.load(result.run).predict(["a film"])[0]["scores"]) == 2


def test_the_metric_of_the_config_decides_in_every_file(tmp_path: Path, tiny_bert: Path) -> None:
    asked = settings(tmp_path, tiny_bert, epochs=1)
    asked["evaluate"]["metric"] = "f1_macro"
    result = finetune(asked, progress=QUIET)
    assert result.comparison["primary"] == result.after["primary"] == result.before["primary"] == "f1_macro"
    assert read_json(result.run / "after/scores.json")["primary"] == "f1_macro"


@pytest.mark.parametrize("task", ["classification", "ner"])
def test_a_run_that_keeps_little_in_memory_is_the_same_run(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, task: str
) -> None:
    in_memory = finetune(settings(tmp_path, tiny_bert, task=task, epochs=2), progress=QUIET)
    monkeypatch.setattr("truetune.data.parse.Reading.chunks.__defaults__", (17,))
    monkeypatch.setattr("truetune.data.encoded.IN_MEMORY", 0)
    monkeypatch.setattr("truetune.workflows.model.ENCODED_AT_ONCE", 7)
    on_disk = finetune(settings(tmp_path, tiny_bert, task=task, epochs=2), progress=QUIET)
    for name in ("split.json", "audit.json", "data.json", "before/scores.json", "after/scores.json"):
        assert read_json(on_disk.run / name) == read_json(in_memory.run / name), name
    losses = [
        [
            line["loss"]
            for line in map(json.loads, (run / "events.jsonl").read_text().splitlines())
            if line["event"] == "step"
        ]
        for run in (in_memory.run, on_disk.run)
    ]
    assert losses[0] == losses[1]


def test_predictions_in_parts_are_those_of_the_whole(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = finetune(settings(tmp_path, tiny_bert, epochs=1), progress=QUIET).run
    model, file = truetune.load(run), tmp_path / "texts.txt"
    texts = [f"a {word} film {place}" for place, word in enumerate(GOOD + BAD)]
    file.write_text("\n".join(texts) + "\n", encoding="utf-8")
    whole = model.predict(texts)
    monkeypatch.setattr("truetune.workflows.model.EXAMPLES_AT_ONCE", 3)
    monkeypatch.setattr("truetune.workflows.predict_file.AT_ONCE", 4)
    for found in (model.predict(texts), list(predicted_file(model, str(file), QUIET))):
        assert [one["label"] for one in found] == [one["label"] for one in whole]
        for one, other in zip(found, whole, strict=True):
            assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)


def test_what_ships_is_what_was_scored(tmp_path: Path, tiny_bert: Path) -> None:
    result = finetune(settings(tmp_path, tiny_bert, epochs=2), progress=QUIET)
    scores = truetune.evaluate(
        task="classification",
        gold=[row["gold.label"] for row in _table(result.run)],
        predicted=[
            said["label"] for said in truetune.load(result.run).predict([r["text"] for r in _table(result.run)])
        ],
    )
    saved = next(score for score in result.after["scores"] if score["metric"] == "accuracy")
    assert scores.score("accuracy").value == saved["value"]


def test_labels_that_the_model_does_not_know_are_all_named(tmp_path: Path, tiny_bert: Path) -> None:
    result = finetune(settings(tmp_path, tiny_bert, epochs=1), progress=QUIET)
    other = tmp_path / "other.jsonl"
    rows = [{"text": "a word", "label": label} for label in ("pos", "poss", "other")]
    other.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(truetune.TruetuneError) as error:
        run_table(result.run, str(other))
    assert f"{other}:2: the model does not know label 'poss'; did you mean 'pos'?" in str(error.value)
    assert f"{other}:3: the model does not know label 'other'" in str(error.value)
    assert f"{other}:1:" not in str(error.value)


def _table(run: Path) -> list[dict[str, Any]]:
    import pyarrow.parquet as pq

    rows: list[dict[str, Any]] = pq.read_table(run / "after" / "predictions.parquet").to_pylist()
    return rows


def test_groups_stay_together_and_test_the_difference(tmp_path: Path, tiny_bert: Path) -> None:
    result = finetune(settings(tmp_path, tiny_bert, task="ner", epochs=1), progress=QUIET)
    split = read_json(result.run / "split.json")
    pages = {name: {(int(one) - 1) // 3 for one in split[name]} for name in ("train", "validation", "test")}
    assert not pages["train"] & pages["test"]
    assert not pages["train"] & pages["validation"]
    assert "groups" in result.after["scores"][0]["signature"]


def test_equal_runs_give_equal_numbers_and_another_seed_does_not(tmp_path: Path, tiny_bert: Path) -> None:
    first = finetune(settings(tmp_path, tiny_bert, epochs=1), progress=QUIET)
    second = finetune(settings(tmp_path, tiny_bert, epochs=1), progress=QUIET)
    other = finetune(settings(tmp_path, tiny_bert, epochs=1, seed=1), progress=QUIET)
    assert second.run.name == "tiny-2"
    assert _losses(first.run) == _losses(second.run)
    assert first.after["scores"] == second.after["scores"]
    assert _losses(first.run) != _losses(other.run)


def _losses(run: Path) -> list[float]:
    lines = (run / "events.jsonl").read_text(encoding="utf-8").splitlines()
    return [event["loss"] for event in map(json.loads, lines) if event["event"] == "step"]


def _killed_run(config: Path, delay: float) -> bool:
    """Start a run in a process of its own and kill it after `delay`; return whether it was still running."""
    command = [sys.executable, "-m", "truetune", "finetune", str(config)]
    runs = list(Path(read_yaml(config)["track"]["output"]).glob("tiny*"))
    if runs:
        command.append("--resume")
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    said = config.with_suffix(".log")
    with said.open("w", encoding="utf-8") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        try:
            process.wait(delay)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
            return True
    assert process.returncode == 0, said.read_text(encoding="utf-8")
    return False


def read_yaml(path: Path) -> dict[str, Any]:
    import yaml

    loaded: dict[str, Any] = yaml.safe_load(path.read_text(encoding="utf-8"))
    return loaded


def _kills(tmp_path: Path, model: Path, times: int, seed: int) -> None:
    import yaml

    folder = tmp_path / "unbroken"
    folder.mkdir()
    plain = settings(folder, model, epochs=6, checkpoint_seconds=0.0)
    config = folder / "tiny.yaml"
    config.write_text(yaml.safe_dump(plain), encoding="utf-8")
    began = time.monotonic()
    assert not _killed_run(config, 600)
    whole = time.monotonic() - began
    rng = random.Random(seed)
    for number in range(times):
        broken = tmp_path / f"broken{number}"
        broken.mkdir()
        config = broken / "tiny.yaml"
        config.write_text(yaml.safe_dump(settings(broken, model, epochs=6, checkpoint_seconds=0.0)), encoding="utf-8")
        while _killed_run(config, whole * rng.uniform(0.15, 0.95)):
            pass
        for name in ("before/scores.json", "after/scores.json", "comparison.json", "split.json"):
            assert read_json(broken / "runs" / "tiny" / name) == read_json(folder / "runs" / "tiny" / name), name
        assert _losses(broken / "runs" / "tiny") == _losses(folder / "runs" / "tiny")


def test_a_killed_run_ends_as_an_unbroken_one(tmp_path: Path, tiny_bert: Path) -> None:
    _kills(tmp_path, tiny_bert, times=1, seed=0)


@pytest.mark.slow
def test_twenty_killed_runs_end_as_the_unbroken_one(tmp_path: Path, tiny_bert: Path) -> None:
    _kills(tmp_path, tiny_bert, times=20, seed=1)


def test_resuming_with_other_settings_is_refused(tmp_path: Path, tiny_bert: Path) -> None:
    asked = settings(tmp_path, tiny_bert, epochs=1)
    with pytest.raises(RunError, match="holds no run 'tiny'"):
        finetune(asked, resume=True, progress=QUIET)
    run = finetune(asked, progress=QUIET).run
    (run / "manifest.json").unlink()
    asked["train"]["learning_rate"] = 1e-5
    with pytest.raises(ConfigError, match=r"other settings \(train.learning_rate\)"):
        finetune(asked, resume=True, progress=QUIET)


def test_bad_data_stops_before_anything_is_spent(tmp_path: Path, tiny_bert: Path) -> None:
    asked = settings(tmp_path, tiny_bert)
    Path(asked["data"]["source"]).write_text(
        '{"text": "a", "label": "x"}\n{"text": "", "label": "y"}\n', encoding="utf-8"
    )
    with pytest.raises(truetune.TruetuneError, match=r"reviews.jsonl:2: `text`: expected a text, found an empty one"):
        finetune(asked, progress=QUIET)
    assert not list((tmp_path / "runs").glob("*"))


def test_a_model_that_cannot_be_loaded_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "no-model").mkdir()
    with pytest.raises(truetune.TruetuneError, match="cannot be loaded"):
        finetune(settings(tmp_path, tmp_path / "no-model"), progress=QUIET)
    assert not list((tmp_path / "runs").glob("*"))


def test_a_model_that_cannot_be_loaded_is_told_before_data_is_read(tmp_path: Path) -> None:
    asked = settings(tmp_path, tmp_path / "no-model")
    Path(asked["data"]["source"]).write_text("no JSON", encoding="utf-8")
    with pytest.raises(truetune.TruetuneError, match=r"no-model.* cannot be loaded"):
        finetune(asked, progress=QUIET)


def test_a_model_that_says_no_numbers_any_more_is_told_of(tmp_path: Path, tiny_bert: Path) -> None:
    asked = settings(tmp_path, tiny_bert)
    asked["train"] |= {"learning_rate": 1e30, "tokens_per_batch": 100_000}  # one step, and then validation
    with pytest.raises(RunError, match=r"not a number any more.*Lower train\.learning_rate"):
        finetune(asked, progress=QUIET)


@pytest.mark.parametrize("row", [{"text": "a word", "label": "x"}, {"text": "a word", "spans": []}])
def test_gold_that_is_all_the_same_is_refused(tmp_path: Path, tiny_bert: Path, row: dict[str, Any]) -> None:
    asked = settings(tmp_path, tiny_bert, task="ner" if "spans" in row else "classification")
    lines = (json.dumps({**row, "text": f"word {place}"}) for place in range(40))
    Path(asked["data"]["source"]).write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(truetune.TruetuneError, match="nothing to learn or to measure"):
        finetune(asked, progress=QUIET)
    assert not list((tmp_path / "runs").glob("*"))
