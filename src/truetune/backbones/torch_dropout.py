"""Dropout on a CPU from cheap random bits.

PyTorch draws one Bernoulli variable an element, which takes 16 % of a training step of a small encoder. Here
one random byte decides one element: eight times fewer calls of the generator, and no logarithm or
comparison of floats. The probability is thereby rounded to a multiple of 1/256 (0.1 becomes 26/256), and kept
elements are scaled by exactly the inverse of what is kept, so expectations do not move.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

LEVELS = 256


class Bits:
    """The random bits of one step: a function of seed and step number, so there is no state to save."""

    def __init__(self, seed: int, stream: int = 0) -> None:
        """`stream`: 0, or a number of a process that draws others than the first."""
        self._seed, self._stream = seed, stream
        self.begin(0)

    def begin(self, step: int) -> None:
        """Draw from the stream of this step from now on."""
        self.source = [self._seed, step, *([self._stream] if self._stream else [])]
        self._rng = np.random.Generator(np.random.SFC64(self.source))

    def replayed(self) -> tuple[AbstractContextManager[None], AbstractContextManager[None]]:
        """Return two contexts: what is drawn in the first is drawn again in the second, which leaves no trace."""
        drawn: list[Any] = []
        return self._recording(drawn), self._replaying(drawn)

    @contextlib.contextmanager
    def _recording(self, drawn: list[Any]) -> Iterator[None]:
        drawn.append(self._rng.bit_generator.state)
        yield

    @contextlib.contextmanager
    def _replaying(self, drawn: list[Any]) -> Iterator[None]:
        now = self._rng.bit_generator.state
        self._rng.bit_generator.state = drawn[0]
        try:
            yield
        finally:
            self._rng.bit_generator.state = now

    def multipliers(self, shape: torch.Size, probability: float, dtype: torch.dtype) -> Tensor:
        """Return 0 for dropped elements and 1 / (kept share) for the others."""
        dropped = rounded(probability)
        number = math.prod(shape)
        words = self._rng.integers(0, 2**64, -(-number // 8), dtype=np.uint64)
        kept = torch.from_numpy(words.view(np.uint8)[:number] >= dropped).view(shape)
        return kept.to(dtype).mul_(LEVELS / (LEVELS - dropped))


def rounded(probability: float) -> int:
    """Return the number of 256 levels that are dropped."""
    return min(round(probability * LEVELS), LEVELS - 1)


class BitDropout(nn.Module):
    """`nn.Dropout` with masks from `Bits`."""

    def __init__(self, probability: float, bits: Bits) -> None:
        super().__init__()
        self.p = probability
        self.bits = bits

    def forward(self, values: Tensor) -> Tensor:
        """Drop elements in training; return the values as they are otherwise."""
        if not self.training or not self.p:
            return values
        dropped: Tensor = _Dropped.apply(values, self.bits.multipliers(values.shape, self.p, values.dtype))  # type: ignore[no-untyped-call]
        return dropped


class _Dropped(torch.autograd.Function):
    """The product with the mask; only the mask is kept for the gradient."""

    @staticmethod
    def forward(context: Any, values: Tensor, multipliers: Tensor) -> Tensor:
        context.save_for_backward(multipliers)
        return values * multipliers

    @staticmethod
    def backward(context: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (multipliers,) = context.saved_tensors
        return gradients[0] * multipliers, None


def with_bit_dropout(module: nn.Module, bits: Bits) -> None:
    """Replace every `nn.Dropout` inside a module."""
    for name, child in module.named_children():
        if type(child) is nn.Dropout:
            setattr(module, name, BitDropout(child.p, bits))
        else:
            with_bit_dropout(child, bits)
