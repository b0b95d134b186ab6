"""Attention to keys and values that stand before those of the text [Li and Liang 2021], for any Transformers model.

peft hands a prefix to decoders as pieces that were read before; encoders look at no such pieces. Here every attention
that Transformers lets be replaced has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from truetune.backbones.torch_attention import KNOWN, attention
from truetune.errors import ModelError

NAME, FUSED = "truetune-prefix", "truetune-prefix-fused"
UNKNOWN = ("softcap", "s_aux")
"""What some models hand to their attention that is not computed here."""


class Switch:
    """Whether what a model learnt beside its pretrained part is read."""

    def __init__(self) -> None:
        self.on = True


def read_through(network: Any) -> None:
    """Let a network's attentions read their prefixes."""
    device = next(network.parameters()).device
    fused = device.type == "cpu" and network.model.config.model_type in KNOWN
    _registered(NAME, prefixed)
    _registered(FUSED, _fused)
    network.model.set_attn_implementation(FUSED if fused else NAME)


def for_export(network: Any) -> None:
    """Let attentions compute by operations that exporters know."""
    network.model.set_attn_implementation(NAME)


def recorded(network: Any, ids: Tensor) -> dict[str, tuple[Tensor, Tensor]]:
    """Return what every attention makes of a text `[pieces]`: keys and values, `[heads, pieces, width]` each.

    Raises ModelError for a model whose attention cannot be replaced, or computes what is not known here.
    """
    found: dict[int, tuple[Tensor, Tensor]] = {}

    def recording(
        module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, told: Mapping[str, Any]
    ) -> Any:
        if any(told.get(name) is not None for name in UNKNOWN):
            return None
        # Contiguous, as what a restored optimizer remembers of them is.
        found[id(module)] = _whole(key[0]), _whole(value[0])
        return prefixed(module, query, key, value, mask, told)

    before = network.model.config._attn_implementation
    _registered(NAME, recording)
    network.model.set_attn_implementation(NAME)
    training = network.training
    network.eval()
    try:
        rows = {"input_ids": ids[None], "attention_mask": torch.ones_like(ids)[None]}
        with torch.no_grad():
            network.body(**rows, **({"decoder_input_ids": ids[None]} if network.two_sided else {}))
    except (TypeError, ValueError):
        found = {}
    finally:
        network.train(training)
        network.model.set_attn_implementation(before)
    if not found:
        raise ModelError(
            f"recipe.prefix_pieces: the attention of {network.model.config.model_type} takes no prefix; set it to 0, "
            "and take recipe.prompt_pieces or recipe.lora_rank"
        )
    return {name: found[id(module)] for name, module in network.model.named_modules() if id(module) in found}


def prefixed(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, told: Mapping[str, Any]
) -> tuple[Tensor, None]:
    """Return `[batch, length, heads, width]` of queries `[batch, heads, length, width]`, keys and values.

    softmax(Q [P K]' scaling + bias + mask) [P V], where P, the prefix of the module, is seen by all and has no bias.
    `mask` `[batch, 1, length, keys]` is added to the scores, or tells by truth values what is seen. Of what else
    Transformers tells, `scaling`, `dropout` and `position_bias` are heeded.
    """
    scaling, position_bias = told.get("scaling"), told.get("position_bias")
    key, value, mask = _before(module, query, key, value, mask)
    scores = (query @ key.transpose(2, 3)).float() * (query.shape[-1] ** -0.5 if scaling is None else scaling)
    if position_bias is not None:
        scores = scores + functional.pad(position_bias, (key.shape[2] - position_bias.shape[3], 0))
    if mask is not None:
        scores = scores + mask
    weights = functional.dropout(scores.softmax(dim=-1).to(query.dtype), told.get("dropout", 0.0), module.training)
    return (weights @ value).transpose(1, 2).contiguous(), None


def _fused(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    mask: Tensor | None,
    told: Mapping[str, Any],
) -> tuple[Tensor, None]:
    return attention(module, query, *_before(module, query, key, value, mask), told.get("scaling")), None


def _before(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None
) -> tuple[Tensor, Tensor, Tensor | None]:
    """Return keys and values with the prefix before them, for each head of the queries, and the mask for them."""
    if mask is not None and mask.dtype == torch.bool:
        mask = torch.zeros_like(mask, dtype=torch.float32).masked_fill(~mask, torch.finfo(torch.float32).min)
    own: Any = module
    if hasattr(module, "prefix_key") and own.prefix_begun.on:
        key, value = (
            torch.cat([one.to(rest.dtype)[None].expand(rest.shape[0], -1, -1, -1), rest], dim=2)
            for one, rest in ((own.prefix_key, key), (own.prefix_value, value))
        )
        if mask is not None:
            mask = functional.pad(mask, (own.prefix_key.shape[1], 0))
    groups = query.shape[1] // key.shape[1]
    if groups > 1:
        key, value = key.repeat_interleave(groups, dim=1), value.repeat_interleave(groups, dim=1)
    return key, value, mask


def _whole(one: Tensor) -> Tensor:
    return one.detach().float().clone(memory_format=torch.contiguous_format)


def _registered(name: str, function: Callable[..., Any]) -> None:
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register(
        name, lambda module, query, key, value, mask, **told: function(module, query, key, value, mask, told)
    )
    AttentionMaskInterface.register(name, eager_mask)
