"""Distillation on tiny real models: the soft targets, a student of one layer, and what is refused."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

import truetune
from truetune.backbones.torch_losses import soft_loss
from truetune.errors import ConfigError, ModelError
from truetune.files import read_json
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
GOOD, BAD = ["lovely", "brilliant", "warm", "funny", "great"], ["dull", "tedious", "bad", "boring"]


def reviews(folder: Path, labels: tuple[str, str] = ("pos", "neg"), number: int = 120) -> Path:
    rng = random.Random(0)
    rows = []
    for place in range(number):
        words = GOOD if place % 2 else BAD
        rows.append({"text": f"{rng.choice(words)} film {place}", "label": labels[1 - place % 2]})
    path = folder / f"{labels[0]}.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def settings(folder: Path, name: Path, /, **changes: Any) -> dict[str, Any]:
    return {
        "task": "classification",
        "data": {"source": str(reviews(folder)), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(name), "dtype": "float32"},
        "train": {"epochs": 6, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 100, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
        **changes,
    }


def test_the_loss_of_shares_by_hand() -> None:
    logits = np.random.default_rng(0).normal(size=(2, 3))
    shares = np.array([[0.5, 0.5, 0.0], [0.1, 0.2, 0.7]])
    expected = -3 * (shares * log_softmax(logits, axis=1)).sum()
    assert soft_loss(torch.from_numpy(logits), torch.from_numpy(shares)).item() == pytest.approx(expected)
    # A target that is all of one label is the plain cross-entropy.
    sure = soft_loss(torch.from_numpy(logits[:1]), torch.tensor([[0.0, 1.0, 0.0]])).item()
    assert sure / 3 == pytest.approx(-log_softmax(logits[0])[1])


def test_a_smaller_student_learns_from_a_teacher(tmp_path: Path, tiny_bert: Path) -> None:
    teacher = finetune(settings(tmp_path, tiny_bert), progress=QUIET)
    model = {"name": str(tiny_bert), "dtype": "float32", "layers": 1}
    recipe = {"teacher": str(teacher.run), "teacher_share": 1.0}
    track = {"output": str(tmp_path / "runs"), "name": "student"}
    # With a share of 1 the teacher alone is read.
    student = finetune(settings(tmp_path, tiny_bert, model=model, recipe=recipe, track=track), progress=QUIET)
    scores = {one["metric"]: one["value"] for one in student.after["scores"]}
    assert scores["accuracy"] > 0.95
    stored = read_json(student.run / "model" / "config.json")
    assert stored["num_hidden_layers"] == 1
    texts = ["a great film", "boring film"]
    told = [[one["scores"]["pos"] for one in truetune.load(run).predict(texts)] for run in (teacher.run, student.run)]
    assert told[1] == pytest.approx(told[0], abs=0.1), "what the teacher finds probable, the student does"
    sizes = [(run / "model" / "model.safetensors").stat().st_size for run in (teacher.run, student.run)]
    assert sizes[1] < sizes[0]


def test_another_teacher_and_too_many_layers_are_refused(tmp_path: Path, tiny_bert: Path) -> None:
    short = {"train": {"epochs": 1, "learning_rate": 1e-3}}
    other = {"source": str(reviews(tmp_path, ("good", "poor"))), "validation_share": 0.2, "test_share": 0.3}
    teacher = finetune(settings(tmp_path, tiny_bert, data=other, **short), progress=QUIET)
    with pytest.raises(ConfigError, match=r"recipe.teacher: .*with the labels good, poor.*expected the task"):
        finetune(settings(tmp_path, tiny_bert, recipe={"teacher": str(teacher.run)}, **short), progress=QUIET)
    recipe = {"teacher": str(teacher.run), "focal_gamma": 1.0}
    with pytest.raises(ConfigError, match=r"recipe.focal_gamma: has no meaning beside recipe.teacher"):
        finetune(settings(tmp_path, tiny_bert, data=other, recipe=recipe, **short), progress=QUIET)
    with pytest.raises(ModelError, match=r"model.layers: .* with 2 layers, of which 3 cannot be kept"):
        finetune(settings(tmp_path, tiny_bert, model={"name": str(tiny_bert), "layers": 3}, **short), progress=QUIET)
