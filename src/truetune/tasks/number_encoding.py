"""A number a text, or a pair of texts: learnt on the standard scale of the training part, told on its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from truetune.errors import DataError
from truetune.tasks.base import Encoding, Labels, Lengths, Scale
from truetune.tasks.classify_encoding import encoded_texts
from truetune.types import IGNORED, Encoded, Floats, Tokenizer


def number_scale(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the mean and the standard deviation of the training numbers; raises `DataError` where all are equal."""
    values = np.fromiter(gold["value"], dtype=np.float64)
    deviation = float(values.std()) if len(values) else 0.0
    if not deviation > 0:
        told = f"all {len(values):,} numbers of the training part are {values[0]:g}" if len(values) else "no number"
        raise DataError(f"{told}: there is nothing to learn or to measure. Is the right column under data.columns?")
    return Labels(("value",), scale=Scale(float(values.mean()), deviation))


def encode_numbers(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return model inputs as `classify_encoding.encode`; the target `[1]` is (number - mean) / deviation."""
    values = np.full(len(columns[0]), float(IGNORED))
    if gold is not None:
        scale = _scale(labels)
        values = (np.asarray(gold["value"], dtype=np.float64) - scale.mean) / scale.deviation
    return encoded_texts(columns, list(values[:, None]), tokenizer, lengths, first)


def decode_numbers(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `value`: the mean output of a text's windows, on the scale of the training numbers."""
    scale = _scale(labels)
    sums, counts = np.zeros((2, len(texts)))
    for one, output in zip(encoded, outputs, strict=True):
        sums[one.example] += output.item()
        counts[one.example] += 1
    if not counts.all():
        raise DataError(f"example {int(np.argmin(counts))} has no output; expected at least one input of each example")
    return {"value": (sums / counts * scale.deviation + scale.mean).tolist()}


def _scale(labels: Labels) -> Scale:
    if labels.scale is None:
        raise DataError("this model was saved without the scale of its numbers; fine-tune it again")
    return labels.scale
