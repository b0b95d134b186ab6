"""What is trained beside frozen layers and merged into them when saved: LoRA and IA3. Matrices and factors are peft's.

LoRA: W x + (alpha / r) B A x, with A `[r, inputs]` drawn at random and B `[outputs, r]` zero at the start [Hu et al.
2022]. IA3: keys, values and the inner values of feed-forward blocks, each times a factor that is 1 at the start [Liu et
al. 2022]. So training begins at the pretrained model.
"""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Iterator
from typing import Any, cast

import torch
from torch import nn

from truetune.backbones.base import Lora
from truetune.backbones.torch_attention import KNOWN
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import layer_stacks
from truetune.errors import MissingPackageError, ModelError

_ADAPTER = "lora"
_LIKE = {**dict.fromkeys(KNOWN, "bert"), "marian": "bart", "mbart": "bart", "pegasus": "bart"}
"""Model type -> one that peft knows, whose matrices have the same names."""


def with_lora(network: Network, lora: Lora, seed: int) -> None:
    """Freeze the pretrained part, and put trained matrices of low rank beside every matrix of its layers.

    The head is trained whole, and so is a pooler: many files have none, and then it is as new as the head. Raises
    ModelError where the layers hold no matrix that is known, MissingPackageError without peft.
    """
    try:
        from peft import LoraConfig
    except ImportError:
        raise MissingPackageError("peft", "recipe.lora_rank", "lora") from None
    targets = _matrices(network, "recipe.lora_rank", "0")
    config = LoraConfig(
        r=lora.rank,
        lora_alpha=cast(int, lora.alpha),  # any number; peft says int
        lora_dropout=lora.dropout,
        target_modules=list(targets),
        fan_in_fan_out=_turned(targets),
    )
    _inject(network, config, seed)


def with_ia3(network: Network) -> None:
    """Freeze the pretrained part, and train factors of keys, values and inner values; head and pooler as with LoRA.

    Raises ModelError for a model whose keys and values peft does not know, MissingPackageError without peft.
    """
    try:
        from peft import IA3Config
        from peft.utils.constants import (
            TRANSFORMERS_MODELS_TO_IA3_FEEDFORWARD_MODULES_MAPPING as INNER,
        )
        from peft.utils.constants import TRANSFORMERS_MODELS_TO_IA3_TARGET_MODULES_MAPPING as SCALED
    except ImportError:
        raise MissingPackageError("peft", "recipe.ia3", "lora") from None
    own = str(network.model.config.model_type)
    name = own if own in SCALED else _LIKE.get(own, own)
    targets = _matrices(network, "recipe.ia3", "false")
    chosen = [one for one in targets if _ends(one, SCALED.get(name, ()))]
    if not chosen:
        raise ModelError(
            f"recipe.ia3: keys and values of {own} are not known to peft ({', '.join(sorted(SCALED))}); "
            "set it to false, or train with recipe.lora_rank"
        )
    config = IA3Config(
        target_modules=chosen,
        feedforward_modules=[one for one in chosen if _ends(one, INNER.get(name, ()))],
        fan_in_fan_out=_turned({one: targets[one] for one in chosen}),
    )
    _inject(network, config, 0)


@contextlib.contextmanager
def merged(model: Any) -> Iterator[None]:
    """While inside, a model holds plain matrices in the place of those with something of peft beside them."""
    adapted = [name for name, module in model.named_modules() if hasattr(module, "merged_adapters")]
    stored = {name: model.get_submodule(name) for name in adapted}
    try:
        for name, module in stored.items():
            whole = copy.deepcopy(module)
            whole.merge()
            _put(model, name, whole.get_base_layer())
        yield
    finally:
        for name, module in stored.items():
            _put(model, name, module)


def trained_whole(network: Network) -> list[nn.Parameter]:
    """Return the parameters that are new, and trained themselves: those of the head, and of a pooler.

    The output layer of a model that writes is pretrained, also where it is no part of the body.
    """
    if network.form.writes:
        return []
    inside = {id(one) for one in network.body.parameters()}
    return [one for name, one in network.named_parameters() if id(one) not in inside or "pooler." in name]


def _inject(network: Network, config: Any, seed: int) -> None:
    from peft import inject_adapter_in_model

    whole = trained_whole(network)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        inject_adapter_in_model(config, network.model, adapter_name=_ADAPTER)
    for parameter in whole:
        parameter.requires_grad_(True)


def _matrices(network: Network, key: str, off: str) -> dict[str, nn.Module]:
    """Return the matrices of the layers, by their names in the Transformers model."""
    from transformers.pytorch_utils import Conv1D

    inside = tuple(f"{name.removeprefix('model.')}." for name in layer_stacks(network))
    found: dict[str, nn.Module] = {
        name: module
        for name, module in network.model.named_modules()
        if name.startswith(inside) and isinstance(module, nn.Linear | Conv1D)
    }
    if not found:
        raise ModelError(f"{key}: {network.model.config.model_type} has no layers of plain matrices; set it to {off}")
    return found


def _turned(targets: dict[str, nn.Module]) -> bool:
    """Return whether matrices are stored `[inputs, outputs]`, as GPT-2 has them."""
    return any(not isinstance(one, nn.Linear) for one in targets.values())


def _ends(name: str, ends: Any) -> bool:
    return any(name == end or name.endswith(f".{end}") for end in ends)


def _put(model: Any, name: str, module: Any) -> None:
    parent, _, own = name.rpartition(".")
    setattr(model.get_submodule(parent), own, module)
