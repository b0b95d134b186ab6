"""Choices that stand one after the other in an input, each read by itself, and what scores them."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional


def choices_apart(ids: Tensor, mask: Tensor, segments: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return ids, mask and segments of the choices of a batch, a row each, `[batch * choices, longest]`.

    Segment 2 n is of the first part of choice n, 2 n + 1 of its second. Last comes `[batch, choices]`, which of them
    there are: an input with fewer has rows of one piece that nobody asks for.
    """
    number = int(torch.where(mask, segments, 0).max()) // 2 + 1
    places = torch.arange(number, device=ids.device)
    lengths = ((segments[:, :, None] // 2 == places) & mask[:, :, None]).sum(dim=1)
    filled = torch.arange(int(lengths.max()), device=ids.device) < lengths[..., None]
    # The pieces of an input stand in the order of its choices; what fills up is an id that the model knows.
    apart = torch.full(filled.shape, int(ids[0, 0]), dtype=ids.dtype, device=ids.device)
    own = torch.zeros_like(apart)
    apart[filled], own[filled] = ids[mask], segments[mask] % 2
    there = lengths > 0
    filled[..., 0] |= ~there
    return apart.flatten(0, 1), filled.flatten(0, 1), own.flatten(0, 1), there


def choice_scores(rows: Tensor, there: Tensor, most: int, least: float) -> Tensor:
    """Return `[batch, most]` of the scores of rows `[batch * choices, 1]`; a choice that is not there has `least`."""
    scores = rows.view(there.shape).masked_fill(~there, least)
    return functional.pad(scores, (0, most - there.shape[1]), value=least)
