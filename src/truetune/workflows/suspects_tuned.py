"""Probabilities of labels from models that were fine-tuned on the other folds of the data, and what they cost."""

from __future__ import annotations

import hashlib
import itertools
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from truetune import config
from truetune.backbones.base import Backbone
from truetune.backbones.choice import load_backbone
from truetune.backbones.outputs import logits_of
from truetune.errors import ConfigError
from truetune.files import whole_file
from truetune.tasks.base import Labels, Task
from truetune.tasks.classify_encoding import softmax
from truetune.training.loop import train
from truetune.training.order import Plan
from truetune.training.stopping import Selection
from truetune.types import Encoded, Floats, Ints
from truetune.workflows.model import (
    lengths_of,
    model_place,
    need_packages,
    pieces_at_once,
    recipe_of,
    settings_of,
    shown_by,
    training_of,
)
from truetune.workflows.progress import Progress
from truetune.workflows.tuning import training_plan


@dataclass(frozen=True)
class Cost:
    """What fine-tuning on the folds took."""

    folds: int
    examples: int
    pieces: int
    """Read in training by all models together, without padding."""
    seconds: float
    """Of all folds, those that a call which was interrupted had done too."""


@dataclass(frozen=True)
class Folded:
    """Examples of one label each, and the fold of each."""

    columns: Sequence[Sequence[Any]]
    """The fields that the model reads."""
    codes: Ints
    names: tuple[str, ...]
    """Code -> label."""
    folds: Ints


def tuned_probabilities(
    settings: config.Config, task: Task, data: Folded, folder: Path, progress: Progress
) -> tuple[Floats, Cost]:
    """Return `[examples, labels]`, each from a model that was fine-tuned on the other folds, and what that cost.

    Models are trained as the config says, to the end: nothing is chosen on the labels that are judged. The result of
    each fold is kept in `folder`, by data and settings, so that a call after one that was interrupted goes on behind
    it: `forget_folds` removes them when what they were for is done. Raises `MissingPackageError` without what trains,
    `ConfigError` for a task that does not learn one label an example.
    """
    need_packages("looking for wrong labels with fine-tuned models", settings.model.framework)
    training = training_of(task)
    if training.head != "classify":
        raise ConfigError(f"--folds: is for tasks with one label an example; {task.name} is none")
    from truetune.backbones.pretrained import load_tokenizer

    labels = Labels(data.names)
    chosen = settings_of(settings, model_place(settings.model.name, progress), training.head, labels, training.marks)
    tokenizer = load_tokenizer(chosen)
    gold = {"label": [data.names[code] for code in data.codes.tolist()]}
    encoded = training.encode(data.columns, gold, labels, tokenizer, lengths_of(training, tokenizer.max_length)).inputs
    numbers = np.unique(data.folds).tolist()
    pieces = sum(len(one.ids) for one in encoded) * (len(numbers) - 1) * settings.train.epochs
    progress.say(
        f"fine-tuning {len(numbers)} models on {len(data.codes):,} texts, each on all but its fold: "
        f"{pieces:,.0f} pieces to learn from"
    )
    found = np.zeros((len(data.codes), len(labels.names)))
    began, done, seconds = time.monotonic(), 0, 0.0
    for number, fold in enumerate(numbers, start=1):
        held = np.flatnonzero(data.folds == fold)
        title = f"fold {number} of {len(numbers)}"
        file = _kept(folder, settings, data, fold)
        if not file.is_file():
            fold_began = time.monotonic()
            parts = [[one for one in encoded if (data.folds[one.example] == fold) == out] for out in (False, True)]
            recipe = recipe_of(settings, parts[0], labels, training.head)
            backbone = load_backbone(settings.model.framework, chosen, recipe, tokenizer)
            _learnt(backbone, parts[0], training_plan(settings, training.head), title, progress)
            with whole_file(file) as path, path.open("wb") as handle:
                judged = _judged(backbone, parts[1], held, title, progress)
                np.savez(handle, probabilities=judged, seconds=time.monotonic() - fold_began)
            done += 1
            left = (time.monotonic() - began) / done * (len(numbers) - number)
            progress.say(f"{title} done" + (f", about {left:,.0f} s to go" if number < len(numbers) else ""))
        else:
            progress.say(f"{title} is there from a call that was interrupted")
        with np.load(file, allow_pickle=False) as kept:
            found[held] = kept["probabilities"]
            seconds += float(kept["seconds"])
    return found, Cost(len(numbers), len(data.codes), round(pieces), seconds)


def forget_folds(settings: config.Config, data: Folded, folder: Path) -> None:
    """Remove what was kept of the folds of these data with these settings, and the folder when it is empty."""
    for fold in np.unique(data.folds).tolist():
        _kept(folder, settings, data, fold).unlink(missing_ok=True)
    if folder.is_dir() and not any(folder.iterdir()):
        folder.rmdir()


def _kept(folder: Path, settings: config.Config, data: Folded, fold: int) -> Path:
    return folder / f"{_fingerprint(settings, data, fold)}.npz"


def _learnt(backbone: Backbone, inputs: Sequence[Encoded], plan: Plan, title: str, progress: Progress) -> None:
    """Train to the end of the plan: every evaluation counts as better than the one before."""
    count = itertools.count()
    plan = replace(plan, evaluations=1, average_from=None)
    with progress.bar(title, 1000) as bar:
        for step in train(backbone, inputs, plan, (Selection("evaluations"), lambda: {"evaluations": next(count)})):
            bar(round(1000 * step.number / step.steps), f"loss {step.loss:.3f}")


def _judged(backbone: Backbone, inputs: Sequence[Encoded], held: Ints, title: str, progress: Progress) -> Floats:
    """Return `[held, labels]` probabilities; those of a text in windows are the means of its windows'."""
    outputs = np.stack(list(logits_of(backbone, inputs, pieces_at_once(backbone), shown_by(progress, title))))
    rows = np.searchsorted(held, [one.example for one in inputs])
    sums = np.zeros((len(held), outputs.shape[1]))
    np.add.at(sums, rows, softmax(outputs))
    means: Floats = sums / np.bincount(rows, minlength=len(held))[:, None]
    return means


def _fingerprint(settings: config.Config, data: Folded, fold: int) -> str:
    """Return what tells a fold's result from that of other data or settings."""
    told = hashlib.sha256(json.dumps([settings.model_dump(mode="json"), data.names, fold]).encode())
    for column in data.columns:
        told.update(json.dumps(list(column)).encode())
    told.update(data.codes.tobytes() + data.folds.tobytes())
    return told.hexdigest()[:16]
