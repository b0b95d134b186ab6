"""The TensorFlow backbone, loaded with the tokenizer of its model, or read back from a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.tf_backbone import TensorFlowBackbone
from truetune.backbones.tf_limits import refuse_settings
from truetune.backbones.tf_saved import load_network, load_saved
from truetune.backbones.tokenizer import FastTokenizer
from truetune.types import Ints


def load_backbone(
    settings: ModelSettings, recipe: Recipe, tokenizer: FastTokenizer, vocabulary: Ints | None = None
) -> TensorFlowBackbone:
    """Load a pretrained model for fine-tuning; `vocabulary` as for PyTorch: what is trained of the word embeddings.

    Raises ModelError for a model that cannot be loaded, and for any setting that is not there on TensorFlow.
    """
    refuse_settings(settings, recipe)
    network = load_network(settings)
    if vocabulary is not None and not settings.freeze_embeddings and not network.form.writes:
        network.body.trim(np.union1d(vocabulary, tokenizer.special))
    chosen = replace(settings, device="cpu", precision="float32", max_length=tokenizer.max_length)
    return TensorFlowBackbone(network, tokenizer, chosen, recipe)


def saved_backbone(folder: Path) -> TensorFlowBackbone:
    """Load a folder that either framework saved, to predict with it or to train it further."""
    network, tokenizer, settings = load_saved(folder)
    return TensorFlowBackbone(network, tokenizer, replace(settings, device="cpu", precision="float32"), Recipe())
