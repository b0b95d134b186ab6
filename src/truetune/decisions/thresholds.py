"""The threshold of one yes or no: by F1, by costs, by a floor of precision or of recall; chosen on validation.

Examples are sorted by score; a cut says yes to the first k of them. What each cut is worth follows from three
numbers (said, hits, gold), for the data as it is and for any weights of its examples, so that choosing can be
repeated on resamples (`choosing.py`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np

from truetune.errors import MetricError
from truetune.types import Bools, Floats, Ints, Numbers

By = Literal["f1", "cost", "precision", "recall"]
STARTS = 5
"""From how many sizes the search for a sure floor of precision begins; the risk is shared out among them."""
NEVER = math.nextafter(1.0, 2.0)
"""A threshold that no probability reaches."""


@dataclass(frozen=True)
class Rule:
    """What a threshold is chosen by."""

    by: By
    floor: float = 0.0
    """Of precision or recall."""
    sure: float | None = None
    """With this probability the floor holds for new examples; None: it holds on the examples chosen by."""
    false_cost: float = 1.0
    """Of a yes that should be a no."""
    missed_cost: float = 1.0


@dataclass(frozen=True, eq=False)
class Cuts:
    """All thresholds that differ on some examples, from saying yes to none to saying yes to all: `[cuts]`."""

    thresholds: Floats
    ends: Ints
    """`[cuts]`, how many of the sorted examples are said yes to."""
    order: Ints
    """`[examples]`, places from the highest score to the lowest."""
    gold: Bools
    """`[examples]`, in that order."""

    def tallied(self, weights: Numbers | None = None) -> Tallies:
        """Return what the cuts say, with weights `[..., examples]` of examples (in their own order) or each once."""
        held = np.ones(len(self.gold)) if weights is None else weights[..., self.order].astype(np.float64)
        zero = np.zeros((*held.shape[:-1], 1))
        said = np.concatenate([zero, np.cumsum(held, axis=-1)], axis=-1)
        hits = np.concatenate([zero, np.cumsum(held * self.gold, axis=-1)], axis=-1)
        return Tallies(said[..., self.ends], hits[..., self.ends], hits[..., -1:], said[..., -1:])


@dataclass(frozen=True, eq=False)
class Tallies:
    """What cuts say: `[..., cuts]`, and `gold`, `examples` `[..., 1]`."""

    said: Floats
    hits: Floats
    gold: Floats
    examples: Floats

    def measures(self, rule: Rule) -> dict[str, Floats]:
        """Return precision, recall, F1 and mean cost of each cut; NaN where undefined."""
        with np.errstate(divide="ignore", invalid="ignore"):
            cost = rule.false_cost * (self.said - self.hits) + rule.missed_cost * (self.gold - self.hits)
            return {
                "precision": self.hits / self.said,
                "recall": self.hits / self.gold,
                "f1": 2 * self.hits / (self.said + self.gold),
                "cost": cost / self.examples,
            }


def cuts_of(gold: Bools, score: Floats) -> Cuts:
    """Return the cuts between distinct scores `[examples]`; each threshold lies half way between two scores."""
    if len(gold) != len(score) or not len(gold):
        raise MetricError(f"{len(gold)} gold values and {len(score)} scores; expected one each, and at least one")
    order = np.argsort(-score, kind="stable").astype(np.int64)
    ranked = score[order]
    ends = np.r_[0, np.flatnonzero(ranked[1:] != ranked[:-1]) + 1, len(ranked)].astype(np.int64)
    between = [(ranked[end - 1] + ranked[end]) / 2 for end in ends[1:-1].tolist()]
    return Cuts(np.array([NEVER, *between, 0.0]), ends, order, gold[order])


def best_cut(tallies: Tallies, rule: Rule) -> Ints:
    """Return which cut is chosen, `[...]`; of equally good ones the highest threshold.

    Where no cut keeps a floor: none is said yes to (precision), or all (recall).
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        if rule.by == "cost":
            cost = rule.false_cost * (tallies.said - tallies.hits) + rule.missed_cost * (tallies.gold - tallies.hits)
            return np.asarray(np.argmin(cost, axis=-1))
        if rule.by == "f1":
            found = 2 * tallies.hits / np.maximum(tallies.said + tallies.gold, 1e-12)
            return np.asarray(np.argmax(found, axis=-1))
        if rule.by == "precision":
            kept = _precise(tallies, rule)
            return np.asarray(np.argmax(np.where(kept, tallies.hits, -1.0), axis=-1) * kept.any(axis=-1))
        kept = _recalling(tallies, rule)
        return np.asarray(np.where(kept.any(axis=-1), np.argmax(kept, axis=-1), kept.shape[-1] - 1))


def _precise(tallies: Tallies, rule: Rule) -> Bools:
    """Return which cuts keep the floor of precision.

    With `sure`: fixed sequence testing (Angelopoulos et al. 2021, Learn then Test). From each of a few sizes that do
    not depend on gold, ever more examples are said yes to while the exact binomial test at the risk's share rejects
    that precision is below the floor; so no cut with a precision below it is kept, with the probability asked for.
    """
    if rule.sure is None:
        return np.asarray((tallies.hits >= rule.floor * tallies.said - 1e-9) & (tallies.said > 0))
    risk = (1 - rule.sure) / STARTS
    passed = _tail(tallies.hits, tallies.said, rule.floor) <= risk
    least = math.ceil(math.log(risk) / math.log(rule.floor))
    kept = np.zeros(passed.shape, dtype=np.bool_)
    for start in range(STARTS):
        begun = tallies.said >= least * 2**start
        # From the first cut of this size on, up to the first that fails.
        kept |= begun & np.logical_and.accumulate(passed | ~begun, axis=-1)
    return kept


def _recalling(tallies: Tallies, rule: Rule) -> Bools:
    """Return which cuts keep the floor of recall; with `sure` tested from the lowest threshold up, as above."""
    if rule.sure is None:
        return np.asarray((tallies.hits >= rule.floor * tallies.gold - 1e-9) & (tallies.gold > 0))
    passed = _tail(tallies.hits, np.broadcast_to(tallies.gold, tallies.hits.shape), rule.floor) <= 1 - rule.sure
    return np.asarray(np.logical_and.accumulate(passed[..., ::-1], axis=-1)[..., ::-1])


def _tail(hits: Floats, trials: Floats, share: float) -> Floats:
    """Return P(X >= hits) of a binomial with `trials` and `share`; 1 without a hit."""
    from scipy import special

    some = hits > 0
    found: Floats = np.where(
        some, special.betainc(np.where(some, hits, 1.0), np.where(some, trials - hits + 1, 1.0), share), 1.0
    )
    return found
