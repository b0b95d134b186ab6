"""Spans within spans: every stretch of pieces has a score for each type, made of what its two ends say.

The score of the stretch from piece i to piece j for type t is q_i . k_j / sqrt(d) + b_it + e_jt, with q and k turned
by their places [Su et al. 2022, "Global Pointer" and its efficient form; Su et al. 2021, rotary positions]: one linear
layer puts out q, k, b and e of each piece, so that what comes out grows with the length and not with its square.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from truetune.types import IGNORED

WIDTH = 64
"""Numbers in each of q and k; even."""
BASE = 10_000.0
NEVER = -1e4
"""A score that no stretch gets to: of padding, and of what ends before it begins."""


def width_of(types: int) -> int:
    """Return how many numbers are put out for each piece."""
    return 2 * WIDTH + 2 * types


def ends_of(raw: Tensor, mask: Tensor) -> Tensor:
    """Return `[batch, length, 2 d + 2 types]`: q and k turned by their places, b and e (of padding `NEVER`)."""
    vectors, scores = raw[..., : 2 * WIDTH].float(), raw[..., 2 * WIDTH :].float()
    places = torch.arange(raw.shape[1], device=raw.device, dtype=torch.float32)
    steps = BASE ** (-torch.arange(0, WIDTH, 2, device=raw.device, dtype=torch.float32) / WIDTH)
    angles = places[:, None] * steps
    sine, cosine = (turn.repeat(1, 4) for turn in (angles.sin(), angles.cos()))
    # Number n of the first half of each vector is turned together with number n of its second half.
    first, second, third, fourth = vectors.chunk(4, dim=-1)
    turned = vectors * cosine + torch.cat([-second, first, -fourth, third], dim=-1) * sine
    return torch.cat([turned, scores.masked_fill(~mask.bool()[..., None], NEVER)], dim=-1)


def stretch_scores(ends: Tensor) -> Tensor:
    """Return `[batch, length, length, types]`, the score of each stretch by its first and its last piece."""
    q, k = ends[..., :WIDTH], ends[..., WIDTH : 2 * WIDTH]
    b, e = ends[..., 2 * WIDTH :].chunk(2, dim=-1)
    scores: Tensor = (q @ k.transpose(1, 2) / WIDTH**0.5)[..., None] + b[:, :, None] + e[:, None]
    backward = torch.ones(scores.shape[1:3], dtype=torch.bool, device=ends.device).tril(-1)
    return scores.masked_fill(backward[..., None], NEVER)


def stretches_loss(ends: Tensor, targets: Tensor) -> Tensor:
    """Return the sum over texts of the mean over types of log(1 + sum e^s(wrong)) + log(1 + sum e^-s(right)).

    `targets` `[batch, spans, 3]`: first piece, last piece and type of each right stretch; `IGNORED` fills up. A score
    above 0 says that a stretch is right [Su et al. 2022, "ZLPR"].
    """
    scores = stretch_scores(ends)
    right = _marked(targets, scores)
    flat, told = (one.flatten(1, 2).transpose(1, 2) for one in (scores, right))
    wrong_part = functional.pad(flat.masked_fill(told, -torch.inf), (1, 0)).logsumexp(dim=-1)
    right_part = functional.pad((-flat).masked_fill(~told, -torch.inf), (1, 0)).logsumexp(dim=-1)
    return (wrong_part + right_part).mean(dim=-1).sum()


def stretches_disagreement(first: Tensor, second: Tensor, targets: Tensor) -> Tensor:
    """Return the sum over stretches, the mean over types, of (p - q) (s - t) / 2, p and q being sigmoids of s and t."""
    one, other = stretch_scores(first), stretch_scores(second)
    return ((one.sigmoid() - other.sigmoid()) * (one - other)).sum() / (2 * one.shape[-1])


def _marked(targets: Tensor, scores: Tensor) -> Tensor:
    right = torch.zeros(scores.shape, dtype=torch.bool, device=scores.device)
    text, place = torch.nonzero(targets[..., 0] != IGNORED, as_tuple=True)
    begin, end, kind = targets[text, place].unbind(dim=-1)
    right[text, begin, end, kind] = True
    return right
