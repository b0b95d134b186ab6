"""Scores of every label for every example: the column type of the field `scores`, and its checks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError, nearest
from truetune.types import Bools, Column, Floats, Ints

SUM_TOLERANCE = 1e-3
"""Probabilities printed with four digits, or computed in half precision, still sum to 1 within this."""

FEW_LABELS = 1 << 12
"""Whole numbers within such a range are looked up in a table of the range."""


@dataclass(frozen=True, slots=True, eq=False)
class LabelScores:
    """The score of each label for each example: `values` `[examples, labels]`, float64.

    Columns are in the order of `labels`, which are distinct. Nothing is said of the numbers here: the
    metrics that read them check what they need.
    """

    labels: tuple[str, ...]
    values: Floats

    def __post_init__(self) -> None:
        if self.values.ndim != 2 or self.values.shape[1] != len(self.labels):
            raise MetricError(
                f"scores of {len(self.labels)} labels have shape {self.values.shape}; expected "
                "[examples, labels], one column a label"
            )
        if len(set(self.labels)) != len(self.labels):
            raise MetricError(f"score labels are not distinct: {', '.join(self.labels)}")

    def __len__(self) -> int:
        return len(self.values)

    def take(self, examples: npt.NDArray[Any]) -> LabelScores:
        """Return the scores of some examples (positions or a mask), in that order."""
        return LabelScores(self.labels, self.values[examples])


def label_scores(column: Column) -> LabelScores:
    """Return a column of scores with its labels sorted.

    A column is a `LabelScores`, or one mapping {label: score} an example, each with the same labels.
    Raises `MetricError` naming the first example whose labels are others, or whose score is no number.
    """
    if isinstance(column, LabelScores):
        order = sorted(range(len(column.labels)), key=column.labels.__getitem__)
        if order == list(range(len(order))) and column.values.dtype == np.float64:
            return column
        labels = tuple(column.labels[place] for place in order)
        return LabelScores(labels, column.values[:, order].astype(np.float64))
    if not isinstance(column, Sequence) or not all(isinstance(scores, Mapping) for scores in column):
        raise MetricError(
            f"scores are a {type(column).__name__}; expected one mapping {{label: probability}} an example, "
            "or LabelScores(labels, values) for an array (a plain array does not say which column is which "
            "label)"
        )
    return _from_mappings(column)


def _from_mappings(column: Sequence[Mapping[Any, Any]]) -> LabelScores:
    names = sorted(column[0], key=str) if column else []
    for position, scores in enumerate(column):
        if len(scores) != len(names) or any(name not in scores for name in names):
            raise MetricError(_other_labels(position, names, scores))
    numbers = (scores[name] for scores in column for name in names)
    try:
        flat = np.fromiter(numbers, dtype=np.float64, count=len(column) * len(names))
    except (TypeError, ValueError):
        position, name, found = next(
            (position, name, scores[name])
            for position, scores in enumerate(column)
            for name in names
            if not isinstance(scores[name], int | float | np.number)
        )
        raise MetricError(
            f"the score of label {name!r} of example {position} is {found!r}; expected a number"
        ) from None
    return LabelScores(tuple(map(str, names)), flat.reshape(len(column), len(names)))


def _other_labels(position: int, names: Sequence[Any], scores: Mapping[Any, Any]) -> str:
    missing = [repr(name) for name in names if name not in scores]
    extra = [repr(name) for name in scores if name not in names]
    found = [f"lack {', '.join(missing)}"] * bool(missing) + [f"have also {', '.join(extra)}"] * bool(extra)
    return (
        f"the scores of example {position} {' and '.join(found)}; expected one score for each of the labels "
        f"of example 0: {', '.join(map(str, names))}"
    )


def probabilities(column: Column, exclusive: bool) -> LabelScores:
    """Return scores that are probabilities: each in [0, 1] and, if `exclusive`, summing to 1.

    Raises `MetricError` naming the first example and value that are not. A raw logit, or one output of a
    two-way softmax, orders examples otherwise than the probability does, and is refused this way.
    """
    scores = label_scores(column)
    values = scores.values
    if not values.size:
        return scores
    least, most = values.min(), values.max()
    if not (least >= 0 and most <= 1):  # also where one of them is NaN
        _refuse_first(scores, ~((values >= 0) & (values <= 1)))
    if exclusive:
        sums = np.einsum("el->e", values)
        if sums.min() < 1 - SUM_TOLERANCE or sums.max() > 1 + SUM_TOLERANCE:
            position = int(np.argmax(np.abs(sums - 1) > SUM_TOLERANCE))
            raise MetricError(
                f"the scores of example {position} sum to {sums[position]:.6g}; expected probabilities of "
                f"{', '.join(scores.labels)} that sum to 1 (apply softmax to logits; independent "
                "probabilities belong to examples with several labels, the field `labels`)"
            )
    return scores


def _refuse_first(scores: LabelScores, wrong: Bools) -> None:
    position, place = (int(found) for found in np.argwhere(wrong)[0])
    value = scores.values[position, place]
    advice = "" if np.isnan(value) else " (a raw logit? apply softmax, or sigmoid where labels are independent)"
    raise MetricError(
        f"the score of label {scores.labels[place]!r} of example {position} is {value:.6g}; expected a "
        f"probability between 0 and 1{advice}"
    )


def gold_places(gold: Column, scores: LabelScores) -> Ints:
    """Return the column of each example's gold label in `scores`, `[examples]`.

    Raises `MetricError` for unequal lengths, and for a gold label that has no scores.
    """
    _same_length(gold, scores)
    if isinstance(gold, np.ndarray) and gold.dtype.kind in "iu" and len(gold):
        low, high = int(gold.min()), int(gold.max())
        if high - low < FEW_LABELS:
            return _places([str(label) for label in range(low, high + 1)], gold - low, scores)
    listed = gold.tolist() if isinstance(gold, np.ndarray) else list(gold)
    codes = {label: code for code, label in enumerate(dict.fromkeys(listed))}
    index = np.fromiter(map(codes.__getitem__, listed), dtype=np.int64, count=len(listed))
    return _places([str(label) for label in codes], index, scores)


def gold_matrix(gold: Column, scores: LabelScores) -> Bools:
    """Return whether each label is among each example's gold labels, `[examples, labels]`."""
    _same_length(gold, scores)
    place = {label: column for column, label in enumerate(scores.labels)}
    matrix = np.zeros(scores.values.shape, dtype=np.bool_)
    for position, labels in enumerate(gold):
        for label in labels:
            if str(label) not in place:
                raise MetricError(_without_scores(str(label), position, scores))
            matrix[position, place[str(label)]] = True
    return matrix


def _places(names: Sequence[str], codes: Ints, scores: LabelScores) -> Ints:
    """Return the column of each example's label, from its code among `names`."""
    place = {label: column for column, label in enumerate(scores.labels)}
    found: Ints = np.array([place.get(name, -1) for name in names], dtype=np.int64)[codes]
    if found.min(initial=0) < 0:
        position = int(np.argmin(found))
        raise MetricError(_without_scores(names[int(codes[position])], position, scores))
    return found


def _without_scores(label: str, position: int, scores: LabelScores) -> str:
    return (
        f"gold label {label!r} of example {position} has no scores; the scores must cover every gold label; "
        f"{nearest(label, scores.labels)}"
    )


def _same_length(gold: Column, scores: LabelScores) -> None:
    if len(gold) != len(scores):
        raise MetricError(
            f"{len(gold):,} gold labels and the scores of {len(scores):,} examples; expected one of each an "
            "example, in the same order"
        )
