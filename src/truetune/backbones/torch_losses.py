"""The losses of the heads: sums over all targets, so that micro-batches add up to one step."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor
from torch.nn import functional

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.form import LEAST
from truetune.backbones.torch_joint import joint_disagreement, joint_loss
from truetune.backbones.torch_nested import stretches_disagreement, stretches_loss
from truetune.types import IGNORED


@dataclass(frozen=True)
class Objective:
    """What a head learns: functions of `[batch, ...]` logits and targets that sum over all targets."""

    summed: Callable[[Tensor, Tensor, Recipe], Tensor]
    """(logits, targets, recipe) -> the loss."""
    disagreement: Callable[[Tensor, Tensor, Tensor], Tensor]
    """(logits, those of another pass, targets) -> what R-Drop adds."""


def objective_of(settings: ModelSettings) -> Objective:
    """Return what the head of these settings learns."""
    if settings.contrast:
        return Objective(lambda vectors, targets, recipe: shared_label_loss(vectors, targets), half_squares)
    if settings.head == "regress":
        return Objective(squared_loss, half_squares)
    if settings.head == "span":
        return Objective(ends_loss, ends_disagreement)
    if settings.head == "joint":
        labels = len(settings.labels)
        return Objective(partial(joint_loss, labels=labels), partial(joint_disagreement, labels=labels))
    if settings.head == "nested":
        return Objective(lambda ends, targets, recipe: stretches_loss(ends, targets), stretches_disagreement)
    if settings.head == "embed":
        return Objective(
            pairs_loss,
            lambda first, second, targets: disagreement(
                in_batch_scores(first, targets),
                in_batch_scores(second, targets),
                targets.flatten(1)[:, 0] if targets.ndim > 1 else targets,
                multiple=False,
            ),
        )
    if settings.head in ("generate", "mask", "detect"):
        return Objective(
            lambda logits, targets, recipe: summed_loss(logits, _told(targets), recipe, multiple=False),
            lambda first, second, targets: disagreement(first, second, _told(targets), multiple=False),
        )
    return Objective(
        partial(summed_loss, multiple=settings.multiple), partial(disagreement, multiple=settings.multiple)
    )


def _told(targets: Tensor) -> Tensor:
    """Return the targets of the pieces that have logits, in their order."""
    return targets[targets != IGNORED]


def squared_loss(values: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the sum of (value - target)^2 over `[batch, 1]` numbers; `IGNORED` targets have no loss."""
    return (values - targets.to(values.dtype)).square().masked_fill(targets == IGNORED, 0).sum()


def half_squares(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """Return the sum of (a - b)^2 / 2, the mean of both divergences of normals of variance 1 with means a and b."""
    return (first - second).square().masked_fill(targets == IGNORED, 0).sum() / 2


def ends_loss(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the sum of the cross-entropies over pieces of `[batch, length, 2]`; targets `[batch, 2]` are places."""
    return functional.cross_entropy(
        logits.transpose(1, 2).reshape(-1, logits.shape[1]),
        targets.long().reshape(-1),
        ignore_index=IGNORED,
        reduction="sum",
    )


def ends_disagreement(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """Return what `disagreement` does of distributions over pieces; shapes as of `ends_loss`."""
    one, other = (logits.transpose(1, 2) for logits in (first, second))
    return disagreement(one, other, targets, multiple=False)


SCALE = 20.0
"""By which cosines are multiplied before the softmax [Reimers and Gurevych 2019, sentence-transformers]."""
HALF = 1 << 32


def in_batch_scores(vectors: Tensor, targets: Tensor) -> Tensor:
    """Return the scores of the documents of a batch for its queries, `[batch, batch]`, own ones on the diagonal.

    `vectors` `[batch, 2, hidden]`, of length 1; `targets` `[batch]` are numbers whose upper half is equal for equal
    queries, the lower for equal documents. What belongs to an equal query, or is an equal document, is no wrong answer
    and gets the score `LEAST`. With a wrong document beside each pair, `[batch, 3, hidden]` and targets
    `[batch, 1, 2]`, those of the wrong ones are `[batch, batch]` more, but of one that answers an equal query of the
    batch.
    """
    queries, documents = vectors[:, 0], vectors[:, 1]
    codes = targets if targets.ndim == 1 else targets[:, 0, 0]
    upper, lower = codes // HALF, codes % HALF
    equal_queries = upper[:, None] == upper[None, :]
    same = equal_queries | (lower[:, None] == lower[None, :])
    same.fill_diagonal_(False)
    scores = (SCALE * queries @ documents.T).masked_fill(same, LEAST)
    if targets.ndim == 1:
        return scores
    answers = lower[:, None] == (targets[:, 0, 1] % HALF)[None, :]
    right = (equal_queries.float() @ answers.float()) > 0
    return torch.cat([scores, (SCALE * queries @ vectors[:, 2].T).masked_fill(right, LEAST)], dim=1)


def shared_label_loss(vectors: Tensor, targets: Tensor) -> Tensor:
    """Return the sum, over texts that share their label with another of the batch, of what picking these costs.

    That is the mean over them of -log softmax, over all other texts, of 20 times the cosines [Khosla et al. 2020, the
    outer sum]. `vectors` `[batch, hidden]` of length 1, `targets` `[batch]`. A text that is alone with its label is
    still a wrong answer for the others.
    """
    own = torch.eye(len(vectors), dtype=torch.bool, device=vectors.device)
    same = (targets[:, None] == targets[None, :]) & ~own
    logs = (SCALE * vectors @ vectors.T).masked_fill(own, LEAST).log_softmax(dim=1)
    picked = -logs.masked_fill(~same, 0).sum(dim=1) / same.sum(dim=1).clamp_min(1)
    return picked.sum()


def pairs_loss(vectors: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    """Return the sum over queries of what picking their documents costs; shapes as of `in_batch_scores`.

    With `recipe.matryoshka` it is the mean of that of the whole vectors and of those cut to each size [Kusupati et al.
    2022, all weights equal].
    """
    views = [vectors, *(cut_vectors(vectors, size) for size in recipe.matryoshka)]
    return torch.stack([_picked(in_batch_scores(one, targets)) for one in views]).mean()


def cut_vectors(vectors: Tensor, size: int) -> Tensor:
    """Return the first `size` numbers of vectors `[..., hidden]`, of length 1 again."""
    return functional.normalize(vectors[..., :size], dim=-1)


def _picked(scores: Tensor) -> Tensor:
    """Return the sum of the cross-entropies of the diagonal: each query picks its document [Henderson et al. 2017]."""
    return functional.cross_entropy(scores, torch.arange(len(scores), device=scores.device), reduction="sum")


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
    if targets.is_floating_point():
        return soft_loss(logits, targets)
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


def soft_loss(logits: Tensor, shares: Tensor) -> Tensor:
    """Return the sum of the cross-entropies of `[batch, labels]` shares of each label, times the number of labels.

    A text has so many targets, by whose number whoever divides the sum divides it.
    """
    return -(shares.to(logits.dtype) * functional.log_softmax(logits, dim=-1)).sum() * logits.shape[-1]


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
