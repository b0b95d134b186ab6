"""`truetune demo`: the main job on embedded input; whatever cannot be had is said, and the next best is taken."""

from __future__ import annotations

import locale
import os
from typing import Literal

from truetune import config
from truetune.backbones.builtin import MODELS, ensure_model
from truetune.data.builtin import first_to_be_had
from truetune.errors import MissingPackageError
from truetune.workflows.finetune import FinetuneResult, finetune
from truetune.workflows.progress import Progress

Language = Literal["en", "zh"]

EXAMPLES = {"en": 8_000, "zh": 5_000}
"""How much of the embedded data is used, so that all of it takes minutes on two processor cores."""

LEARNING = {
    "minilm-en": {"learning_rate": 1e-4, "epochs": 2.0},
    "e5-small-multi": {"learning_rate": 5e-5, "epochs": 2.0},
}
"""What each embedded model learns well with."""

TAGGING = {"e5-small-multi": {"head_learning_rate": 3e-3}}
"""What else it needs where it tags: its features are small."""


def language_here() -> Language:
    """Return the language of the locale: Chinese, or else English."""
    named = os.environ.get("LC_ALL") or os.environ.get("LC_MESSAGES") or os.environ.get("LANG") or ""
    found = named or (locale.getlocale()[0] or "")
    return "zh" if found.lower().startswith(("zh", "chinese")) else "en"


def demo(task: str, language: Language, output: str, progress: Progress | None = None) -> FinetuneResult:
    """Fine-tune an embedded model on embedded data and return what came of it.

    The data comes first: the best set for task and language that is on this machine or can be brought; its
    own language then chooses the model.
    """
    shown = progress or Progress()
    data = first_to_be_had(language, task, shown.say)
    spoken = _language_of(data)
    model = _model(spoken, shown)
    settings = {
        "task": task,
        "data": {"source": f"builtin:{data}", "limit": EXAMPLES[spoken]},
        "model": {"name": f"builtin:{model}", "max_length": 128},
        "train": {
            **LEARNING[model],
            **(TAGGING.get(model, {}) if task == "ner" else {}),
            "evaluations_per_epoch": 2,
        },
        "track": {"output": output, "name": f"demo-{task}-{language}", "language": language},
    }
    return finetune(config.from_settings(settings), progress=shown)


def _language_of(data: str) -> Language:
    from truetune.data.builtin import DATA

    return "zh" if DATA[data].language == "zh" else "en"


def _model(language: Language, progress: Progress) -> str:
    """Return the embedded encoder for a language, or the next best one that can be had."""
    fitting = [name for name in LEARNING if MODELS[name].language == language]
    others = [name for name in LEARNING if name not in fitting]
    failure: MissingPackageError | None = None
    for name in [*fitting, *others]:
        try:
            ensure_model(name, progress.say)
        except MissingPackageError as error:
            progress.say(f"builtin:{name} is not to be had: {error}")
            failure = failure or error
        else:
            return name
    assert failure is not None
    raise failure
