"""Scores of a model beside gold labels that it never learnt: it gives them no chance, and that is what is scored."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any


def with_unlearnt(
    predicted: Mapping[str, Sequence[Any]], gold: Mapping[str, Sequence[Any]]
) -> Mapping[str, Sequence[Any]]:
    """Return a model's predicted columns whose `scores` have a 0 for each gold label that they lack.

    For predictions of a model whose labels are known: in a file from elsewhere a label without scores is a mistake.
    """
    scores = predicted.get("scores")
    if scores is None or not len(scores) or not isinstance(scores[0], Mapping):
        return predicted
    labels = gold["label"] if "label" in gold else chain.from_iterable(gold.get("labels", ()))
    missing = {label: 0.0 for label in dict.fromkeys(labels) if label not in scores[0]}
    if not missing:
        return predicted
    return {**predicted, "scores": [{**row, **missing} for row in scores]}
