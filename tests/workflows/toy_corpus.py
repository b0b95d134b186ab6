"""A corpus whose words tell each other, and the settings of a run that learns from it."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

from truetune.workflows.progress import Progress

QUIET = Progress(quiet=True)


def toy(folder: Path, number: int = 240) -> Path:
    """Write documents whose every word tells the next but one: an animal and its place, with a number."""
    rng = random.Random(0)
    pairs = [("cat", "house"), ("fish", "river"), ("bird", "tree"), ("horse", "field")]
    lines = []
    for _ in range(number):
        some = [rng.choice(pairs) for _ in range(4)]
        lines.append(" ".join(f"the {animal} in the {place}" for animal, place in some) + f" {rng.randrange(10**6)}")
    path = folder / "toy.txt"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def settings(folder: Path, model: str = "new:bert-tiny", **changes: Any) -> dict[str, Any]:
    task = changes.pop("task", "masked-language-modeling")
    model = changes.pop("name", model)
    tokenizer = {"new:gpt-tiny": "bpe"}.get(model, "wordpiece" if model.startswith("new:") else "keep")
    return {
        "task": task,
        "data": {"source": str(toy(folder))},
        "model": {"name": model, "max_length": 64, "dtype": "float32"},
        "pretrain": {"tokenizer": tokenizer, "vocabulary": 300, "held_out": 30},
        "train": {"epochs": 8, "learning_rate": 3e-3, "tokens_per_batch": 128, **changes.pop("train", {})},
        "evaluate": {"resamples": 200},
        "track": {"output": str(folder / "runs"), "name": "toy"},
        **changes,
    }
