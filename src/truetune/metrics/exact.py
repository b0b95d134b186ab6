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


def exact_share(name: str, fields: tuple[str, str], definition: str) -> Additive:
    """Return the metric of what is right as a whole or wrong, in a field of gold and one of predicted."""
    return Additive(
        name=name,
        rows=exact_rows,
        formula=_share,
        gold=fields[0],
        predicted=fields[1],
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
    ("frame", "frame"),
    "examples whose label and all spans (start, end and type) are those of gold / examples",
)
CHOICES = exact_share("accuracy", ("choice", "answer"), "examples whose predicted choice is the gold one / examples")
