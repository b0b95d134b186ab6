"""The share of examples whose answer is the gold one, whatever an answer is: a frame, the text of a choice."""

from __future__ import annotations

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.rows import Rows
from truetune.types import Column, Floats, Numbers


def exact_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: whether both are equal, and 1; raises `MetricError` for unequal lengths."""
    if len(gold) != len(predicted):
        raise MetricError(f"gold has {len(gold):,} examples, predicted {len(predicted):,}; expected one answer of each")
    equal = [one == other for one, other in zip(gold, predicted, strict=True)]
    return Rows.of(np.stack([np.array(equal, dtype=np.int64), np.ones(len(equal), dtype=np.int64)], axis=1))


def exact_share(name: str, field: str, definition: str) -> Additive:
    """Return the metric of a field that is right as a whole or wrong."""
    return Additive(
        name=name,
        rows=exact_rows,
        formula=_share,
        gold=field,
        predicted=field,
        definition=definition,
        unit="example",
        interval="wilson",
        ratio=_parts,
        undefined="there is no example",
        limits=(0.0, 1.0),
    )


def _share(sums: Numbers) -> Floats:
    share: Floats = sums[..., 0] / sums[..., 1]
    return share


def _parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0], sums[..., 1]


FRAMES = exact_share(
    "frame_accuracy",
    "frame",
    "examples whose label and all spans (start, end and type) are those of gold / examples",
)
