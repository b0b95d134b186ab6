"""In which order training meets its inputs: a function of the seed, so that any step can be found again."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple, dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from truetune.data.batch import packed_batches, token_batches
from truetune.errors import ConfigError
from truetune.training.masking import Masking
from truetune.types import Encoded, Ints


@dataclass(frozen=True)
class Plan:
    """How long and in which portions training reads its inputs."""

    learning_rate: float
    epochs: float = 3.0
    tokens: int = 1024
    """Pieces of one micro-batch, padding counted."""
    accumulate: int = 1
    """Micro-batches of one step; the step equals one on all their inputs at once."""
    packing: bool = False
    """Several inputs in a row of a batch; batches are then drawn without regard to length."""
    warmup: float = 0.1
    layer_decay: float = 1.0
    head_rate: float | None = None
    """Peak learning rate of the head; None: as the rest."""
    evaluations: int = 1
    """Evaluations an epoch; the last step is always evaluated."""
    average_from: float | None = None
    """Share of the steps behind which the weights at evaluations are averaged too; None: never."""
    seed: int = 0
    masking: Masking | None = None
    """Pieces are masked anew in each epoch; None: inputs are learnt as they are."""

    def __post_init__(self) -> None:
        if self.epochs <= 0 or self.tokens < 1 or self.accumulate < 1 or self.evaluations < 1:
            raise ConfigError(
                f"expected epochs above 0 and at least one token, micro-batch and evaluation, found {self}"
            )


class Turn(NamedTuple):
    """One step: its number from 1, its epoch from 1, the inputs of its micro-batches, whether it is evaluated."""

    number: int
    epoch: int
    batches: list[Ints]
    evaluated: bool


class Order:
    """The steps of a plan over inputs of given lengths."""

    def __init__(self, lengths: Ints, plan: Plan) -> None:
        if not len(lengths):
            raise ConfigError("the training part holds no example, so there is nothing to learn from")
        self._lengths = lengths
        self._plan = plan

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return sum(self._counts)

    def evaluations(self, after: int) -> int:
        """Return how many evaluations follow on a step; 0: all of them."""
        begins = np.cumsum([0, *self._counts[:-1]]).tolist()
        due = (begin + place for begin, count in zip(begins, self._counts, strict=True) for place in self._due(count))
        return sum(step > after for step in due)

    def after(self, step: int) -> Iterator[Turn]:
        """Yield the steps that follow on a step; 0: all."""
        number = 0
        for epoch, count in enumerate(self._counts):
            if number + count <= step:
                number += count
                continue
            due = self._due(count)
            for place, batches in enumerate(self._epoch(epoch)[:count], start=1):
                number += 1
                if number > step:
                    yield Turn(number, epoch + 1, batches, place in due)

    @cached_property
    def _counts(self) -> list[int]:
        """Steps of each epoch; the last one may be cut short."""
        whole = math.floor(self._plan.epochs)
        counts = [len(self._epoch(epoch)) for epoch in range(whole)]
        if self._plan.epochs > whole:
            counts.append(math.ceil((self._plan.epochs - whole) * len(self._epoch(whole))))
        return counts

    def _epoch(self, epoch: int) -> list[list[Ints]]:
        rng = np.random.default_rng([self._plan.seed, epoch])
        drawn = packed_batches if self._plan.packing else token_batches
        batches = drawn(self._lengths, self._plan.tokens, rng)
        size = self._plan.accumulate
        return [batches[start : start + size] for start in range(0, len(batches), size)]

    def _due(self, count: int) -> set[int]:
        parts = min(self._plan.evaluations, count)
        return {round(count * part / parts) for part in range(1, parts + 1)}


def fingerprint(encoded: Sequence[Encoded], plan: Plan) -> str:
    """Return a hash of inputs, targets and plan: a checkpoint of anything else must not be resumed."""
    digest = hashlib.blake2b(repr(astuple(plan)).encode(), digest_size=16)
    for one in encoded:
        for part in (one.ids, one.segments, one.target):
            digest.update(repr((part.dtype.str, part.shape)).encode())
            digest.update(np.ascontiguousarray(part).tobytes())
    return digest.hexdigest()
