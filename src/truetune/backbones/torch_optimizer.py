"""Which parameters move together, and AdamW over them [Loshchilov and Hutter 2019]."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from truetune.backbones.base import Recipe
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_placed import placed
from truetune.backbones.torch_vocabulary import RowEmbedding
from truetune.errors import ModelError

EMBEDDINGS, HEAD = "embeddings", "head"
_BESIDE = re.compile(r"^prompt\.|\.prefix_(key|value)$|\.ia3_l\.")
"""Vectors and factors learnt beside a frozen model: they have no decay, which would take factors from 1 to 0."""


def trained(network: Network) -> dict[str, nn.Parameter]:
    """Return the parameters that training changes, by name, in the order of the network."""
    return {name: one for name, one in network.named_parameters() if one.requires_grad}


def group_of(network: Network) -> dict[str, str]:
    """Return the group of each trained parameter: `embeddings`, `layer.0`, ..., `head`.

    The layers of a decoder are numbered on after those of its encoder. What of the pretrained part stands after the
    layers (a last norm, a pooler) goes with the last layer.
    """
    stacks = layer_stacks(network)
    inside = {id(one) for one in network.body.parameters()}
    groups, last = {}, EMBEDDINGS
    for name, parameter in trained(network).items():
        if id(parameter) not in inside:
            groups[name] = EMBEDDINGS if name.startswith("prompt.") else HEAD
            continue
        below = 0
        for prefix, layers in stacks.items():
            found = re.match(rf"{re.escape(prefix)}\.(\d+)\.", name)
            last = f"layer.{below + int(found[1])}" if found else last
            below += layers
        groups[name] = last
    return groups


def freeze_layers(network: Network, number: int) -> None:
    """Train no embeddings and none of the `number` lowest layers; 0: all is trained as it was.

    Raises ModelError where the model has fewer layers.
    """
    if not number:
        return
    groups = group_of(network)
    layers = len({group for group in groups.values() if group.startswith("layer.")})
    if number > layers:
        raise ModelError(f"model.freeze_layers: {number} layers cannot be frozen, the model has {layers}")
    frozen = {EMBEDDINGS, *(f"layer.{place}" for place in range(number))}
    parameters = trained(network)
    for name, group in groups.items():
        if group in frozen:
            parameters[name].requires_grad_(False)


def adamw(network: Network, recipe: Recipe) -> torch.optim.AdamW:
    """Return AdamW whose parameter groups carry their `group` name; decay for matrices of layers only."""
    embeddings = {id(one) for module in network.modules() for one in _table_of(module)}
    parts: dict[tuple[str, bool], list[nn.Parameter]] = {}
    parameters = trained(network)
    for name, group in group_of(network).items():
        decays = parameters[name].ndim > 1 and id(parameters[name]) not in embeddings and not _BESIDE.search(name)
        parts.setdefault((group, decays), []).append(parameters[name])
    return torch.optim.AdamW(
        [
            {"params": params, "group": group, "weight_decay": recipe.weight_decay if decays else 0.0}
            for (group, decays), params in parts.items()
        ],
        lr=0.0,
        betas=recipe.betas,
        eps=recipe.epsilon,
        fused=True,
    )


def moments(network: Network, optimizer: torch.optim.AdamW) -> dict[str, Tensor]:
    """Return the optimizer's running means by parameter: `mean/NAME`, `square/NAME`, `steps/NAME`."""
    found = {}
    for name, parameter in trained(network).items():
        state = optimizer.state.get(parameter)
        if state:
            found[f"mean/{name}"] = state["exp_avg"]
            found[f"square/{name}"] = state["exp_avg_sq"]
            found[f"steps/{name}"] = state["step"]
    return found


def set_moments(network: Network, optimizer: torch.optim.AdamW, values: Mapping[str, Tensor]) -> None:
    """Give an optimizer the running means that `moments` returned."""
    optimizer.state.clear()
    for name, parameter in trained(network).items():
        if f"mean/{name}" not in values:
            continue
        state: dict[str, Any] = {
            "exp_avg": placed(values[f"mean/{name}"].clone(), parameter),
            "exp_avg_sq": placed(values[f"square/{name}"].clone(), parameter),
            "step": values[f"steps/{name}"].to(parameter.device, copy=True),
        }
        optimizer.state[parameter] = state


def layer_stacks(network: Network) -> dict[str, int]:
    """Return the name of each list of layers in the pretrained part, from input to output, and how many there are.

    An encoder-decoder has one of the encoder and one of the decoder, others the longest of their lists of modules.
    """
    lists = {name: len(module) for name, module in network.named_modules() if isinstance(module, nn.ModuleList)}
    if getattr(network.model.config, "is_encoder_decoder", False):
        return {name: one for name, one in lists.items() if not any(name.startswith(f"{other}.") for other in lists)}
    longest = max(lists, key=lambda name: lists[name], default=None)
    return {} if longest is None else {longest: lists[longest]}


def _table_of(module: nn.Module) -> list[Tensor]:
    if isinstance(module, RowEmbedding):
        return [module.rows]
    return [module.weight] if isinstance(module, nn.Embedding) else []
