"""Do people agree? Cohen's, Fleiss' and Krippendorff's coefficients with intervals over items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from truetune.errors import MetricError, nearest
from truetune.evaluation.evaluate import scores
from truetune.evaluation.families import Family
from truetune.evaluation.ratings import Rated, rated
from truetune.evaluation.tables import Source, group_codes
from truetune.metrics import agreement as coefficients
from truetune.metrics.agreement import Agreement, Level
from truetune.metrics.cohen import pair_agreement
from truetune.stats.plan import Plan
from truetune.types import Ints, Score

MOST_PAIRS = 10
"""Above so many pairs of raters Cohen's kappa of each is left out: use Krippendorff's alpha of all."""
SCALES: tuple[Level, ...] = ("nominal", "ordinal", "interval")


@dataclass(frozen=True)
class AgreementResult:
    """What `agreement` found; `to_dict()` is the JSON of the command line."""

    items: int
    raters: tuple[str, ...]
    scale: Level
    values: tuple[Any, ...]
    scores: tuple[Score, ...]
    warnings: tuple[str, ...] = ()

    def score(self, metric: str) -> Score:
        """Return one coefficient; raises `MetricError` with the nearest names for an unknown one."""
        for score in self.scores:
            if score.metric == metric:
                return score
        raise MetricError(f"no score {metric!r}; {nearest(metric, (score.metric for score in self.scores))}")

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "items": self.items,
            "raters": list(self.raters),
            "scale": self.scale,
            "values": list(self.values),
            "scores": [score.to_dict() for score in self.scores],
            "warnings": list(self.warnings),
        }


def agreement(
    ratings: Source,
    *,
    scale: Level = "nominal",
    values: Sequence[Any] | None = None,
    raters: Sequence[str] | None = None,
    group: str | None = None,
    plan: Plan | None = None,
) -> AgreementResult:
    """Return how far raters agree: a file, records, or one list of ratings an item (None where one is missing).

    `krippendorff_alpha` always; `fleiss_kappa` where every item has equally many nominal ratings; `cohen_kappa`
    of each pair of raters over the items that both rated, for ordinal values weighted by squared
    distance as well. `values` lists the possible values, in order for an ordinal `scale` of names. How files
    are read: `truetune.evaluation.ratings.rated`.
    """
    if scale not in SCALES:
        raise MetricError(f"unknown scale {scale!r}; {nearest(scale, SCALES)}")
    found = rated(ratings, scale, raters, group)
    groups = None if found.groups is None else group_codes(found.groups)
    known = None if values is None else _like(values, found)
    whole = coefficients.agreement(found.ratings, scale, known)
    plan = plan or Plan()
    return AgreementResult(
        items=len(found.items),
        raters=found.raters,
        scale=scale,
        values=whole.values,
        scores=(*_scores(whole, groups, plan), *_pairs(found, whole.values, scale, groups, plan)),
        warnings=(*_oddities(found), *_without_fleiss(found, whole, scale)),
    )


def _scores(found: Agreement, groups: Ints | None, plan: Plan) -> tuple[Score, ...]:
    return scores([Family(found.metrics, (found.rows,))], groups, plan)


def _pairs(found: Rated, values: Sequence[Any], scale: Level, groups: Ints | None, plan: Plan) -> list[Score]:
    pairs = list(combinations(range(len(found.raters)), 2))
    if len(pairs) > MOST_PAIRS:
        return []
    result = []
    for one, other in pairs:
        both = [place for place, given in enumerate(found.ratings) if None not in (given[one], given[other])]
        inside = None if groups is None else np.unique(groups[both], return_inverse=True)[1]
        columns = [[found.ratings[place][rater] for place in both] for rater in (one, other)]
        named = "" if len(pairs) == 1 else f"/{found.raters[one]}~{found.raters[other]}"
        for weights in ("none", "quadratic") if scale != "nominal" else ("none",):
            pair = pair_agreement(columns[0], columns[1], values, weights)
            result += [replace(score, metric=score.metric + named) for score in _scores(pair, inside, plan)]
    return result


def _without_fleiss(found: Rated, whole: Agreement, scale: Level) -> list[str]:
    if scale != "nominal" or any(metric.name == "fleiss_kappa" for metric in whole.metrics):
        return []
    each = [len(given) - given.count(None) for given in found.ratings]
    return [f"items have from {min(each)} to {max(each)} ratings: no fleiss_kappa, which needs equally many of each"]


def _like(values: Sequence[Any], found: Rated) -> tuple[Any, ...]:
    """Return the possible values in the form in which the ratings were read."""
    numeric = all(isinstance(one, float) for given in found.ratings for one in given if one is not None)
    return tuple(float(value) for value in values) if numeric else tuple(str(value) for value in values)


def _oddities(found: Rated) -> tuple[str, ...]:
    single = [
        item for item, given in zip(found.items, found.ratings, strict=True) if len(given) - given.count(None) < 2
    ]
    told = []
    if single:
        told.append(
            f"{len(single):,} of {len(found.items):,} items have fewer than two ratings and say nothing of agreement: "
            f"{', '.join(single[:5])}{', ...' if len(single) > 5 else ''}"
        )
    number = 0 if found.groups is None else len(set(found.groups))
    if found.groups is not None and number < 50:
        told.append(f"only {number} groups: intervals by group need about 50 to hold what they promise")
    if len(found.raters) * (len(found.raters) - 1) // 2 > MOST_PAIRS:
        told.append(f"{len(found.raters)} raters make too many pairs for Cohen's kappa of each")
    return tuple(told)
