"""What the pretrained model computes before any fine-tuning: input of the `frozen-linear` baselines."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from truetune.backbones.base import Backbone
from truetune.backbones.outputs import features_of, piece_features_of
from truetune.tasks.base import Labels, Training
from truetune.training.baselines_pieces import PieceFeatures
from truetune.training.tagging import Units
from truetune.types import Encoded, Floats, Ints
from truetune.workflows.model import lengths_of, pieces_at_once, shown_by
from truetune.workflows.progress import Progress


def text_features(
    backbone: Backbone, training: Training, columns: Sequence[Sequence[Any]], title: str, progress: Progress
) -> Floats:
    """Return the mean-pooled features of each example, `[examples, hidden]`; windows of a text are averaged."""
    encoded = _encoded(backbone, training, columns)
    found = features_of(backbone, encoded, pieces_at_once(backbone), shown_by(progress, title))
    examples = np.array([one.example for one in encoded])
    totals = np.zeros((len(columns[0]), found.shape[1]))
    np.add.at(totals, examples, found)
    means: Floats = totals / np.bincount(examples, minlength=len(totals))[:, None]
    return means


class FeaturesAt:
    """Features of the texts at some positions, computed when they are asked for: of all they would fill the memory."""

    def __init__(self, features: Callable[[Ints], Floats]) -> None:
        self._features = features

    def __getitem__(self, positions: Ints) -> Floats:
        return self._features(positions)


def piece_features(
    backbone: Backbone, training: Training, columns: Sequence[Sequence[Any]], title: str, progress: Progress
) -> list[PieceFeatures]:
    """Return the features of each text's pieces; where windows overlap, those of the earlier window."""
    encoded = _encoded(backbone, training, columns)
    computed = piece_features_of(backbone, encoded, pieces_at_once(backbone), shown_by(progress, title))
    parts: list[list[tuple[Floats, Ints, Ints]]] = [[] for _ in columns[0]]
    for position, one in enumerate(encoded):
        told = parts[one.example]
        reached = int(told[-1][2].max(initial=0)) if told else 0
        kept = np.flatnonzero((one.ends > one.starts) & (one.starts >= reached))
        told.append((computed[position][kept].astype(np.float32), one.starts[kept], one.ends[kept]))
    return [
        PieceFeatures(
            np.concatenate([features for features, _, _ in told]),
            Units(np.concatenate([starts for _, starts, _ in told]), np.concatenate([ends for _, _, ends in told])),
        )
        for told in parts
    ]


def _encoded(backbone: Backbone, training: Training, columns: Sequence[Sequence[Any]]) -> list[Encoded]:
    nothing = Labels(())
    lengths = lengths_of(training, backbone.tokenizer.max_length)
    return training.encode(columns, None, nothing, backbone.tokenizer, lengths).inputs
