"""The losses of the heads: sums over all targets, so that micro-batches add up to one step."""

from __future__ import annotations

from torch import Tensor
from torch.nn import functional

from truetune.backbones.base import Recipe
from truetune.types import IGNORED


def summed_loss(logits: Tensor, targets: Tensor, recipe: Recipe, multiple: bool) -> Tensor:
    """Return the sum of the losses of all targets; `IGNORED` ones have none.

    `logits` are `[batch, labels]` or `[batch, length, labels]`, `targets` (int) `[batch]` or `[batch, length]`; with
    `multiple`, several labels a text, `[batch, labels]` (0 or 1), each a target with a sigmoid of its own.
    """
    smoothing = recipe.label_smoothing
    if multiple:
        aims = targets.float() * (1 - smoothing) + smoothing / 2
        each = functional.binary_cross_entropy_with_logits(logits, aims, reduction="none")
        return each.masked_fill(targets == IGNORED, 0).sum()
    return functional.cross_entropy(
        logits.reshape(-1, logits.shape[-1]),
        targets.reshape(-1),
        ignore_index=IGNORED,
        reduction="sum",
        label_smoothing=smoothing,
    )
