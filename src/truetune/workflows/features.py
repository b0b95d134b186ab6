"""What the pretrained model computes before any fine-tuning: input of the `frozen-linear` baselines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from truetune.backbones.base import Backbone
from truetune.data.batch import padded, token_batches
from truetune.tasks.base import Labels, Training
from truetune.training.baselines_pieces import PieceFeatures
from truetune.training.tagging import Units
from truetune.types import Batch, Encoded, Floats, Ints
from truetune.workflows.model import PREDICTED_AT_ONCE, lengths_of
from truetune.workflows.progress import Progress

Compute = Callable[[Batch], Floats]


def text_features(
    backbone: Backbone, training: Training, columns: Sequence[Sequence[str]], title: str, progress: Progress
) -> Floats:
    """Return the mean-pooled features of each example, `[examples, hidden]`; windows of a text are averaged."""
    encoded = _encoded(backbone, training, columns)
    totals: dict[int, Floats] = {}
    windows = np.zeros(len(columns[0]))
    for position, found in _computed(backbone, backbone.features, encoded, (title, progress)):
        example = encoded[position].example
        totals[example] = totals.get(example, 0) + found
        windows[example] += 1
    means: Floats = np.stack([totals[example] for example in range(len(windows))]) / windows[:, None]
    return means


def piece_features(
    backbone: Backbone, training: Training, columns: Sequence[Sequence[str]], title: str, progress: Progress
) -> list[PieceFeatures]:
    """Return the features of each text's pieces; where windows overlap, those of the earlier window."""
    encoded = _encoded(backbone, training, columns)
    computed = dict(_computed(backbone, backbone.piece_features, encoded, (title, progress)))
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


def _encoded(backbone: Backbone, training: Training, columns: Sequence[Sequence[str]]) -> list[Encoded]:
    nothing = Labels(())
    lengths = lengths_of(training, backbone.tokenizer.max_length)
    return training.encode(columns, None, nothing, backbone.tokenizer, lengths).inputs


def _computed(
    backbone: Backbone, compute: Compute, encoded: Sequence[Encoded], shown: tuple[str, Progress]
) -> Iterator[tuple[int, Floats]]:
    sizes = np.array([len(one.ids) for one in encoded], dtype=np.int64)
    batches = token_batches(sizes, PREDICTED_AT_ONCE)
    title, progress = shown
    for positions in progress.over(title, batches, len(batches)):
        found = compute(padded(encoded, positions, backbone.tokenizer.pad))
        yield from zip(positions.tolist(), found, strict=True)
