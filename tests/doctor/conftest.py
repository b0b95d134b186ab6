"""Runs on a tiny model, of which each test of a mistake asks for the ones that it needs."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from truetune.bundle.run_folder import RunFolder
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

from .systems import phrases


def rows(begin: int, end: int, flip: bool = False) -> str:
    """Phrases of the Wall Street Journal and their kind; with `flip`, the other one."""
    other = {"NP": "VP", "VP": "NP"}
    return "".join(
        json.dumps({"text": text, "label": other[kind] if flip else kind}) + "\n" for text, kind in phrases()[begin:end]
    )


@pytest.fixture(scope="session")
def runs(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Callable[[str], RunFolder]:
    """Return a finished run: `plain`, `flipped test` (every test label is the other one), `another seed`."""

    @cache
    def run(name: str) -> RunFolder:
        folder = tmp_path_factory.mktemp("run")
        parts = {"train": (0, 60), "validation": (60, 90), "test": (90, 130)}
        for part, places in parts.items():
            text = rows(*places, flip=part == "test" and name == "flipped test")
            (folder / f"{part}.jsonl").write_text(text, encoding="utf-8")
        settings: dict[str, Any] = {
            "task": "classification",
            "data": {part: str(folder / f"{part}.jsonl") for part in parts},
            "model": {"name": str(tiny_bert), "dtype": "float32"},
            "train": {"epochs": 1, "learning_rate": 1e-3, "seed": int(name == "another seed")},
            "evaluate": {"resamples": 100, "baselines": ["majority"]},
            "track": {"output": str(folder), "name": "run"},
        }
        (folder / "settings.json").write_text(json.dumps(settings), encoding="utf-8")
        return RunFolder(finetune(settings, progress=Progress(quiet=True)).run)

    return run
