"""The baseline of the pretrained model's pieces: as much as is fitted, and no more, is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from truetune.backbones.base import Backbone
from truetune.bundle.run_folder import PARTS
from truetune.data.stored import values_at
from truetune.training.baselines import Baseline, Part, Score
from truetune.training.baselines_pieces import frozen_pieces
from truetune.workflows.features import piece_features
from truetune.workflows.stage import Stage

MOST_CHARACTERS = 200_000
"""Of how many characters of training text the frozen features are computed at most, for tags."""


def frozen_tags(stage: Stage, backbone: Backbone, gold: tuple[Sequence[Any], Sequence[Any]], score: Score) -> Baseline:
    """Fit on as many training texts as the baseline will use; features of more would only take memory."""
    texts = stage.data.columns("train")[0]
    order = np.random.default_rng(0).permutation(len(texts))
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    characters = np.cumsum(lengths[order])
    kept = np.sort(order[: int(np.searchsorted(characters, MOST_CHARACTERS)) + 1])
    columns = {part: [list(stage.data.columns(part)[0])] for part in ("validation", "test")}
    columns["train"] = [texts.at(kept)]
    features = {
        part: piece_features(backbone, stage.training, columns[part], f"features of {part}", stage.progress)
        for part in PARTS
    }
    train = Part(features["train"], values_at(gold[0], kept))
    validation = Part(features["validation"], gold[1])
    return frozen_pieces(train, validation, features["test"], score, stage.progress.say)
