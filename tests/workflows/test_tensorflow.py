"""Whole runs on TensorFlow, on tiny real models: by the same loop, as good as PyTorch, shipped for both."""

from __future__ import annotations

import importlib.util
import json
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

if importlib.util.find_spec("tensorflow") is None or importlib.util.find_spec("keras") is None:
    pytest.skip("TensorFlow is not installed: pip install 'truetune[tensorflow]'", allow_module_level=True)

import truetune
from truetune import config as configs
from truetune.bundle.format import read_bundle, write_bundle
from truetune.bundle.run_folder import RunFolder
from truetune.cli.main import main
from truetune.errors import ConfigError, ModelError, TruetuneError
from truetune.files import read_json
from truetune.optimization.around import space_around
from truetune.optimization.moves import advice_for
from truetune.optimization.space import default_space
from truetune.workflows.finetune import FinetuneResult, finetune
from truetune.workflows.pretrain import pretrain
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
GOOD, BAD = ["lovely", "brilliant", "warm"], ["dull", "tedious", "bad"]
ANSWERS = {"Anna": "story", "Bob": "plot", "Paris": "film", "Berlin": "great"}


def review(rng: random.Random, place: int) -> dict[str, Any]:
    good = place % 2 == 0
    text = f"{rng.choice(GOOD if good else BAD)} film {place} {rng.choice(['story', 'plot'])}"
    return {"text": text, "label": "pos" if good else "neg"}


def sentence(rng: random.Random, place: int) -> dict[str, Any]:
    person, city = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"])
    spans = [[0, len(person), "PER"], [len(person) + 9, len(person) + 9 + len(city), "LOC"]]
    return {"text": f"{person} visited {city} {place}", "spans": spans}


def question(rng: random.Random, place: int) -> dict[str, Any]:
    person, city = rng.choice(["Anna", "Bob"]), rng.choice(["Paris", "Berlin"])
    return {"question": "dull plot", "context": f"{person} visited {city} with {place}", "answers": [city]}


def saying(rng: random.Random, place: int) -> dict[str, Any]:
    word = rng.choice(list(ANSWERS))
    return {"source": f"{place % 40} {rng.choice('abcd')} {word}", "reference": ANSWERS[word]}


Row = Callable[[random.Random, int], dict[str, Any]]
TASKS: Mapping[str, tuple[str, Row, int, float]] = {
    "classification": ("tiny_bert", review, 15, 3e-3),
    "ner": ("tiny_bert", sentence, 15, 3e-3),
    "qa": ("tiny_bert", question, 20, 3e-3),
    "translation": ("tiny_gpt2", saying, 25, 5e-3),
}
"""Task -> model, rows, epochs and rate with which a tiny model learns the toy set."""

EVALUATED = {
    "classification": {"baselines": ["majority"]},
    "ner": {"baselines": ["all-O"]},
    "qa": {"baselines": ["no-answer"]},
    "translation": {"baselines": ["copy"], "metric": "chrf"},
}
"""Task -> the cheapest baseline: those of a model are PyTorch's code, too."""


def settings(folder: Path, model: Path, task: str, framework: str = "tensorflow") -> dict[str, Any]:
    _, row, epochs, rate = TASKS[task]
    rng = random.Random(0)
    source = folder / "rows.jsonl"
    source.write_text("".join(json.dumps(row(rng, place)) + "\n" for place in range(120)), encoding="utf-8")
    return {
        "task": task,
        "data": {"source": str(source), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(model), "framework": framework, "dtype": "float32"},
        "train": {"epochs": epochs, "learning_rate": rate, "tokens_per_batch": 512},
        "evaluate": {"resamples": 200, **EVALUATED[task]},
        "track": {"output": str(folder / "runs"), "name": framework},
    }


def primary(result: FinetuneResult) -> Mapping[str, Any]:
    return next(score for score in result.after["scores"] if score["metric"] == result.after["primary"])


SLOW = [pytest.param(task, marks=pytest.mark.slow) for task in ("translation", "qa")]


@pytest.mark.parametrize("task", ["classification", "ner", *SLOW])
def test_a_run_is_as_good_as_with_pytorch(task: str, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    model = request.getfixturevalue(TASKS[task][0])
    ours = finetune(settings(tmp_path, model, task), progress=QUIET)
    theirs = finetune(settings(tmp_path, model, task, "pytorch"), progress=QUIET)
    found, expected = primary(ours), primary(theirs)
    assert found["value"] > 0.8, "a tiny model learns the toy set"
    assert expected["low"] <= found["value"] <= expected["high"] or found["low"] <= expected["value"] <= found["high"]
    run = RunFolder(ours.run)
    assert run.finished
    assert read_bundle(run.model).framework == "tensorflow"
    facts = read_json(run.manifest)["model"]
    assert (facts["framework"], facts["precision"]) == ("tensorflow", "float32")
    if task != "translation":
        rows = [json.loads(line) for line in (tmp_path / "rows.jsonl").read_text(encoding="utf-8").splitlines()][:20]
        inputs = [[row[name] for name in ("question", "context", "text") if name in row] for row in rows]
        here = truetune.load(ours.run).predict(inputs)
        write_bundle(run.model, replace(read_bundle(run.model), framework="pytorch"))
        assert same(truetune.load(ours.run).predict(inputs), here), "PyTorch reads what TensorFlow shipped"


def same(one: list[dict[str, Any]], other: list[dict[str, Any]]) -> bool:
    """Return whether predictions are the same but for the last digits of their scores."""
    return json.loads(json.dumps(one), parse_float=rounded) == json.loads(json.dumps(other), parse_float=rounded)


def rounded(text: str) -> float:
    return round(float(text), 4)


def test_a_broken_run_ends_as_an_unbroken_one(
    tmp_path: Path, tiny_bert: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = settings(tmp_path, tiny_bert, "classification")
    asked["train"] |= {"epochs": 3, "checkpoint_seconds": 0, "tokens_per_batch": 128}
    whole = finetune(asked, progress=QUIET)

    from truetune.backbones.tf_backbone import TensorFlowBackbone

    step, done = TensorFlowBackbone.train_step, []

    def stopping(self: TensorFlowBackbone, *batch: Any) -> float:
        done.append(step(self, *batch))
        if len(done) == 4:
            raise KeyboardInterrupt
        return done[-1]

    with monkeypatch.context() as patch:
        patch.setattr(TensorFlowBackbone, "train_step", stopping)
        with pytest.raises(KeyboardInterrupt):
            finetune(asked, progress=QUIET)
    resumed = finetune(asked, resume=True, progress=QUIET)
    assert resumed.run != whole.run
    for name in ("model.safetensors", "head.safetensors"):
        assert (resumed.run / "model" / name).read_bytes() == (whole.run / "model" / name).read_bytes()
    assert read_json(resumed.run / "after/scores.json") == read_json(whole.run / "after/scores.json")
    asked_file = tmp_path / "asked.jsonl"
    asked_file.write_text('{"text": "warm film"}\n', encoding="utf-8")
    capsys.readouterr()
    assert main(["predict", str(whole.run), str(asked_file)]) == 0
    assert '"label": "' in capsys.readouterr().out
    assert main(["evaluate", str(whole.run)]) == 0


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recipe": {"lora_rank": 4}}, "recipe.lora_rank: 4"),
        ({"recipe": {"r_drop": 1.0}}, "recipe.r_drop: 1.0"),
        ({"recipe": {"fgm": 1.0}}, "recipe.fgm: 1.0"),
        ({"recipe": {"mixout": 0.5}}, "recipe.mixout: 0.5"),
        ({"recipe": {"ema": 0.99}}, "recipe.ema: 0.99"),
        ({"recipe": {"contrastive": True}}, "recipe.contrastive: true"),
        ({"recipe": {"teacher": "a/run"}}, "recipe.teacher: a/run"),
        ({"model": {"layers": 1}}, "model.layers: 1"),
        ({"model": {"dtype": "bfloat16"}}, "model.dtype: bfloat16"),
        ({"model": {"device": "cuda"}}, "model.device: cuda"),
        ({"model": {"gradient_checkpointing": True}}, "model.gradient_checkpointing: true"),
        ({"train": {"packing": True}}, "train.packing: true"),
        ({"generate": {"beams": 4}}, "generate.beams: 4"),
        ({"scale": "torchrun", "workers": 2}, "scale: torchrun`, `workers: 2"),
        ({"scale": "torchrun", "workers": 2, "shard": True}, "shard: true"),
    ],
    ids=str,
)
def test_what_tensorflow_lacks_is_refused_by_name(change: Mapping[str, Any], said: str, tmp_path: Path) -> None:
    asked = settings(tmp_path, Path("anywhere"), "classification")
    with_change = {
        **asked,
        **{key: {**asked.get(key, {}), **value} if isinstance(value, dict) else value for key, value in change.items()},
    }
    with pytest.raises(ConfigError, match=said):
        configs.from_settings(with_change)
    with_change["model"] = {**with_change["model"], "framework": "pytorch"}
    configs.from_settings(with_change)


def test_a_saved_model_reproduces_the_scores(
    tmp_path: Path, tiny_bert: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = settings(tmp_path, tiny_bert, "classification")
    asked["train"] |= {"epochs": 2}
    run = finetune(asked, progress=QUIET).run
    options = ["--format", "savedmodel", "--margin", "0.5", "--json", "--resamples", "200"]
    status = main(["export", str(run), str(tmp_path / "shipped"), *options])
    said = json.loads(capsys.readouterr().out)
    assert (status, said["engine"]) == (0, "tensorflow")
    (agreement,) = said["parity"]["agreement"]
    assert (agreement["system"], agreement["same"]) == ("SavedModel", agreement["examples"])
    assert agreement["largest"] < 1e-5
    scores = said["parity"]["scores"]
    values = {name: [one["value"] for one in found if one["metric"] == "accuracy"] for name, found in scores.items()}
    assert values["SavedModel"] == values["TensorFlow"]

    from truetune.backbones.tf_saved_model import FOLDER, SavedModelRun

    stored = read_json(tmp_path / "shipped/export.json")
    assert (stored["labels"], stored["inputs"]) == (["neg", "pos"], ["ids", "mask", "segments"])
    loaded, model = SavedModelRun(tmp_path / "shipped" / FOLDER), truetune.load(run)
    for batch in model.batches([["a lovely film", "dull", "a tedious and bad story " * 3]], 64):
        inputs = {"ids": batch.ids, "mask": batch.mask.astype(int), "segments": batch.segments}
        assert loaded(inputs) == pytest.approx(model._backbone.predict(batch), abs=1e-5)
    with pytest.raises(ModelError, match="holds a SavedModel, which is a program"):
        truetune.load(tmp_path / "shipped")
    assert main(["export", str(run), str(tmp_path / "other"), "--format", "savedmodel", "--int8"]) == 2


def test_tasks_and_models_that_are_not_there_are_refused(tmp_path: Path, tiny_llama: Path, tiny_bert: Path) -> None:
    with pytest.raises(TruetuneError, match="is a llama"):
        finetune(settings(tmp_path, tiny_llama, "translation"), progress=QUIET)
    assert not list((tmp_path / "runs").glob("tensorflow*"))
    asked = settings(tmp_path, tiny_bert, "classification") | {"task": "masked-language-modeling"}
    with pytest.raises(ConfigError, match="tensorflow does not pretrain"):
        pretrain(asked, progress=QUIET)


def test_a_search_proposes_only_what_tensorflow_has(tmp_path: Path) -> None:
    here, there = (
        configs.from_settings(settings(tmp_path, Path("anywhere"), "classification", name))
        for name in ("tensorflow", "pytorch")
    )
    keys, known = ({move.key for move in default_space(one, {})} for one in (here, there))
    assert known - keys == {"recipe.ema"}
    assert {one["key"]: one["values"] for one in advice_for("over-fitting", here)}["recipe.r_drop"] == []
    assert all(one["values"] for one in advice_for("over-fitting", there))


@pytest.mark.parametrize(("framework", "layers"), [("tensorflow", False), ("pytorch", True)])
def test_a_search_for_costs_too_leaves_out_layers_where_they_are_no_setting(
    framework: str, layers: bool, tmp_path: Path, tiny_bert: Path
) -> None:
    asked = settings(tmp_path, tiny_bert, "classification", framework)
    asked["optimize"] = {"objectives": ["score", "latency"]}
    space = space_around(configs.from_settings(asked), str(tiny_bert), {}, {"diagnosis": None})
    assert ("model.layers" in {move.key for move in space.moves}) == layers


@pytest.mark.slow
def test_a_search_runs_and_its_finalists_are_tested(tmp_path: Path, tiny_bert: Path) -> None:
    asked = settings(tmp_path, tiny_bert, "classification")
    asked["train"]["epochs"] = 3
    asked["optimize"] = {"trials": 3, "finalists": 1, "seeds": 2}
    (tmp_path / "asked.yaml").write_text(json.dumps(asked), encoding="utf-8")
    assert main(["optimize", str(tmp_path / "asked.yaml"), "--json"]) == 0
    search, tuned = (RunFolder(tmp_path / "runs" / f"tensorflow-{name}") for name in ("search", "optimized"))
    trials = [read_json(folder / "trial.json") for folder in sorted((search.path / "trials").iterdir())]
    assert len(trials) == 3
    assert {one["state"] for one in trials} <= {"finished", "stopped"}
    assert read_bundle(tuned.model).framework == "tensorflow"
    assert tuned.finished
