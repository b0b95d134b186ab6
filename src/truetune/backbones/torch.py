"""The PyTorch backbone: any Transformers encoder or decoder, loaded with its tokenizer, or read back from a folder."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_device import chosen_device, chosen_precision
from truetune.backbones.torch_model import explained, load_network, quiet
from truetune.backbones.torch_saved import load_saved
from truetune.backbones.torch_together import Processes, local_device
from truetune.types import Ints


def ensure_found(name: str) -> None:
    """Raise ModelError where no model of that name or folder can be had, before work is spent on anything else."""
    from transformers import AutoConfig

    with quiet(), explained(name):
        AutoConfig.from_pretrained(name)


def load_tokenizer(settings: ModelSettings) -> FastTokenizer:
    """Load the tokenizer of a model; for tags and answers, Chinese and Japanese are cut into single characters.

    Raises ModelError where `max_length` is more than the model takes.
    """
    from transformers import AutoConfig, AutoTokenizer

    with quiet(), explained(settings.name):
        config = AutoConfig.from_pretrained(settings.name)
        two_sided = bool(getattr(config, "is_encoder_decoder", False))
        tokenizer = FastTokenizer(AutoTokenizer.from_pretrained(settings.name), _positions(config), two_sided)
    if settings.max_length is not None:
        tokenizer.shorten(settings.max_length)
    if settings.head in ("tag", "span"):
        tokenizer.isolate_han()
    return tokenizer


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
    precision, _ = chosen_precision(settings.precision, device, network.model.config.hidden_size)
    chosen = replace(settings, device=str(device), precision=precision, max_length=tokenizer.max_length)
    if vocabulary is not None:
        vocabulary = np.union1d(vocabulary, tokenizer.special)
    return TorchBackbone(network, tokenizer, chosen, recipe, vocabulary, together)


def saved_backbone(folder: Path, device: str = "auto") -> TorchBackbone:
    """Load a folder that `save` wrote, to predict with it or to train it further."""
    network, tokenizer, settings = load_saved(folder, chosen_device(device))
    return TorchBackbone(network, tokenizer, settings, Recipe(), None)


def used_pieces(inputs: Iterable[Ints]) -> Ints:
    """Return the sorted distinct ids of training inputs, some thousand of which are in memory at a time."""
    rest = iter(inputs)
    used = np.zeros(0, dtype=np.int64)
    while some := list(islice(rest, 4096)):
        used = np.union1d(used, np.concatenate(some))
    return used


def _positions(config: Any) -> int | None:
    """Return how many pieces the position embeddings reach."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        return None
    reserved = (config.pad_token_id or 0) + 1 if config.model_type in _RESERVING else 0
    return int(positions) - reserved


_RESERVING = frozenset({"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "longformer", "mpnet"})
"""Model types whose positions begin behind the padding id."""
