"""Distillation: what a fine-tuned model finds probable is learnt beside the labels [Hinton et al. 2015]."""

from __future__ import annotations

import numpy as np

from truetune.errors import ConfigError
from truetune.types import Floats
from truetune.workflows.predict import load
from truetune.workflows.stage import Stage


def taught_targets(stage: Stage) -> Floats | None:
    """Return the target of each training text, `[examples, labels]`; None without a teacher.

    A share of it are the teacher's probabilities, the rest is the label's.

    Raises `ConfigError` for a teacher of another task or of other labels.
    """
    recipe, names = stage.config.recipe, stage.labels.names
    if recipe.teacher is None:
        return None
    teacher = load(recipe.teacher, stage.config.model.device)
    bundle = teacher.bundle
    if bundle.task != stage.data.task.name or bundle.multiple or set(bundle.labels) != set(names):
        raise ConfigError(
            f"recipe.teacher: {recipe.teacher} was fine-tuned for {bundle.task} with the labels "
            f"{', '.join(sorted(bundle.labels)[:5])}...; expected the task {stage.data.task.name} with "
            f"{', '.join(names[:5])}..., the same as in this training part"
        )
    said = teacher.undecided_columns(stage.data.columns("train"), stage.progress)["scores"]
    shares = np.array([[one[name] for name in names] for one in said], dtype=np.float64)
    code = {name: place for place, name in enumerate(names)}
    own = np.array([code[label] for label in stage.data.gold("train")["label"]], dtype=np.int64)
    shares *= recipe.teacher_share
    shares[np.arange(len(own)), own] += 1 - recipe.teacher_share
    return shares
