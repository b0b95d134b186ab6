"""What is learnt of unlabelled text, as values: masked pieces, or each piece from those before it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune.config import Config, Pretrain
from truetune.pretraining.words import segmented
from truetune.tasks.base import Task
from truetune.tasks.generation import LANGUAGE_MODELING, MASKED_LANGUAGE_MODELING
from truetune.tasks.piece_encoding import causal_inputs, masked_inputs
from truetune.training.masking import Masking, in_turn
from truetune.types import Encoded, Head

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


def _masked(texts: Sequence[str], tokenizer: Any, first: int, settings: Pretrain) -> list[Encoded]:
    return masked_inputs(texts, tokenizer, first, segmented if settings.whole_words else None)


def _in_turn(texts: Sequence[str], tokenizer: Any, first: int, settings: Pretrain) -> list[Encoded]:
    # By pieces, however they are masked in training: so that models that learnt otherwise are comparable.
    return list(in_turn(masked_inputs(texts, tokenizer, first), tokenizer.mask, PASSES))


def _masking(config: Config, tokenizer: Any) -> Masking:
    special = tuple(int(one) for one in tokenizer.special)
    return Masking(tokenizer.mask, tokenizer.size, special, config.pretrain.mask_share, config.train.seed)


OBJECTIVES: Mapping[str, Objective] = {
    one.task.name: one
    for one in (
        Objective(MASKED_LANGUAGE_MODELING, "mask", _masked, _in_turn, _masking),
        Objective(
            LANGUAGE_MODELING,
            "generate",
            lambda texts, tokenizer, first, settings: causal_inputs(texts, tokenizer, first),
            lambda texts, tokenizer, first, settings: causal_inputs(texts, tokenizer, first, ended=False),
            lambda config, tokenizer: None,
        ),
    )
}
