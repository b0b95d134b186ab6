"""Fair coins that several paired comparisons of the same units see alike.

Swapping the same units in every metric and for every candidate gives the joint distribution of all
differences under the null hypothesis; `stats.adjust.max_t` reads from it how the tests go together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from truetune.stats.plan import Plan
from truetune.stats.resampling import CELLS, chunks
from truetune.types import Floats, Ints

BITS = 8
"""Up to this many equal units are swapped by the bits of one random byte; more by a binomial draw."""


def swapped(weights: Ints, resamples: int, width: int, rng: np.random.Generator) -> Iterator[tuple[slice, Floats]]:
    """Yield chunks `[draws, distinct]` of how many of each kind of unit are swapped, one fair coin a unit."""
    distinct = len(weights)
    many = np.flatnonzero(weights > BITS)
    coins = ((1 << np.minimum(weights, BITS)) - 1).astype(np.uint8)
    for part in chunks(resamples, max(width, distinct)):
        size = part.stop - part.start
        if len(many) == distinct:
            yield part, rng.binomial(weights, 0.5, size=(size, distinct)).astype(np.float64)
            continue
        thrown = np.frombuffer(rng.bytes(size * distinct), dtype=np.uint8).reshape(size, distinct)
        ones = thrown & coins
        counts = (ones if coins.max() == 1 else _set_bits(ones)).astype(np.float64)
        if len(many):
            counts[:, many] = rng.binomial(weights[many], 0.5, size=(size, len(many)))
        yield part, counts


def _set_bits(codes: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return how many bits of each byte are set: of each pair, then each four, then all eight."""
    pairs = codes - ((codes >> 1) & 0x55)
    fours = (pairs & 0x33) + ((pairs >> 2) & 0x33)
    eights: npt.NDArray[np.uint8] = (fours + (fours >> 4)) & 0x0F
    return eights


@dataclass(frozen=True)
class Coins:
    """One fair coin a unit and draw; the first draws are the same however many are asked for."""

    units: Ints
    """`[kinds]`: a unit of each kind. Units of one kind are moved alike in every comparison."""
    weights: Ints
    """`[kinds]`: how many units are of each kind."""
    width: int
    """How many numbers the greediest comparison makes of one draw."""
    plan: Plan

    @classmethod
    def of(cls, comparisons: Sequence[Ints], width: int, plan: Plan) -> Coins:
        """Return coins for comparisons that number the units alike to them, `[units]` each; -1 for no move."""
        kinds = comparisons[0] + 1
        for other in comparisons[1:]:
            found, kinds = np.unique(kinds * (int(other.max(initial=0)) + 2) + other + 1, return_inverse=True)
            kinds = kinds + int(len(found) > 0 and found[0] > 0)
        found, units, weights = np.unique(kinds, return_index=True, return_counts=True)
        moving = found > 0
        return cls(units[moving].astype(np.int64), weights[moving].astype(np.int64), width, plan)

    def swaps(self, kinds: Ints, number: int, resamples: int) -> Iterator[tuple[slice, Floats]]:
        """Yield chunks `[draws, number]`: how many units of each of the caller's `kinds` `[units]` are swapped."""
        from scipy import sparse

        own = kinds[self.units]
        moved = np.flatnonzero(own >= 0)
        same = np.array_equal(own, np.arange(number))
        summing = sparse.csr_array((np.ones(len(moved)), (own[moved], moved)), shape=(number, len(own)))
        size = max(1, CELLS // max(self.width, len(own), 1))  # whole chunks, so that all callers see the same draws
        whole = -(-resamples // size) * size
        for part, counts in swapped(self.weights, whole, self.width, self.plan.generator("joint randomisation")):
            taken = slice(part.start, min(part.stop, resamples))
            counts = counts[: taken.stop - taken.start]
            yield taken, counts if same else np.asarray(summing @ counts.T).T
