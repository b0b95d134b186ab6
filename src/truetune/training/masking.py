"""Masked language modelling: which pieces are masked, anew in each epoch, as a function of seed, epoch and input.

BERT's rule [Devlin et al. 2019], drawn anew for each pass [Liu et al. 2019]: of the chosen pieces 80 % become the mask
token, 10 % any other piece, 10 % stay as they are; all chosen ones are predicted. Words are chosen whole where the
targets of the inputs say which word a piece is of.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, overload

import numpy as np

from truetune.types import IGNORED, Encoded, Ints

FATES = (0.8, 0.1)
"""Of the chosen pieces: shares that become the mask token, and any other piece."""


@dataclass(frozen=True)
class Masking:
    """How pieces are masked; the target of an input, before it is masked, is the word of each piece."""

    mask: int
    """The id of the mask token."""
    vocabulary: int
    """How many ids there are."""
    special: tuple[int, ...]
    """Ids that replace nothing."""
    share: float = 0.15
    """Of the words of an input that are chosen, on average; at least one is."""
    seed: int = 0
    fates: tuple[float, float] = FATES

    def masked(self, encoded: Sequence[Encoded], epoch: int) -> Sequence[Encoded]:
        """Return inputs as an epoch sees them; each is masked when it is asked for, always in the same way."""
        return _Masked(encoded, self, epoch)

    def applied(self, one: Encoded, rng: np.random.Generator) -> Encoded:
        """Return an input with some words masked: segments are 1, and targets the true ids, where it is asked."""
        words = np.unique(one.target[one.target != IGNORED])
        number = min(len(words), max(1, int(self.share * len(words) + rng.random())))
        chosen = np.isin(one.target, rng.choice(words, number, replace=False)) if len(words) else one.target < IGNORED
        fate = rng.random(len(one.ids))
        others = self._ordinary[rng.integers(len(self._ordinary), size=len(one.ids))]
        masked, other = self.fates
        ids = np.where(chosen & (fate < masked), self.mask, one.ids)
        ids = np.where(chosen & (fate >= masked) & (fate < masked + other), others, ids)
        return asked(one, chosen, ids)

    @cached_property
    def _ordinary(self) -> Ints:
        return np.setdiff1d(np.arange(self.vocabulary), np.array(self.special, dtype=np.int64))


def asked(one: Encoded, chosen: Any, ids: Ints) -> Encoded:
    """Return an input that is read as `ids`, and asked what stands at the `chosen` places."""
    return replace(one, ids=ids, segments=chosen.astype(np.int64), target=np.where(chosen, one.ids, IGNORED))


def in_turn(encoded: Sequence[Encoded], mask: int, passes: int, seed: int = 0) -> Iterator[Encoded]:
    """Yield each input up to `passes` times, so that each word is masked in exactly one of them, and then whole.

    Every chosen piece becomes the mask token. So a score over all of them counts every piece once, predicted from
    about 1 - 1 / passes of the others: between one mask a pass [Salazar et al. 2020] and the sample of training.
    """
    for place, one in enumerate(encoded):
        words = np.unique(one.target[one.target != IGNORED])
        turns = np.random.default_rng([seed, place]).permutation(len(words)) % passes
        turn_of = np.full(len(one.ids), IGNORED)
        inside = one.target != IGNORED
        turn_of[inside] = turns[np.searchsorted(words, one.target[inside])]
        for turn in range(min(passes, len(words))):
            yield asked(one, turn_of == turn, np.where(turn_of == turn, mask, one.ids))


def with_others(encoded: Sequence[Encoded], share: float, seed: int = 0) -> Iterator[Encoded]:
    """Yield inputs in which a share of the pieces is replaced by others, drawn as often as they stand in all of them.

    Each piece is asked about: the target is 1 where another stands now, else 0.
    """
    inside = [one.target != IGNORED for one in encoded]
    pieces = np.concatenate([one.ids[own] for one, own in zip(encoded, inside, strict=True)] or [np.zeros(0, np.int64)])
    for place, (one, own) in enumerate(zip(encoded, inside, strict=True)):
        rng = np.random.default_rng([seed, place])
        chosen = own & (rng.random(len(one.ids)) < share)
        ids = np.where(chosen, rng.choice(pieces, len(one.ids)) if len(pieces) else one.ids, one.ids)
        target = np.where(own, ids != one.ids, IGNORED)
        yield replace(one, ids=ids, segments=own.astype(np.int64), target=target.astype(np.int64))


class _Masked(Sequence[Encoded]):
    """Inputs masked as one epoch sees them."""

    def __init__(self, encoded: Sequence[Encoded], masking: Masking, epoch: int) -> None:
        self._encoded, self._masking, self._epoch = encoded, masking, epoch

    def __len__(self) -> int:
        return len(self._encoded)

    @overload
    def __getitem__(self, place: int) -> Encoded: ...

    @overload
    def __getitem__(self, place: slice) -> list[Encoded]: ...

    def __getitem__(self, place: int | slice) -> Encoded | list[Encoded]:
        if isinstance(place, slice):
            return [self[one] for one in range(*place.indices(len(self)))]
        rng = np.random.default_rng([self._masking.seed, self._epoch, place % len(self)])
        return self._masking.applied(self._encoded[place], rng)
