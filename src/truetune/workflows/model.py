"""From the settings of a run to a backbone, and from a backbone to predictions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune import config
from truetune.backbones.base import Backbone, ModelSettings, Recipe
from truetune.backbones.builtin import builtin_folder
from truetune.backbones.outputs import Watch, logits_of
from truetune.errors import MissingPackageError, TruetuneError
from truetune.tasks.base import Labels, Lengths, Task, Training
from truetune.workflows.progress import Progress

PREDICTED_AT_ONCE = 8192
"""Pieces, padding counted, in one batch of predictions."""


def model_place(name: str, progress: Progress) -> str:
    """Return where a model is loaded from: the folder of an embedded one, else the name as it is."""
    if name.startswith("builtin:"):
        return str(builtin_folder(name.removeprefix("builtin:"), progress.say))
    return name


def settings_of(run: config.Config, place: str, training: Training, labels: Labels) -> ModelSettings:
    """Return the backbone's settings."""
    model = run.model
    return ModelSettings(
        name=place,
        head=training.head,
        labels=labels.names,
        multiple=labels.multiple,
        max_length=model.max_length,
        dropout=model.dropout,
        freeze_embeddings=model.freeze_embeddings,
        precision=model.dtype,
        device=model.device,
        seed=run.train.seed,
    )


def recipe_of(train: config.Train) -> Recipe:
    """Return how the weights are moved."""
    return Recipe(weight_decay=train.weight_decay, clip=train.clip)


def lengths_of(training: Training, longest: int) -> Lengths:
    """Return how long texts are read: in windows that share a quarter where every piece has an answer."""
    return Lengths(longest, longest // 4 if training.head == "tag" else 0, "windows")


def training_of(task: Task) -> Training:
    """Return how a task is trained; raises `TruetuneError` for one that is only scored."""
    if task.training is None:
        raise TruetuneError(
            f"the task {task.name!r} is scored, not trained, by this version; `truetune tasks` lists those that are"
        )
    return task.training


def shown_by(progress: Progress, title: str) -> Watch:
    """Return what moves a progress bar with the batches of a prediction."""
    return lambda batches: progress.over(title, batches, len(batches))


def predicted_by(
    backbone: Backbone,
    training: Training,
    columns: Sequence[Sequence[str]],
    labels: Labels,
    threshold: float,
    progress: Progress,
) -> dict[str, list[Any]]:
    """Return the predicted columns of texts."""
    lengths = lengths_of(training, backbone.tokenizer.max_length)
    encoded = training.encode(columns, None, labels, backbone.tokenizer, lengths).inputs
    outputs = logits_of(backbone, encoded, PREDICTED_AT_ONCE, shown_by(progress, "predicting"))
    return training.decode(columns[0], encoded, outputs, labels, threshold)


def need_packages(needed_for: str) -> None:
    """Raise `MissingPackageError` where what fine-tuning needs is not installed."""
    import importlib.util

    for package in ("torch", "transformers", "safetensors", "sklearn"):
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, needed_for, "train")


def facts_of(backbone: Backbone) -> Mapping[str, Any]:
    """Return what was chosen for this machine and model."""
    return dict(backbone.facts)
