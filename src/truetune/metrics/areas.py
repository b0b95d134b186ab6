"""Areas under curves: ROC AUC and average precision, of two labels, of one against the rest, of pairs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import permutations

import numpy as np

from truetune.metric import Pooled
from truetune.metrics.f_measures import mean_of_defined, quotient
from truetune.metrics.rankings import Counts, Ranked, ranking, rankings
from truetune.metrics.score_rows import GOLD, SCORE, rows_of_label, score_rows, score_set_rows
from truetune.rows import Rows
from truetune.types import Bools, Floats, Numbers

Area = Callable[[Ranked], Floats]


def roc_area(ranked: Ranked) -> Floats:
    """Return the share of (positive, negative) pairs in which the positive scores higher; ties count half.

    It is the area under the ROC curve with straight lines over ties (Hanley and McNeil 1982). NaN without
    a positive or without a negative.
    """
    won = _dot(ranked.positives, ranked.below + ranked.tied / 2)
    return quotient(won, ranked.positives.sum(axis=-1) * ranked.negatives)


def precision_area(ranked: Ranked) -> Floats:
    """Return average precision: the mean, over positives, of the precision at each one's score.

    sum (R_n - R_(n-1)) P_n over the distinct scores, a step-wise sum that does not interpolate between
    points (Davis and Goadrich 2006 show why not). NaN without a positive.
    """
    up_to: Counts = np.cumsum(ranked.positives, axis=-1)
    found = up_to[..., -1:] - up_to + ranked.positives
    taken = found + (ranked.negatives[..., None] - ranked.below)
    return quotient(_dot(ranked.positives, found / np.maximum(taken, 1)), ranked.positives.sum(axis=-1))


def _dot(first: Counts, second: Counts) -> Floats:
    summed: Floats = np.einsum("...i,...i->...", first, second)
    return summed


def of_binary(area: Area, gold: Floats, score: Floats, counts: Numbers) -> Floats:
    """Return an area `[...]` for rows (gold is positive, score), each `[distinct]`, and their counts."""
    if not gold.any():
        return np.full(counts.shape[:-1], np.nan)
    return area(ranking(gold, score, counts))


def _pooled(area: Area) -> Callable[[Rows, Numbers], Floats]:
    """Return the area of rows of two labels, or the mean over labels of each one against the rest."""

    def pooled(rows: Rows, counts: Numbers) -> Floats:
        table = rows.table
        if table.ndim == 2:
            return of_binary(area, table[:, 0], table[:, 1], counts)
        if counts.ndim == 1:
            labels = range(table.shape[2])
            each = [of_binary(area, table[:, GOLD, place], table[:, SCORE, place], counts) for place in labels]
        else:
            each = [area(ranked) for ranked in rankings(table, counts)]
        return mean_of_defined(np.stack(each, axis=-1)) if each else np.full(counts.shape[:-1], np.nan)

    return pooled


def _of_pairs(rows: Rows, counts: Numbers) -> Floats:
    """Return the mean area over ordered pairs of labels, each among the examples of the two, by the first one's score.

    Hand and Till (2001), M. Pairs of which a label has no example are left out; NaN where none is left.
    """
    table = rows.table
    if table.ndim == 2:  # of two labels both orders have one area
        return of_binary(roc_area, table[:, 0], table[:, 1], counts)
    each = []
    for one, other in permutations(range(table.shape[2]), 2):
        inside = np.flatnonzero(table[:, GOLD, [one, other]].any(axis=1))
        part, held = table[inside][:, :, [one]], counts[..., inside]
        if counts.ndim == 1:
            each.append(of_binary(roc_area, part[:, GOLD, 0], part[:, SCORE, 0], held))
        else:
            each += [roc_area(ranked) for ranked in rankings(part, held)]
    return mean_of_defined(np.stack(each, axis=-1)) if each else np.full(counts.shape[:-1], np.nan)


def _positives(rows: Rows) -> Bools:
    """Return which distinct rows are positive, `[labels, distinct]`: average precision is a mean over them."""
    table = rows.table
    positive: Bools = (table[:, :1] if table.ndim == 2 else table[:, GOLD]).T > 0
    return positive


_AUC = "area under the ROC curve = P(a positive scores above a negative) + P(tie) / 2"
_AP = "average precision = sum (R_n - R_(n-1)) P_n over distinct scores, step-wise, not interpolated"
_POSITIVE = "positive is the second label in sorted order"
_REST = "unweighted mean over labels of each label against the rest"
_NO_AUC = "gold holds positives only, or negatives only"
_NO_AP = "gold holds no positive"

ROC_AUC = Pooled(
    name="roc_auc",
    rows=score_rows,
    pooled=_pooled(roc_area),
    gold="label",
    predicted="scores",
    definition=f"{_AUC}; of two labels {_POSITIVE}; of more, the {_REST}, labels where {_NO_AUC} left out",
    unit="example",
    interval="delong",
    undefined=_NO_AUC,
    limits=(0.0, 1.0),
)
AVERAGE_PRECISION = replace(
    ROC_AUC,
    name="average_precision",
    pooled=_pooled(precision_area),
    interval="bca",
    definition=f"{_AP}; of two labels {_POSITIVE}; of more, the {_REST}, labels where {_NO_AP} left out",
    undefined=_NO_AP,
    bearing=_positives,
)

SINGLE = (ROC_AUC, AVERAGE_PRECISION)
"""Fields `label`, `scores`. They take any number of labels; `area_metrics` says which label is positive, and
gives those of each label, once the labels are known."""

ROC_AUC_OVO = replace(
    ROC_AUC,
    name="roc_auc_ovo",
    pooled=_of_pairs,
    interval="delong-pairs",
    definition=f"{_AUC}; unweighted mean over ordered pairs of labels, each among the examples of the two alone (Hand "
    "and Till 2001), pairs of which one has no example left out",
    undefined="no two labels have both examples and scores",
)
"""Of three labels and more; of two it is `roc_auc`. It does not depend on how frequent labels are."""

MULTIPLE = tuple(
    replace(
        metric,
        rows=score_set_rows,
        gold="labels",
        definition=f"{text}; {_REST}, labels where {metric.undefined} left out",
    )
    for metric, text in ((ROC_AUC, _AUC), (AVERAGE_PRECISION, _AP))
)
"""Fields `labels`, `scores`."""


def area_metrics(labels: Sequence[str], multiple: bool = False) -> tuple[Pooled, ...]:
    """Return the metrics for scores of these labels.

    Two labels: `roc_auc` and `average_precision` of the second label in sorted order, which the rows' note
    names. More, or label sets (`multiple`): the means over labels (without sets also `roc_auc_ovo`), and
    `roc_auc/LABEL`, `average_precision/LABEL` of each label against the rest.
    """
    names = tuple(sorted(labels))
    if len(names) == 2 and not multiple:
        return (
            replace(ROC_AUC, definition=f"{_AUC}; {_POSITIVE}"),
            replace(AVERAGE_PRECISION, definition=f"{_AP}; {_POSITIVE}"),
        )
    whole = MULTIPLE if multiple else SINGLE
    pairs = () if multiple or len(names) < 3 else (ROC_AUC_OVO,)
    return (*whole, *pairs, *(metric for label in names for metric in _of_label(label, whole, multiple)))


def _of_label(label: str, whole: Sequence[Pooled], multiple: bool) -> tuple[Pooled, ...]:
    rows = rows_of_label(label, multiple)
    area, precision = (
        replace(metric, name=f"{metric.name}/{label}", rows=rows, definition=f"{text}; {label!r} against the rest")
        for metric, text in zip(whole, (_AUC, _AP), strict=True)
    )
    return area, precision
