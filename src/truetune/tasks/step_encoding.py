"""A step on a scale (1 to 5 stars): learnt as whether it is above each step but the last [Frank and Hall 2001]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from truetune.errors import DataError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.classify_encoding import encoded_texts, sigmoid
from truetune.types import IGNORED, Encoded, Floats, Ints, Tokenizer

BETWEEN = "|"
FEWEST, MOST = 3, 50


def step_schema(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return an output between each two neighbouring steps of the training part, `1|2`, `2|3`...

    Raises `DataError` for numbers that are not whole, and for fewer than 3 steps or more than 50.
    """
    values = np.unique(np.fromiter(gold["value"], dtype=np.float64))
    if (values != np.round(values)).any():
        raise DataError(
            f"steps are whole numbers, and the training part holds {values[values != np.round(values)][0]:g}; use "
            "the task regression, or number the steps"
        )
    if not FEWEST <= len(values) <= MOST:
        instead = "classification" if len(values) < FEWEST else "regression"
        raise DataError(
            f"the training part has {len(values)} steps; expected {FEWEST} to {MOST} of them. Use the task {instead}"
        )
    steps = values.astype(np.int64).tolist()
    return Labels(tuple(f"{low}{BETWEEN}{high}" for low, high in pairwise(steps)), multiple=True)


def steps_of(labels: Labels) -> Ints:
    """Return the steps of a schema, the lowest first."""
    pairs = [name.split(BETWEEN) for name in labels.names]
    return np.array([int(pairs[0][0]), *(int(high) for _, high in pairs)])


def encode_steps(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return model inputs as `classify_encoding.encode`; the target `[steps - 1]` is 1 for each step that is passed."""
    examples = len(columns[0])
    targets: Floats = np.full((examples, len(labels.names)), float(IGNORED))
    if gold is not None:
        values = np.asarray(gold["value"], dtype=np.float64)
        targets = (values[:, None] > steps_of(labels)[None, :-1]).astype(np.float64)
    return encoded_texts(columns, list(targets), tokenizer, lengths, first)


def decode_steps(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `value`: the step above as many others as are passed with a probability of at least `threshold`.

    At 0.5 that is the median step, which has the least mean absolute error. The probabilities of a text that was read
    in windows are the means of its windows'.
    """
    steps = steps_of(labels)
    passed = np.zeros((len(texts), len(labels.names)))
    counts = np.zeros(len(texts))
    for one, logits in zip(encoded, outputs, strict=True):
        passed[one.example] += sigmoid(logits)
        counts[one.example] += 1
    if not counts.all():
        raise DataError(f"example {int(np.argmin(counts))} has no output; expected at least one input of each example")
    number = (passed / counts[:, None] >= threshold).sum(axis=1)
    return {"value": steps[number].astype(np.float64).tolist()}
