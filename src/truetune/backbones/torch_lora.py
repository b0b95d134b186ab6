"""LoRA: a trained difference of low rank beside each frozen matrix of the layers, merged into it when saved.

W x + (alpha / r) B A x, with A `[r, inputs]` drawn at random and B `[outputs, r]` zero at the start, so that
training begins at the pretrained model [Hu et al. 2022]. The matrices are peft's.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import nn

from truetune.backbones.base import Lora
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import layer_stacks
from truetune.errors import MissingPackageError, ModelError

_ADAPTER = "lora"


def with_lora(network: Network, lora: Lora, seed: int) -> None:
    """Freeze the pretrained part, and put trained matrices of low rank beside every matrix of its layers.

    The head is trained whole, and so is a pooler: many files have none, and then it is as new as the head. Raises
    ModelError where the layers hold no matrix that is known, MissingPackageError without peft.
    """
    try:
        from peft import LoraConfig, inject_adapter_in_model
    except ImportError:
        raise MissingPackageError("peft", "recipe.lora_rank", "lora") from None
    whole = [one for name, one in network.named_parameters() if _trained_whole(network, name)]
    targets = _matrices(network)
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=cast(int, lora.alpha),  # any number; peft says int
        lora_dropout=lora.dropout,
        target_modules=list(targets),
        fan_in_fan_out=any(not isinstance(one, nn.Linear) for one in targets.values()),
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, network.model, adapter_name=_ADAPTER)
    for parameter in whole:
        parameter.requires_grad_(True)


@contextlib.contextmanager
def merged(model: Any) -> Iterator[None]:
    """While inside, a model holds plain matrices W + (alpha / r) B A in the place of those with LoRA beside them."""
    adapted = [name for name, module in model.named_modules() if hasattr(module, "get_delta_weight")]
    stored = {name: model.get_submodule(name) for name in adapted}
    try:
        for name, module in stored.items():
            plain = copy.deepcopy(module.base_layer)
            with torch.no_grad():
                plain.weight += module.get_delta_weight(_ADAPTER)
            _put(model, name, plain)
        yield
    finally:
        for name, module in stored.items():
            _put(model, name, module)


def _matrices(network: Network) -> dict[str, nn.Module]:
    """Return the matrices of the layers, by their names in the Transformers model."""
    from transformers.pytorch_utils import Conv1D

    inside = tuple(f"{name.removeprefix('model.')}." for name in layer_stacks(network))
    found: dict[str, nn.Module] = {
        name: module
        for name, module in network.model.named_modules()
        if name.startswith(inside) and isinstance(module, nn.Linear | Conv1D)
    }
    if not found:
        raise ModelError(
            f"recipe.lora_rank: {network.model.config.model_type} has no layers of plain matrices; set it to 0"
        )
    return found


def _trained_whole(network: Network, name: str) -> bool:
    inside = {id(one) for one in network.body.parameters()}
    return id(network.get_parameter(name)) not in inside or "pooler." in name


def _put(model: Any, name: str, module: Any) -> None:
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, module)
