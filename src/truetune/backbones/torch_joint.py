"""A label of the whole text and a tag a piece, by one layer: outputs and loss."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from truetune.backbones.base import Recipe
from truetune.types import IGNORED


def joint_outputs(whole: Tensor, pieces: Tensor, labels: int) -> Tensor:
    """Return `[batch, length, labels + tags]`: the first `labels` of the text's output, the rest of each piece's."""
    own = whole[:, None, :labels].expand(-1, pieces.shape[1], -1)
    return torch.cat([own, pieces[..., labels:]], dim=-1)


def joint_loss(logits: Tensor, targets: Tensor, recipe: Recipe, labels: int) -> Tensor:
    """Return the sum of the losses of all tags and, as often as a text has tags, that of its label.

    Cross-entropies. `targets` `[batch, length]`: the label at the first piece, which is no part of the text, tags at
    the first pieces of words, `IGNORED` elsewhere. So label and tags have the same say, and micro-batches add up.
    """
    label, tags, own = _parts(logits, targets, labels)
    of_tags = _entropies(tags, targets[:, 1:], recipe)
    return of_tags.sum() + (own * _entropies(label, targets[:, 0], recipe)).sum()


def joint_disagreement(first: Tensor, second: Tensor, targets: Tensor, labels: int) -> Tensor:
    """Return what R-Drop adds: (KL(p, q) + KL(q, p)) / 2 of each tag and, as often as a text has tags, of its label."""
    (label, tags, own), (other_label, other_tags, _) = (_parts(one, targets, labels) for one in (first, second))
    of_tags = _apart(tags, other_tags).masked_fill(targets[:, 1:] == IGNORED, 0)
    return of_tags.sum() + (own * _apart(label, other_label)).sum()


def _parts(logits: Tensor, targets: Tensor, labels: int) -> tuple[Tensor, Tensor, Tensor]:
    """Return logits of labels `[batch, labels]` and tags `[batch, length - 1, tags]`, and how often a label counts."""
    own = (targets[:, 1:] != IGNORED).sum(dim=1) * (targets[:, 0] != IGNORED)
    return logits[:, 0, :labels], logits[:, 1:, labels:], own


def _entropies(logits: Tensor, targets: Tensor, recipe: Recipe) -> Tensor:
    return functional.cross_entropy(
        logits.flatten(0, -2),
        targets.flatten(),
        ignore_index=IGNORED,
        reduction="none",
        label_smoothing=recipe.label_smoothing,
    ).view(targets.shape)


def _apart(first: Tensor, second: Tensor) -> Tensor:
    one, other = functional.log_softmax(first, dim=-1), functional.log_softmax(second, dim=-1)
    return ((one.exp() - other.exp()) * (one - other)).sum(dim=-1) / 2
