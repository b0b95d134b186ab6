"""Few labels: vectors that learn which texts share a label, and a linear head, on a tiny real model."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune.bundle.run_folder import RunFolder
from truetune.errors import ConfigError, ModelError
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress
from truetune.workflows.systems import read_predicted

QUIET = Progress(quiet=True)
WORDS = {
    "pos": ["lovely", "brilliant", "warm", "funny", "great"],
    "neg": ["dull", "tedious", "bad", "boring"],
    "city": ["Paris", "Berlin"],
}


def reviews(folder: Path, number: int = 180) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        label = list(WORDS)[place % 3]
        rows.append({"text": f"{rng.choice(WORDS[label])} {rng.choice(['story', 'plot'])} {place}", "label": label})
    path = folder / "reviews.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, model: Path, **changes: Any) -> dict[str, Any]:
    return {
        "task": "classification",
        "data": {"source": str(reviews(folder)), "validation_share": 0.2, "test_share": 0.3, "per_label": 8},
        "model": {"name": str(model), "dtype": "float32"},
        "train": {"epochs": 25, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "recipe": {"contrastive": True},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
        **changes,
    }


def test_eight_texts_a_label_are_enough_and_the_saved_model_says_the_same(tmp_path: Path, tiny_bert: Path) -> None:
    result = finetune(settings(tmp_path, tiny_bert), progress=QUIET)
    facts = read_json(result.run / "data.json")
    assert facts["splits"]["train"]["labels"] == {"city": 8, "neg": 8, "pos": 8}
    assert facts["removed"]["set aside by data.per_label"] == 66
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert scores["accuracy"] > 0.9, "a tiny model learns the toy set"
    losses = [json.loads(line) for line in (result.run / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    steps = [line["loss"] for line in losses if line["event"] == "step"]
    assert steps[0] > 2.5
    assert steps[-1] == pytest.approx(np.log(7), abs=0.1), "the least where each of eight picks seven alike"

    rows = [json.loads(line) for line in (tmp_path / "reviews.jsonl").read_text(encoding="utf-8").splitlines()]
    held_out = [rows[int(one) - 1]["text"] for one in read_json(result.run / "split.json")["test"]]
    said = truetune.load(result.run).predict(held_out)
    saved = read_predicted(RunFolder(result.run), "after")
    assert [one["label"] for one in said] == saved["label"]
    assert [one["scores"] for one in said] == [pytest.approx(one) for one in saved["scores"]]
    # Plain Transformers and the head in its file say it too.
    from safetensors.numpy import load_file

    head = load_file(result.run / "model" / "head.safetensors")
    assert head["1.weight"].shape == (3, 32)
    assert np.abs(head["1.weight"]).max() > 0.1, "fitted, not as it was drawn"


def test_what_contrast_is_not_for_is_refused(tmp_path: Path, tiny_bert: Path, tiny_gpt2: Path) -> None:
    with pytest.raises(ConfigError, match=r"recipe.r_drop: has no meaning beside recipe.contrastive"):
        finetune(settings(tmp_path, tiny_bert, recipe={"contrastive": True, "r_drop": 1.0}), progress=QUIET)
    with pytest.raises(ModelError, match=r"recipe.contrastive is for labels of whole texts and encoders"):
        finetune(settings(tmp_path, tiny_gpt2), progress=QUIET)
    source = tmp_path / "spans.jsonl"
    rows = [{"text": f"Anna {place}", "spans": [[0, 4, "who"]]} for place in range(40)]
    source.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    with pytest.raises(ConfigError, match=r"recipe.contrastive: is of one label a text"):
        finetune(settings(tmp_path, tiny_bert, task="ner", data={"source": str(source)}), progress=QUIET)
    with pytest.raises(ConfigError, match=r"data.per_label: is of one label a text"):
        finetune(
            settings(tmp_path, tiny_bert, task="ner", data={"source": str(source), "per_label": 4}), progress=QUIET
        )
