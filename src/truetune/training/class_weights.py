"""Weights of the labels that give each the same say in the loss, however rare it is."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from truetune.types import IGNORED, Encoded, Floats, Ints


def balanced_weights(inputs: Iterable[Encoded], labels: int, multiple: bool) -> tuple[float, ...]:
    """Return n / (K n(k)) for each of K answers with n(k) of the n training targets, 1 for one that none has.

    So the weights of all targets have the mean 1 [King and Zeng 2001; scikit-learn's `balanced`]. One label a
    target: `[labels]`. Several labels a text (`multiple`): of each label, absent and present are the two answers, and
    all weights of absent come first, `[2 * labels]`. What is counted is what is trained on: every window of a long
    text, and for tags every word.
    """
    counts = np.zeros((2, labels) if multiple else (labels,), dtype=np.int64)
    for one in inputs:
        target = np.atleast_1d(one.target)
        if multiple:
            counts += np.stack([target == 0, target == 1])
        else:
            counts += np.bincount(target[target != IGNORED].astype(np.int64), minlength=labels)
    return tuple(_balanced(counts).ravel().tolist())


def _balanced(counts: Ints) -> Floats:
    answers = len(counts)
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(counts > 0, counts.sum(axis=0) / (answers * counts), 1.0)
