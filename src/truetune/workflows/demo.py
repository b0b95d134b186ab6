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
"""How much of the embedded data is used at most."""

SHARES = (1.0, 0.8, 0.65, 0.5, 0.4, 0.3)
TRAINING_SECONDS = 270.0
"""The first of these shares whose training is expected to take no longer is used, so that all of it takes minutes."""

PIECES = {"minilm-en": 26, "e5-small-multi": 55}
"""Of a text of the embedded data, about."""
WEIGHTS = {"minilm-en": 10.6e6, "e5-small-multi": 21.2e6}
"""Of the layers; each takes six operations a piece in training, as Kaplan et al. (2020) count them."""
REACHED = {"classification": 0.7, "ner": 0.5}
"""Training reaches this part of the speed of a bare matrix product (2 cores, float32, both models, measured)."""

LEARNING = {
    "minilm-en": {"learning_rate": 1e-4, "epochs": 2.0},
    "e5-small-multi": {"learning_rate": 5e-5, "epochs": 2.0},
}
"""What each embedded model learns well with."""

TAGGING = {"e5-small-multi": {"learning_rate": 1e-4, "head_learning_rate": 3e-3, "tokens_per_batch": 384}}
"""What else it needs where it tags: its features are small, and of few sentences it learns only in many small steps."""


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
        "data": {"source": f"builtin:{data}", "limit": _examples(task, spoken, model, shown)},
        "model": {"name": f"builtin:{model}", "max_length": 128},
        "train": {
            **LEARNING[model],
            **(TAGGING.get(model, {}) if task == "ner" else {}),
            "evaluations_per_epoch": 2,
        },
        "track": {"output": output, "name": f"demo-{task}-{language}", "language": language},
    }
    return finetune(config.from_settings(settings), progress=shown)


def examples_here(task: str, most: int, model: str, epochs: float, speed: float) -> int:
    """Return how many examples a machine of this speed (operations a second) trains on within the time of a demo."""
    seconds = most * 0.7 * epochs * PIECES[model] * 6 * WEIGHTS[model] / (REACHED[task] * speed)
    share = next((share for share in SHARES if share * seconds <= TRAINING_SECONDS), SHARES[-1])
    return int(share * most)


def _examples(task: str, language: Language, model: str, progress: Progress) -> int:
    from truetune.backbones.torch_device import chosen_device, products_a_second

    most = EXAMPLES[language]
    if chosen_device().type != "cpu":
        return most
    found = examples_here(task, most, model, LEARNING[model]["epochs"], products_a_second(384))
    if found < most:
        progress.say(f"this machine would need long for {most:,} examples: {found:,} are used")
    return found


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
