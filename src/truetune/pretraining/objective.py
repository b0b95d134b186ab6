"""What is learnt of unlabelled text, as values: masked pieces, replaced ones, or each piece from those before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truetune.config import Config, Pretrain
from truetune.pretraining.likelihoods import piece_shares
from truetune.pretraining.words import segmented
from truetune.tasks.base import Task
from truetune.tasks.generation import LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING, REPLACED_TOKEN_DETECTION
from truetune.tasks.piece_encoding import causal_inputs, masked_inputs
from truetune.training.masking import Masking, in_turn, with_others
from truetune.types import Encoded, Floats, Head

PASSES = 7
"""In how many passes over held-out documents every piece is masked once: 1 / 7 of them at a time, as in training."""
Inputs = Callable[[Sequence[str], Any, int, Pretrain], list[Encoded]]
"""(texts, tokenizer, number of the first, settings) -> model inputs."""


@dataclass(frozen=True)
class Objective:
    """How a language model learns and is asked."""

    task: Task
    head: Head
    learnt: Inputs
    """What training reads."""
    asked: Inputs
    """What held-out documents are asked, each of their pieces once."""
    masking: Callable[[Config, Any], Masking | None]
    """(config, tokenizer) -> how inputs of training are masked."""
    shares: Callable[[Sequence[Encoded], int, Pretrain], Floats]
    """(inputs of training, pieces of the tokenizer, settings) -> how frequent each answer is."""


def _masked(texts: Sequence[str], tokenizer: Any, first: int, settings: Pretrain) -> list[Encoded]:
    return masked_inputs(texts, tokenizer, first, segmented if settings.whole_words else None)


def _in_turn(texts: Sequence[str], tokenizer: Any, first: int, settings: Pretrain) -> list[Encoded]:
    # By pieces, however they are masked in training: so that models that learnt otherwise are comparable.
    return list(in_turn(masked_inputs(texts, tokenizer, first), tokenizer.mask, PASSES))


def _replaced(texts: Sequence[str], tokenizer: Any, first: int, settings: Pretrain) -> list[Encoded]:
    return list(with_others(masked_inputs(texts, tokenizer, first), settings.mask_share, first))


def _masking(config: Config, tokenizer: Any) -> Masking:
    special = tuple(int(one) for one in tokenizer.special)
    return Masking(tokenizer.mask, tokenizer.size, special, config.pretrain.mask_share, config.train.seed)


def _all_masked(config: Config, tokenizer: Any) -> Masking:
    return replace(_masking(config, tokenizer), fates=(1.0, 0.0))


def _of_pieces(learnt: Sequence[Encoded], size: int, settings: Pretrain) -> Floats:
    return piece_shares(learnt, size)


def _of_replaced(learnt: Sequence[Encoded], size: int, settings: Pretrain) -> Floats:
    return np.array([1 - settings.mask_share, settings.mask_share])


OBJECTIVES: Mapping[str, Objective] = {
    one.task.name: one
    for one in (
        Objective(MASKED_LANGUAGE_MODELING, "mask", _masked, _in_turn, _masking, _of_pieces),
        Objective(REPLACED_TOKEN_DETECTION, "detect", _masked, _replaced, _all_masked, _of_replaced),
        Objective(
            LANGUAGE_MODELING,
            "generate",
            lambda texts, tokenizer, first, settings: causal_inputs(texts, tokenizer, first),
            lambda texts, tokenizer, first, settings: causal_inputs(texts, tokenizer, first, ended=False),
            lambda config, tokenizer: None,
            _of_pieces,
        ),
    )
}
