"""Attention with dropout on its weights for encoders on a CPU.

PyTorch's fused attention has no dropout on a CPU and falls back to a slow path. Here the products run in the
precision of the queries, the softmax in float32, dropout takes masks from cheap random bits, and the backward
pass is written out: softmax(Q K' / sqrt(d) + mask) V [Vaswani et al. 2017].
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from truetune.backbones.torch_dropout import BitDropout

NAME = "truetune"

KNOWN = frozenset({"bert", "camembert", "electra", "ernie", "roberta", "xlm-roberta"})
"""Model types whose attention is this and nothing more (no relative positions, no sliding window)."""


def registered() -> str:
    """Return the name under which Transformers finds this attention."""
    from transformers import AttentionInterface
    from transformers.masking_utils import AttentionMaskInterface, eager_mask

    AttentionInterface.register(
        NAME,
        # What else Transformers hands over (dropout, causality...) stands in the module, or has no meaning here.
        lambda module, query, key, value, mask, scaling=None, **_: (
            attention(module, query, key, value, mask, scaling),
            None,
        ),
    )
    AttentionMaskInterface.register(NAME, eager_mask)
    return NAME


def attention(
    module: nn.Module, query: Tensor, key: Tensor, value: Tensor, mask: Tensor | None, scale: float | None
) -> Tensor:
    """Return `[batch, length, heads, width]` of queries, keys and values `[batch, heads, length, width]`.

    `mask` `[batch, 1, length, length]` is added to the scores; `module` tells of training and dropout.
    """
    scale = query.shape[-1] ** -0.5 if scale is None else scale
    if module.training:
        dropout, multipliers = module.dropout, None
        if isinstance(dropout, BitDropout) and dropout.p:
            shape = torch.Size((*query.shape[:3], key.shape[2]))
            multipliers = dropout.bits.multipliers(shape, dropout.p, query.dtype)
        mixed: Tensor = _Attention.apply(query, key, value, (mask, multipliers), scale)  # type: ignore[no-untyped-call]
    else:
        added = None if mask is None else mask.to(query.dtype)
        mixed = functional.scaled_dot_product_attention(query, key, value, added, scale=scale)
    return mixed.transpose(1, 2).contiguous()


class _Attention(torch.autograd.Function):
    @staticmethod
    def forward(
        context: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        masks: tuple[Tensor | None, Tensor | None],
        scale: float,
    ) -> Tensor:
        mask, multipliers = masks
        scores = (query @ key.transpose(2, 3)).float().mul_(scale)
        if mask is not None:
            scores.add_(mask)
        weights = torch.softmax(scores, -1)
        kept = weights.to(query.dtype)
        if multipliers is not None:
            kept = kept * multipliers
        context.save_for_backward(query, key, value, weights, kept, multipliers)
        context.scale = scale
        return kept @ value

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None]:
        query, key, value, weights, kept, multipliers = context.saved_tensors
        (gradient,) = gradients
        of_weights = gradient @ value.transpose(2, 3)
        if multipliers is not None:
            of_weights = of_weights * multipliers
        of_scores = torch.ops.aten._softmax_backward_data(of_weights.float(), weights, -1, torch.float32)
        of_scores = of_scores.mul_(context.scale).to(query.dtype)
        of_query, of_key = of_scores @ key, of_scores.transpose(2, 3) @ query
        return of_query, of_key, kept.transpose(2, 3) @ gradient, None, None
