"""The PyTorch backbone: any Transformers encoder or decoder, loaded with its tokenizer, or read back from a folder."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.pretrained import ensure_found as ensure_found
from truetune.backbones.pretrained import load_tokenizer as load_tokenizer
from truetune.backbones.pretrained import used_pieces as used_pieces
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_device import chosen_device, chosen_precision
from truetune.backbones.torch_model import load_network
from truetune.backbones.torch_pieces import with_pieces
from truetune.backbones.torch_replaced import generator_of
from truetune.backbones.torch_saved import load_saved
from truetune.backbones.torch_together import Processes, local_device
from truetune.types import Ints


def load_backbone(
    settings: ModelSettings,
    recipe: Recipe,
    tokenizer: FastTokenizer,
    vocabulary: Ints | None = None,
    together: Processes | None = None,
) -> TorchBackbone:
    """Load a pretrained model for fine-tuning.

    `vocabulary`, the sorted distinct pieces of the training inputs, trims what is trained to their embedding
    rows: same result, less work. With `together` it learns with other processes. Raises ModelError for a model that
    cannot be loaded or used.
    """
    device = chosen_device(settings.device if together is None else local_device(settings.device))
    sharded = together is not None and together.sharded
    # What no single device holds comes to them layer by layer.
    network = load_network(settings, torch.device("cpu") if sharded else device)
    if settings.learns_pieces:
        rows = network.model.get_input_embeddings().weight.shape[0]
        known = np.arange(min(rows, tokenizer.size)) if vocabulary is None else vocabulary
        with_pieces(network, settings, torch.from_numpy(np.setdiff1d(known, tokenizer.special)))
    if settings.head == "detect":
        network.generator = generator_of(network, settings.seed)
    precision, _ = chosen_precision(settings.precision, device, network.model.config.hidden_size)
    chosen = replace(settings, device=str(device), precision=precision, max_length=tokenizer.max_length)
    if vocabulary is not None:
        vocabulary = np.union1d(vocabulary, tokenizer.special)
    return TorchBackbone(network, tokenizer, chosen, recipe, vocabulary, together)


def saved_backbone(folder: Path, device: str = "auto") -> TorchBackbone:
    """Load a folder that `save` wrote, to predict with it or to train it further."""
    network, tokenizer, settings = load_saved(folder, chosen_device(device))
    return TorchBackbone(network, tokenizer, settings, Recipe(), None)
