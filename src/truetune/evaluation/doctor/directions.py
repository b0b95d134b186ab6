"""Rankings, values and likelihoods that run the wrong way, or are too good to be any model's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from truetune.evaluation.doctor.case import ENOUGH, Case, finding, listed
from truetune.types import Finding

BEHIND = 0.6
LEAST_Z = 5.0
"""Relevant items behind the middle of their rankings, on average at .6 and five standard errors, are not chance."""
AGAINST = -0.3
"""A rank correlation below it, and five standard errors below 0, runs the other way."""
CERTAIN_NATS = 0.1
"""Nats a token below which nothing was left to predict: a perplexity of 1.1."""


def direction_findings(case: Case) -> Iterator[Finding]:
    """Yield rankings that have relevant items last or contradict their scores, and values that fall as gold rises."""
    if "relevant" in case.gold and "ranking" in case.predicted:
        yield from _rankings(case)
    if "value" in case.gold and "value" in case.predicted:
        yield from _values(case)
    if "tokens" in case.gold and "log_likelihood" in case.predicted:
        yield from _likelihoods(case)


def _rankings(case: Case) -> Iterator[Finding]:
    relevant, ranked = listed(case.gold["relevant"]), listed(case.predicted["ranking"])
    places, spreads, where = [], [], []
    for place, (gains, items) in enumerate(zip(relevant, ranked, strict=True)):
        own = np.array([gains.get(item, 0.0) > 0 for item in items], dtype=np.bool_)
        ones, zeros = int(own.sum()), int((~own).sum())
        if ones and zeros:
            # The share of pairs (relevant, other) in which the relevant one stands behind: 1/2 by chance.
            ranks = float(np.flatnonzero(own).sum()) - ones * (ones - 1) / 2
            places.append(ranks / (ones * zeros))
            spreads.append((ones + zeros + 1) / (12 * ones * zeros))
            where.append(place)
    if len(places) >= ENOUGH:
        mean, error = float(np.mean(places)), float(np.sqrt(np.sum(spreads))) / len(places)
        if mean > BEHIND and mean - 0.5 > LEAST_Z * error:
            yield finding(
                "rankings are reversed",
                "error",
                len(places),
                [case.shown(one, ", ".join(ranked[one][:5])) for one in where],
                f"relevant items stand behind the others in {mean:.0%} of all pairs, far beyond chance: items were "
                "ordered by a distance or a loss as if more were better. Turn the rankings round",
            )
    scores = case.predicted.get("scores")
    if scores is not None:
        against = [
            place
            for place, (items, values) in enumerate(zip(ranked, listed(scores), strict=True))
            if _falls_short([values[item] for item in items if item in values])
        ]
        if against:
            yield finding(
                "rankings contradict their scores",
                "error" if len(against) > len(ranked) / 2 else "warning",
                len(against),
                [case.shown(one, ", ".join(ranked[one][:5])) for one in against],
                "the items of a ranking do not stand in the order of the scores beside it: the two are of different "
                "systems, or one was sorted the other way round",
            )


def _falls_short(values: list[float]) -> bool:
    return any(later > before for before, later in pairwise(values))


def _values(case: Case) -> Iterator[Finding]:
    from scipy.stats import rankdata

    gold, said = (np.asarray(side["value"], dtype=np.float64) for side in (case.gold, case.predicted))
    if not (np.ptp(gold) and np.ptp(said)):
        return
    correlation = float(np.corrcoef(rankdata(gold), rankdata(said))[0, 1])
    if correlation < AGAINST and correlation * np.sqrt(len(gold) - 1) < -LEAST_Z:
        yield finding(
            "values run the other way",
            "error",
            len(gold),
            [case.shown(place, f"gold {gold[place]:g}, predicted {said[place]:g}") for place in range(3)],
            f"predicted values fall where gold rises (rank correlation {correlation:.3f}): a distance was taken for a "
            "similarity, or a scale is upside down",
        )


def _likelihoods(case: Case) -> Iterator[Finding]:
    tokens, nats = np.asarray(case.gold["tokens"], dtype=np.float64), -np.asarray(case.predicted["log_likelihood"])
    above = np.flatnonzero(nats < 0)
    if len(above):
        yield finding(
            "log-likelihoods above 0",
            "error",
            len(above),
            [case.shown(place, f"{-nats[place]:g}") for place in above[:5].tolist()],
            "a probability is at most 1, so its logarithm is at most 0: these are losses without their sign, or "
            "densities",
        )
    elif tokens.sum() and nats.sum() / tokens.sum() < CERTAIN_NATS:
        yield finding(
            "likelihoods near certainty",
            "error",
            len(tokens),
            [case.shown(place, f"{nats[place]:g} nats for {tokens[place]:g} tokens") for place in range(3)],
            f"{nats.sum() / tokens.sum():.4f} nats a token make a perplexity of about 1: nothing was masked, the model "
            "sees what it predicts, or means were written instead of sums",
        )
