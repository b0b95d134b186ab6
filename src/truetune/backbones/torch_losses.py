"""The losses of the heads: sums over all targets, so that micro-batches add up to one step."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from truetune.backbones.base import Recipe
from truetune.types import IGNORED


def summed_loss(logits: Tensor, targets: Tensor, recipe: Recipe, multiple: bool) -> Tensor:
    """Return the sum of the losses of all targets; `IGNORED` ones have none.

    `logits` are `[batch, labels]` or `[batch, length, labels]`, `targets` (int) `[batch]` or `[batch, length]`; with
    `multiple`, several labels a text, `[batch, labels]` (0 or 1), each a target with a sigmoid of its own.

    A target's loss is the sum over the answers k, all labels or absent and present, of a(k) w(k) (1 - p(k))^g
    (-log p(k)): a is 1 for the true answer, less what label smoothing spreads [Szegedy et al. 2016], w the class
    weight, g the gamma of the focal loss [Lin et al. 2017]. Whoever divides the sum divides by the number of
    targets, never by the sum of their weights.
    """
    if multiple:
        return _of_sigmoids(logits, targets, recipe)
    flat, aims = logits.reshape(-1, logits.shape[-1]), targets.reshape(-1)
    weights = logits.new_tensor(recipe.class_weights) if recipe.class_weights else None
    if not recipe.focal_gamma:
        return functional.cross_entropy(
            flat,
            aims,
            weight=weights,
            ignore_index=IGNORED,
            reduction="sum",
            label_smoothing=recipe.label_smoothing,
        )
    counted = aims != IGNORED
    logs = functional.log_softmax(flat[counted], dim=-1)
    labels = logs.shape[-1]
    own = functional.one_hot(aims[counted], labels).to(logs.dtype)
    shares = own * (1 - recipe.label_smoothing) + recipe.label_smoothing / labels
    if weights is not None:
        shares = shares * weights
    return (shares * _unsure(logs, recipe.focal_gamma) * -logs).sum()


def disagreement(first: Tensor, second: Tensor, targets: Tensor, multiple: bool) -> Tensor:
    """Return the sum over all targets of (KL(p, q) + KL(q, p)) / 2 = sum of (p - q) (log p - log q) / 2.

    p and q are what two passes answer [Liang et al. 2021]; shapes as of `summed_loss`.
    """
    if multiple:
        each = (torch.sigmoid(first) - torch.sigmoid(second)) * (first - second)
        return each.masked_fill(targets == IGNORED, 0).sum() / 2
    one, other = (functional.log_softmax(logits, dim=-1) for logits in (first, second))
    return ((one.exp() - other.exp()) * (one - other)).sum(dim=-1).masked_fill(targets == IGNORED, 0).sum() / 2


def _of_sigmoids(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    aims = targets.float() * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
    present, absent = functional.logsigmoid(logits), functional.logsigmoid(-logits)
    shares = [1 - aims, aims]
    if recipe.class_weights:
        weights = logits.new_tensor(recipe.class_weights).reshape(2, -1)
        shares = [share * weight for share, weight in zip(shares, weights, strict=True)]
    each = sum(
        share * _unsure(logs, recipe.focal_gamma) * -logs for share, logs in zip(shares, (absent, present), strict=True)
    )
    return torch.as_tensor(each).masked_fill(targets == IGNORED, 0).sum()


def _unsure(logs: Tensor, gamma: float) -> Tensor:
    """Return (1 - p)^gamma of log-probabilities; where p rounds to 1 its slope stays finite for every gamma."""
    if not gamma:
        return torch.ones_like(logs)
    return (-torch.expm1(logs)).clamp_min(torch.finfo(logs.dtype).tiny).pow(gamma)
