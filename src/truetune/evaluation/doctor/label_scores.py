"""Do scores say what the predicted label says? Logits, sums, contradictions, scores the wrong way round."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from truetune.errors import MetricError
from truetune.evaluation.doctor.case import ENOUGH, Case, finding, listed
from truetune.metrics.label_scores import SUM_TOLERANCE, LabelScores, label_scores
from truetune.types import Bools, Finding, Floats

DIFFERENT = 1e-4
"""Scores that differ by less may be equal ones, rounded."""
REVERSED = 0.4
LEAST_Z = 5.0
"""An area under the ROC curve below .4 and five standard errors below one half is not chance."""


def score_findings(case: Case) -> Iterator[Finding]:
    """Yield scores that are no probabilities, contradict the label beside them, or rank the wrong way round."""
    if "scores" not in case.predicted or not ({"label", "labels"} & set(case.gold)):
        return
    try:
        scores = label_scores(case.predicted["scores"])
    except MetricError:
        return  # Not one score a label in every example: evaluate refuses what it cannot read.
    yield from _no_probabilities(case, scores)
    if "label" in case.gold and "label" in case.predicted:
        yield from _contradictions(case, scores)
    yield from _reversed(case, scores)


def _no_probabilities(case: Case, scores: LabelScores) -> Iterator[Finding]:
    """Yield logits, and scores of exclusive labels that do not sum to 1, where reading has not refused them."""
    outside = ((scores.values < 0) | (scores.values > 1)).any(axis=1)
    if outside.any():
        yield finding(
            "scores are logits",
            "error",
            int(outside.sum()),
            [case.shown(place, str(_row(scores, place))) for place in np.flatnonzero(outside)[:5].tolist()],
            "scores below 0 or above 1 are no probabilities, and one logit of several does not order examples as its "
            "probability does. Apply softmax over all labels (sigmoid where an example may have several)",
        )
        return
    sums = scores.values.sum(axis=1)
    wrong = np.abs(sums - 1) > SUM_TOLERANCE
    if "label" in case.gold and wrong.any():
        yield finding(
            "scores do not sum to 1",
            "error",
            int(wrong.sum()),
            [case.shown(one, f"sum {sums[one]:.4g} of {_row(scores, one)}") for one in np.flatnonzero(wrong)[:5]],
            "scores of labels of which each example has one must sum to 1: apply softmax over the labels, not a "
            "sigmoid to each, and give the scores of all labels",
        )


def _contradictions(case: Case, scores: LabelScores) -> Iterator[Finding]:
    """Yield labels that do not have the highest score; of two labels, that no threshold would choose."""
    place = {label: number for number, label in enumerate(scores.labels)}
    said = np.array([place.get(label, -1) for label in listed(case.predicted["label"])])
    own = scores.values[np.arange(len(said)), said]
    wrong: Bools = (said >= 0) & (own < scores.values.max(axis=1) - DIFFERENT)
    if len(scores.labels) == 2 and wrong.any() and (said >= 0).all() and _separable(said == 1, scores.values[:, 1]):
        return  # Decided by another threshold than one half.
    number = int(wrong.sum())
    if number:
        yield finding(
            "scores contradict the label",
            "error" if number > len(said) / 2 else "warning",
            number,
            [
                case.shown(one, f"label {scores.labels[said[one]]}, scores {_row(scores, one)}")
                for one in np.flatnonzero(wrong)[:5]
            ],
            "the predicted label does not have the highest score: scores and labels are of different runs, in a "
            "different order, or the scores are one logit of two through a sigmoid. Accuracy and areas under curves "
            "then speak of two systems (right only where labels were decided by costs)",
        )


def _separable(chosen: Bools, score: Floats) -> bool:
    """Return whether the chosen examples are those above some threshold."""
    if chosen.all() or not chosen.any():
        return True
    return bool(score[chosen].min() >= score[~chosen].max() - DIFFERENT)


def _reversed(case: Case, scores: LabelScores) -> Iterator[Finding]:
    gold = listed(case.gold["label" if "label" in case.gold else "labels"])
    found = []
    tried = 0
    for place, label in enumerate(scores.labels):
        positive = np.array([label == one if isinstance(one, str) else label in one for one in gold])
        area, z = area_and_z(positive, scores.values[:, place])
        if min(positive.sum(), (~positive).sum()) >= ENOUGH // 2:
            tried += 1
            if area < REVERSED and z < -LEAST_Z:
                found.append(f"{label}: area {area:.3f}")
        if len(scores.labels) == 2:
            break
    if found and 2 * len(found) >= tried:
        yield finding(
            "scores rank the wrong way round",
            "error",
            len(found),
            found,
            "examples of a label get lower scores for it than the others do, far beyond chance: the columns of the "
            "scores are swapped or in another order, or the scores are distances or losses",
        )


def area_and_z(positive: Bools, score: Floats) -> tuple[float, float]:
    """Return the area under the ROC curve, and by how many standard errors of chance it is off one half.

    Mann and Whitney's statistic: the mean rank of positives; ties share their mean rank. (1/2, 0) of one class.
    """
    ones, zeros = int(positive.sum()), int((~positive).sum())
    if not (ones and zeros):
        return 0.5, 0.0
    _, inverse, counts = np.unique(score, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[inverse]
    area = (float(ranks[positive].sum()) - ones * (ones + 1) / 2) / (ones * zeros)
    return area, (area - 0.5) / float(np.sqrt((ones + zeros + 1) / (12 * ones * zeros)))


def _row(scores: LabelScores, place: int) -> dict[str, float]:
    shown: Sequence[float] = scores.values[place].tolist()
    return {label: round(value, 4) for label, value in zip(scores.labels[:6], shown[:6], strict=True)}
