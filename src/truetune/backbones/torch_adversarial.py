"""Adversarial training on word embeddings: the step that hurts most, learnt from too."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from typing import Any

import torch

from truetune.backbones.torch_vocabulary import RowEmbedding
from truetune.errors import ModelError


@contextlib.contextmanager
def perturbed(words: Any, epsilon: float) -> Iterator[None]:
    """Move word embeddings by epsilon g / |g| while inside, g being their gradient [Miyato et al. 2017].

    `words` is the module of word embeddings after a backward pass; |g| is the norm over all its rows. Miyato et al.
    move the looked-up vectors of each text; moving the table moves every text of the step, at one gradient more.
    Afterwards the rows are what they were, bit for bit; gradients are added to. Where g is 0 or not finite, nothing
    moves.
    """
    rows, touched = _rows(words)
    slope = rows.grad[touched]
    norm = torch.linalg.vector_norm(slope).item()
    before = rows.detach()[touched].clone()
    with torch.no_grad():
        if norm > 0 and math.isfinite(norm):
            rows[touched] = before + slope * (epsilon / norm)
    try:
        yield
    finally:
        with torch.no_grad():
            rows[touched] = before


def check_perturbable(words: Any) -> None:
    """Raise ModelError for word embeddings that are not trained: they have no gradient to move along."""
    if not _table(words).requires_grad:
        raise ModelError(
            "recipe.fgm moves the word embeddings along their gradient, but they are frozen; set recipe.fgm to 0, or "
            "train them (model.freeze_embeddings: false, model.freeze_layers: 0, and none of recipe.lora_rank, ia3, "
            "prompt_pieces, prefix_pieces)"
        )


def _rows(words: Any) -> tuple[Any, torch.Tensor]:
    """Return the trained rows, and the places of those with a gradient."""
    table = _table(words)
    if isinstance(words, RowEmbedding):
        return table, words.touched
    return table, table.grad.abs().sum(dim=1).nonzero()[:, 0]


def _table(words: Any) -> Any:
    return words.rows if isinstance(words, RowEmbedding) else words.weight
