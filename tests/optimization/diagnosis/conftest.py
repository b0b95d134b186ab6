"""Runs of a tiny model on made reviews, with and without something planted; each is trained once a session."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from truetune import config as configs
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)
WORDS = {
    "pos": ["lovely", "brilliant", "warm", "funny", "great"],
    "neg": ["dull", "tedious", "bad", "boring", "plot"],
}
SETTINGS = {
    "train.epochs": 4.0,
    "train.learning_rate": 3e-3,
    "train.tokens_per_batch": 256,
    "evaluate.baselines": ["majority"],
    "evaluate.resamples": 200,
}

Rows = list[dict[str, Any]]


def reviews(number: int, seed: int, noise: float = 0.0) -> Rows:
    """Return texts that one of their words gives away, and labels of which a share is wrong."""
    rng = random.Random(seed)
    rows: Rows = []
    for place in range(number):
        label = ("pos", "neg")[place % 2]
        said = label if rng.random() >= noise else {"pos": "neg", "neg": "pos"}[label]
        text = f"a {rng.choice(WORDS[label])} story and film {seed} {place}"
        rows.append({"id": f"{seed}-{place}", "text": text, "label": said})
    return rows


Made = Callable[..., Path]


@pytest.fixture(scope="session", name="reviews")
def reviews_function() -> Callable[..., Rows]:
    """Return the function that makes texts with labels."""
    return reviews


@pytest.fixture(scope="session")
def made_run(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Made:
    """Return the function that trains on parts and settings that are changed, and returns the folder of the run."""

    def made(name: str, train: Rows | None = None, validation: Rows | None = None, **changed: Any) -> Path:
        folder = tmp_path_factory.mktemp(name)
        parts = {"train": train or reviews(120, 1), "validation": validation or reviews(120, 2), "test": reviews(20, 3)}
        for part, rows in parts.items():
            lines = "".join(json.dumps(row) + "\n" for row in rows)
            (folder / f"{part}.jsonl").write_text(lines, encoding="utf-8")
        groups: dict[str, Any] = {
            "task": "classification",
            "data": {part: str(folder / f"{part}.jsonl") for part in parts},
            "model": {"name": str(tiny_bert), "dtype": "float32"},
            "track": {"output": str(folder / "runs"), "name": name},
        }
        for key, value in {**SETTINGS, **{key.replace("__", "."): one for key, one in changed.items()}}.items():
            group, _, last = key.partition(".")
            groups.setdefault(group, {})[last] = value
        return finetune(configs.from_settings(groups), progress=QUIET).run

    return made


@pytest.fixture(scope="session")
def healthy(made_run: Made) -> Path:
    """The folder of a run with nothing wrong."""
    return made_run("healthy")
