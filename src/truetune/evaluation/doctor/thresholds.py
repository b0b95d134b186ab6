"""Was the threshold chosen on the very set that is scored?"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from truetune.errors import MetricError
from truetune.evaluation.doctor.case import Case, finding, listed
from truetune.metrics.label_scores import label_scores
from truetune.types import Bools, Finding, Floats

LEAST_GAIN = 0.002
"""By how much the best threshold must beat one half to be worth choosing."""


def threshold_findings(case: Case) -> Iterator[Finding]:
    """Yield that of two labels the threshold is not one half, and is exactly the best one of these examples.

    A threshold from validation can fall there by chance, so that it is a note.
    """
    if "scores" not in case.predicted or case.both("label") is None:
        return
    try:
        scores = label_scores(case.predicted["scores"])
    except MetricError:
        return
    if len(scores.labels) != 2:
        return
    for place, label in enumerate(scores.labels):
        said = np.array([one == label for one in listed(case.predicted["label"])])
        gold = np.array([one == label for one in listed(case.gold["label"])])
        score = scores.values[:, place]
        if not 0 < said.sum() < len(said) or score[said].min() <= score[~said].max():
            return  # No threshold, or one label only.
        low, high = float(score[~said].max()), float(score[said].min())
        if low < 0.5 <= high:
            return
        for name, measure in (("accuracy", _accuracy), ("F1", _f1)):
            values = measure(gold, score)
            own, half = measure(gold, score, int(said.sum())), measure(gold, score, int((score >= 0.5).sum()))
            if float(own[0]) >= float(values.max()) - 1e-12 and own[0] - half[0] > LEAST_GAIN:
                yield finding(
                    "threshold is the best one here",
                    "note",
                    len(gold),
                    [f"{label}: between {low:.4f} and {high:.4f}"],
                    f"no other threshold gives these examples a higher {name} ({own[0]:.4f}; with one half it is "
                    f"{half[0]:.4f}): if it was chosen on them, that number is too high. Choose it on validation",
                )
                return


def _hits(gold: Bools, score: Floats) -> Floats:
    """Return how many of the k highest scores are gold, `[examples + 1]`; ties are cut nowhere but at their ends."""
    order = np.argsort(-score, kind="stable")
    hits: Floats = np.concatenate([[0.0], np.cumsum(gold[order], dtype=np.float64)])
    ties = np.r_[False, score[order][1:] == score[order][:-1], False]
    hits[ties] = np.nan
    return hits


def _accuracy(gold: Bools, score: Floats, chosen: int | None = None) -> Floats:
    hits = _hits(gold, score)
    number = np.arange(len(hits))
    values: Floats = (hits + (len(gold) - gold.sum()) - (number - hits)) / len(gold)
    return _at(values, chosen)


def _f1(gold: Bools, score: Floats, chosen: int | None = None) -> Floats:
    hits = _hits(gold, score)
    values: Floats = 2 * hits / np.maximum(np.arange(len(hits)) + gold.sum(), 1)
    return _at(values, chosen)


def _at(values: Floats, chosen: int | None) -> Floats:
    found: Floats = np.nan_to_num(values if chosen is None else values[chosen : chosen + 1], nan=-1.0)
    return found
