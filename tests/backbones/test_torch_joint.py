"""A label and tags by one layer: outputs and losses against formulas written out in numpy."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from scipy.special import log_softmax

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.pretrained import load_tokenizer
from truetune.backbones.torch import load_backbone
from truetune.backbones.torch_joint import joint_disagreement, joint_loss, joint_outputs
from truetune.errors import ModelError
from truetune.types import IGNORED

RNG = np.random.default_rng(2)
LABELS, TAGS = 2, 3
LOGITS = RNG.normal(size=(2, 4, LABELS + TAGS))
TARGETS = np.array([[1, 0, 2, 1], [0, 2, IGNORED, IGNORED]])


def test_the_text_speaks_first_in_every_piece() -> None:
    whole, pieces = torch.tensor([[1.0, 2.0, 3.0]]), torch.tensor([[[4.0, 5.0, 6.0], [7.0, 8.0, 9.0]]])
    assert joint_outputs(whole, pieces, 2).tolist() == [[[1.0, 2.0, 6.0], [1.0, 2.0, 9.0]]]


@pytest.mark.parametrize("smoothing", [0.0, 0.3])
def test_the_loss_by_hand(smoothing: float) -> None:
    def entropy(logits: np.ndarray, target: int) -> float:
        logs = log_softmax(logits)
        return float(-(1 - smoothing) * logs[target] - smoothing * logs.mean())

    # The first text has three tags, so its label counts three times; the second has one.
    expected = 3 * entropy(LOGITS[0, 0, :2], 1) + entropy(LOGITS[1, 0, :2], 0)
    expected += sum(entropy(LOGITS[0, place, 2:], tag) for place, tag in ((1, 0), (2, 2), (3, 1)))
    expected += entropy(LOGITS[1, 1, 2:], 2)
    recipe = Recipe(label_smoothing=smoothing)
    found = joint_loss(torch.from_numpy(LOGITS), torch.from_numpy(TARGETS), recipe, LABELS)
    assert found.item() == pytest.approx(expected)


def test_the_disagreement_by_hand() -> None:
    other = LOGITS + RNG.normal(size=LOGITS.shape) / 3

    def apart(one: np.ndarray, two: np.ndarray) -> float:
        p, q = log_softmax(one), log_softmax(two)
        return float((np.exp(p) @ (p - q) + np.exp(q) @ (q - p)) / 2)

    expected = 3 * apart(LOGITS[0, 0, :2], other[0, 0, :2]) + apart(LOGITS[1, 0, :2], other[1, 0, :2])
    expected += sum(apart(LOGITS[text, place, 2:], other[text, place, 2:]) for text, place in ((0, 1), (0, 2), (0, 3)))
    expected += apart(LOGITS[1, 1, 2:], other[1, 1, 2:])
    both = (torch.from_numpy(LOGITS), torch.from_numpy(other))
    assert joint_disagreement(*both, torch.from_numpy(TARGETS), LABELS).item() == pytest.approx(expected)


def test_a_decoder_is_refused(tiny_gpt2: Path) -> None:
    settings = ModelSettings(str(tiny_gpt2), "joint", ("a", "b"), tags=("O", "B-x", "I-x"))
    with pytest.raises(ModelError, match="cannot mark slots"):
        load_backbone(settings, Recipe(), load_tokenizer(settings))
