"""Which framework runs a model: PyTorch or TensorFlow, imported only where it is the one."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

from truetune.backbones.base import Backbone, ModelSettings, Recipe
from truetune.backbones.tokenizer import FastTokenizer
from truetune.errors import MissingPackageError, ModelError
from truetune.types import Ints

PYTORCH, TENSORFLOW = "pytorch", "tensorflow"
BOTH = ("transformers", "safetensors", "sklearn")
"""Packages that are needed beside a framework: files and tokenizers of models, baselines."""
PACKAGES = {PYTORCH: ("train", ("torch", *BOTH)), TENSORFLOW: ("tensorflow", ("tensorflow", "keras", *BOTH))}
"""Framework -> its extra, and the packages that are needed with it."""


def need_framework(framework: str, needed_for: str) -> None:
    """Raise `MissingPackageError` for the first package that is not installed of those that a framework needs."""
    extra, packages = PACKAGES[framework]
    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, needed_for, extra)


def load_backbone(
    framework: str,
    settings: ModelSettings,
    recipe: Recipe,
    tokenizer: FastTokenizer,
    vocabulary: Ints | None = None,
    together: Any = None,
) -> Backbone:
    """Load a pretrained model for fine-tuning.

    `vocabulary`: the sorted distinct pieces of the training inputs, whose embeddings alone are trained; None: all.
    `together`: the processes of `torch_together` that it learns with. Raises ModelError for a model that cannot be
    loaded, or not by this framework.
    """
    if framework == TENSORFLOW:
        from truetune.backbones import tensorflow

        if together is not None:
            raise ModelError("on TensorFlow a model learns in one process; set workers to 1")
        return tensorflow.load_backbone(settings, recipe, tokenizer, vocabulary)
    from truetune.backbones import torch

    return torch.load_backbone(settings, recipe, tokenizer, vocabulary, together)


def saved_backbone(framework: str, folder: Path, device: str = "auto") -> Backbone:
    """Load a folder that `save` of either framework wrote, to predict with it or to train it further."""
    if framework == TENSORFLOW:
        from truetune.backbones import tensorflow

        return tensorflow.saved_backbone(folder)
    from truetune.backbones import torch

    return torch.saved_backbone(folder, device)
