"""Labels with levels: the score of the levels decides a run, and is refused where labels have none."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from truetune.bundle.run_folder import RunFolder
from truetune.config import from_settings
from truetune.errors import MetricError
from truetune.optimization.runner import halves_of
from truetune.tasks.table import TASKS, task_named
from truetune.workflows.finetune import finetune
from truetune.workflows.parts import prepared
from truetune.workflows.progress import Progress
from truetune.workflows.stage import deciding_metric

WORDS = {"animal/dog": "lovely", "animal/cat": "dull", "plant": "story"}


def described(path: Path, number: int = 150) -> Path:
    rng = random.Random(0)
    with path.open("w", encoding="utf-8") as file:
        for place in range(number):
            label = rng.choice(sorted(WORDS))
            file.write(json.dumps({"text": f"{WORDS[label]} film {place}", "label": label}) + "\n")
    return path


def test_the_f1_of_levels_chooses_baseline_and_checkpoint(tmp_path: Path, tiny_bert: Path) -> None:
    settings = {
        "task": "classification",
        "data": {"source": str(described(tmp_path / "kinds.jsonl")), "validation_share": 0.2, "test_share": 0.3},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 20, "learning_rate": 3e-3, "tokens_per_batch": 256},
        "evaluate": {"resamples": 200, "baselines": ["majority"], "metric": "hierarchical_f1"},
        "track": {"output": str(tmp_path / "runs")},
    }
    result = finetune(settings, progress=Progress(quiet=True))
    scores = {score["metric"]: score["value"] for score in result.after["scores"]}
    assert result.comparison["primary"] == "hierarchical_f1"
    assert scores["hierarchical_f1"] > 0.95
    assert scores["accuracy_level1"] > 0.95


def test_levels_are_refused_where_labels_have_none() -> None:
    """By hand: `animal` for `animal/dog` has one hit of 2 + 1 labels."""
    task, name = TASKS["classification"], "hierarchical_f1"
    metric = deciding_metric(task, {"label": ["animal/dog"]}, {"label": ["animal"]}, name)
    assert float(metric.value(metric.rows(["animal/dog"], ["animal"]))) == pytest.approx(2 / 3)
    several: dict[str, Any] = {"labels": [("plant", "animal/dog")]}
    assert deciding_metric(task, several, {"labels": ()}, name).gold == "labels"
    with pytest.raises(MetricError, match="not there for these labels"):
        deciding_metric(task, {"label": ["animal"]}, {"label": ["animal"]}, name)
    with pytest.raises(MetricError, match="not there for these labels"):
        deciding_metric(task, several, {"labels": (), "scores": ()}, "roc_auc_ovo")


def test_a_search_refuses_them_before_anything_is_trained(tmp_path: Path) -> None:
    lines = "".join(f"{'pos' if place % 2 else 'neg'}\tfilm {place}\n" for place in range(60))
    (tmp_path / "flat.txt").write_text(lines, encoding="utf-8")
    config = from_settings(
        {
            "task": "classification",
            "data": {"source": str(tmp_path / "flat.txt"), "validation_share": 0.4, "test_share": 0.2},
            "model": {"name": "none"},
        }
    )
    data = prepared(task_named("classification"), config.data, RunFolder(tmp_path / "run"), Progress(quiet=True))
    with pytest.raises(MetricError, match="not there for these labels"):
        halves_of(data, "hierarchical_f1", 0)
    assert halves_of(data, "f1_macro", 0)["search"].judge.metric.name == "f1_macro"
