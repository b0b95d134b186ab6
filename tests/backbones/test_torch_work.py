"""Operations of a step, counted by hand for a tiny BERT, and the best speed of the machine."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from truetune.backbones.base import Lora, ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_work import SIDE, best_speed

SETTINGS = ModelSettings("", "tag", ("O", "B-x", "I-x"), precision="float32", device="cpu")
LAYER = 4 * 32 * 32 + 2 * 32 * 64
"""Query, key, value and output of 32 x 32, and the feed-forward part between 32 and 64."""
HEAD = 32 * 3


def made(folder: Path, settings: ModelSettings = SETTINGS, recipe: Recipe | None = None) -> TorchBackbone:
    settings = replace(settings, name=str(folder))
    return load_backbone(settings, recipe or Recipe(), load_tokenizer(settings))


def test_a_weight_takes_six_operations_a_piece_and_attention_twelve_a_pair_and_width(tiny_bert: Path) -> None:
    backbone = made(tiny_bert)
    assert backbone.work(1, 0) == 6 * (2 * LAYER + HEAD)
    assert backbone.work(0, 1) == 12 * 32 * 2
    assert backbone.work(10, 52) == 10 * backbone.work(1, 0) + 52 * backbone.work(0, 1)


def test_what_is_frozen_needs_no_gradient(tiny_bert: Path) -> None:
    """The lower layer forward only; the upper one and the head in full. With all layers frozen, only the head."""
    upper, none = (made(tiny_bert, replace(SETTINGS, freeze_layers=number)) for number in (1, 2))
    assert upper.work(1, 0) == pytest.approx(2 * (2 * LAYER + HEAD) + 2 * (2 * LAYER + HEAD) / 2 + 2 * (LAYER + HEAD))
    assert upper.work(0, 1) == 4 * 32 * 2 * (1 + 2 / 2)
    assert none.work(1, 0) == 2 * (2 * LAYER + HEAD) + 2 * HEAD
    assert none.work(0, 1) == 4 * 32 * 2


def test_lora_saves_the_gradients_of_the_frozen_matrices(tiny_bert: Path) -> None:
    small = 2 * (4 * 2 * (32 + 32) + 2 * 2 * (32 + 64))
    assert made(tiny_bert, replace(SETTINGS, lora=Lora(2, 4.0))).work(1, 0) == pytest.approx(
        4 * (2 * LAYER + small + HEAD) + 2 * (small + HEAD)
    )


def test_recipes_that_pass_twice_count_twice(tiny_bert: Path) -> None:
    plain = made(tiny_bert)
    for recipe, times in ((Recipe(r_drop=1.0), 2), (Recipe(fgm=0.1), 2), (Recipe(r_drop=1.0, fgm=0.1), 4)):
        assert made(tiny_bert, SETTINGS, recipe).work(7, 5) == times * plain.work(7, 5)


def test_the_best_speed_is_that_of_the_fastest_product(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = iter([0.5, 0.25, *[0.5] * 7])
    monkeypatch.setattr("truetune.backbones.torch_work._seconds", lambda one, other: next(seconds))
    assert best_speed(torch.device("cpu"), "float32") == 2 * SIDE**3 / 0.25
