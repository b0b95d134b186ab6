"""Precision, recall, F1 and their averages; accuracy, MCC and kappa: formulas over sums of counts.

Every function takes sums `[..., 3, labels]` (hit, gold, predicted of each label) and works on all leading
axes at once, so that ten thousand resamples are one call. A label whose formula is 0/0 is NaN and is left
out of averages together with its weight, as scikit-learn does with `zero_division=nan`; a label that
stands in neither gold nor predicted is 0/0 in all of them.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from truetune.metrics.counts import GOLD, HIT, PREDICTED
from truetune.types import Floats, Numbers

PerLabelFormula = Callable[[Numbers], Floats]


def hits(sums: Numbers) -> Numbers:
    """Return how often each label is both gold and predicted, `[..., labels]`."""
    return sums[..., HIT, :]


def golds(sums: Numbers) -> Numbers:
    """Return how often each label is gold (its support), `[..., labels]`."""
    return sums[..., GOLD, :]


def predictions(sums: Numbers) -> Numbers:
    """Return how often each label is predicted, `[..., labels]`."""
    return sums[..., PREDICTED, :]


def precision(sums: Numbers) -> Floats:
    """Return TP / (TP + FP) of each label."""
    return quotient(hits(sums), predictions(sums))


def recall(sums: Numbers) -> Floats:
    """Return TP / (TP + FN) of each label."""
    return quotient(hits(sums), golds(sums))


def f1(sums: Numbers) -> Floats:
    """Return 2 TP / (2 TP + FP + FN) of each label: defined as soon as it is gold or predicted once."""
    return quotient(2 * hits(sums), golds(sums) + predictions(sums))


def macro(per_label: PerLabelFormula) -> Callable[[Numbers], Floats]:
    """Return the formula of the unweighted mean over the labels where `per_label` is defined."""
    return lambda sums: mean_of_defined(per_label(sums))


def weighted(per_label: PerLabelFormula) -> Callable[[Numbers], Floats]:
    """Return the formula of the mean weighted by support, over the labels where `per_label` is defined."""
    return lambda sums: mean_of_defined(per_label(sums), golds(sums))


def micro(per_label: PerLabelFormula) -> Callable[[Numbers], Floats]:
    """Return the formula of `per_label` over the counts of all labels together."""
    return lambda sums: per_label(sums.sum(axis=-1, keepdims=True))[..., 0]


def f1_of_means(sums: Numbers) -> Floats:
    """Return the F1 of macro precision and macro recall: the other number that is called macro-F1.

    It is at least the mean of F1s and rewards labels whose errors are all on one side; see Opitz and
    Burst (2019), "Macro F1 and Macro F1".
    """
    mean_precision, mean_recall = macro(precision)(sums), macro(recall)(sums)
    return quotient(2 * mean_precision * mean_recall, mean_precision + mean_recall)


def accuracy(sums: Numbers) -> Floats:
    """Return hits / examples, for one label an example."""
    return quotient(*accuracy_parts(sums))


def accuracy_parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    """Return (hits, examples), for one label an example."""
    return hits(sums).sum(axis=-1), golds(sums).sum(axis=-1)


def precision_parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    """Return (hits, predictions) of each label."""
    return hits(sums), predictions(sums)


def recall_parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    """Return (hits, golds) of each label."""
    return hits(sums), golds(sums)


def mcc(sums: Numbers) -> Floats:
    """Return Matthews' correlation coefficient of any number of labels (Gorodkin 2004, R_K).

    (c n - sum p g) / sqrt((n^2 - sum p^2) (n^2 - sum g^2)), for c hits, n examples and p predictions, g
    golds of each label; 0/0 where gold, or predicted, is one label throughout.
    """
    hit, total, chance, predicted, gold = _moments(sums)
    return quotient(hit * total - chance, np.sqrt(total**2 - predicted) * np.sqrt(total**2 - gold))


def kappa(sums: Numbers) -> Floats:
    """Return Cohen's kappa (1960): (observed - chance) / (1 - chance) agreement.

    0/0 where gold and predicted are one and the same label throughout.
    """
    hit, total, chance, _, _ = _moments(sums)
    return quotient(hit * total - chance, total**2 - chance)


def _moments(sums: Numbers) -> tuple[Floats, ...]:
    exact = np.asarray(sums, dtype=np.float64)
    hit, gold, predicted = hits(exact), golds(exact), predictions(exact)
    return (
        hit.sum(axis=-1),
        gold.sum(axis=-1),
        (gold * predicted).sum(axis=-1),
        (predicted**2).sum(axis=-1),
        (gold**2).sum(axis=-1),
    )


def quotient(above: Numbers, below: Numbers) -> Floats:
    """Return above / below, NaN where below is 0."""
    with np.errstate(divide="ignore", invalid="ignore"):
        found: Floats = np.where(below == 0, np.nan, np.divide(above, below))
    return found


def mean_of_defined(values: Floats, weights: Numbers | None = None) -> Floats:
    """Return the mean over the last axis of what is not NaN, weighted; NaN where nothing is left."""
    defined = ~np.isnan(values)
    shares = defined if weights is None else defined * weights
    return quotient((np.where(defined, values, 0.0) * shares).sum(axis=-1), shares.sum(axis=-1))
