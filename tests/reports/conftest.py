"""Run folders made by code: simulated systems on real-looking texts, scored with the real metrics.

Predictions are drawn, every number in `scores.json` is computed from them; nothing is typed in.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .made_labels import MANY, Setting, classification_run, label_sets_run
from .made_spans import ner_run

RUNS: dict[str, Callable[[Path], Path]] = {
    "two-en": lambda folder: classification_run(folder, Setting(("negative", "positive"))),
    "two-zh": lambda folder: classification_run(folder, Setting(("差评", "好评"), language="zh", seed=1)),
    "five-zh": lambda folder: classification_run(
        folder, Setting(("体育新闻", "财经", "科技与互联网", "娱乐", "国际时政要闻"), language="zh", seed=2)
    ),
    "many-en": lambda folder: classification_run(folder, MANY),
    "no-scores-en": lambda folder: classification_run(
        folder, Setting(("negative", "positive"), scores=False, skill=(2.0, 1.9))
    ),
    "ner-zh": lambda folder: ner_run(folder, "zh"),
    "label-sets-en": label_sets_run,
}


@pytest.fixture(scope="session")
def run_folder(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Return the function that makes a simulated run folder by name, each once."""
    made: dict[str, Path] = {}

    def folder(name: str) -> Path:
        if name not in made:
            made[name] = RUNS[name](tmp_path_factory.mktemp("runs") / name)
        return made[name]

    return folder
