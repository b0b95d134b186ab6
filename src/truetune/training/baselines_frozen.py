"""`frozen-linear`: logistic regression on what the pretrained model computes, before any fine-tuning."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt

from truetune.data.stored import values_at
from truetune.tasks.base import Labels
from truetune.training.baselines import (
    Baseline,
    Candidate,
    Part,
    Progress,
    Score,
    chosen,
    label_candidates,
    some_examples,
)
from truetune.training.linear_path import DENSE, label_targets, probabilities

Features = Mapping[str, npt.NDArray[np.floating]]
"""Way of pooling (`mean`, `first`...) -> `[examples, hidden]`."""

MOST_WORK = 1_500_000
"""How many targets (examples times labels) are fitted at most."""


def frozen_linear(
    train: Part, validation: Part, test_inputs: Features, labels: Labels, score: Score, progress: Progress
) -> Baseline:
    """Return predictions from standardised features of the frozen model; inputs are `Features`.

    The way of pooling, C, and the threshold where an example may carry several labels, are chosen on the
    validation part; means and deviations are those of the training part.
    """
    limit = max(2_000, MOST_WORK // max(len(labels.names), 1))
    kept, notes = some_examples(len(train.gold), limit, "training texts")
    targets = label_targets(values_at(train.gold, kept), labels.names, labels.multiple)
    progress(f"frozen-linear: fitting on {len(kept):,} texts")

    def candidates() -> Iterator[Candidate]:
        for pooling in train.inputs:
            arrays = (train.inputs[pooling][kept], validation.inputs[pooling], test_inputs[pooling])
            features, *others = standardised(*arrays)
            for strength, found in probabilities(DENSE, features, targets, others, len(labels.names)):
                settings = {"pooling": pooling, "C": strength}
                yield from label_candidates(settings, found[0], found[1], labels)

    return chosen("frozen-linear", candidates(), validation.gold, score, notes)


def standardised(train: npt.NDArray[np.floating], *others: npt.NDArray[np.floating]) -> list[npt.NDArray[np.float32]]:
    """Return all arrays `[rows, columns]`, by the training rows' means and deviations; constant columns are 0."""
    mean = train.mean(axis=0, dtype=np.float64)
    deviation = train.std(axis=0, dtype=np.float64)
    scale = np.where(deviation > 1e-8, 1 / np.maximum(deviation, 1e-8), 0.0)
    return [((array - mean) * scale).astype(np.float32) for array in (train, *others)]
