"""Replaced-token detection: the loss by hand, what is saved, and that a state goes on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.backbones.torch_replaced import WEIGHT, detection_loss
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.piece_encoding import masked_inputs
from truetune.training.masking import Masking, with_others
from truetune.types import IGNORED, Batch

TEXTS = ["Anna visited Paris and Berlin with Bob.", "A dull, tedious film", "What a lovely and brilliant story: warm!"]


def backbone_of(place: Path, **changes: Any) -> TorchBackbone:
    settings = ModelSettings(str(place), "detect", (), **{"dropout": 0.0, "precision": "float32", **changes})
    return load_backbone(settings, Recipe(clip=1e9), load_tokenizer(settings))


def masked_batch(backbone: TorchBackbone) -> Batch:
    tokenizer = backbone.tokenizer
    masking = Masking(tokenizer.mask, tokenizer.size, tuple(tokenizer.special.tolist()), 0.3, fates=(1.0, 0.0))
    return padded(masking.masked(masked_inputs(TEXTS, tokenizer), 1), np.arange(3), tokenizer.pad)


class Certain(nn.Module):
    """Stands for a generator that is sure of one piece, whatever it reads."""

    def __init__(self, pieces: int, sure: int) -> None:
        super().__init__()
        self.logits = torch.full((pieces,), -100.0)
        self.logits[sure] = 0.0
        self.generator_predictions = nn.Identity()

    def electra(self, input_ids: Tensor, attention_mask: Tensor) -> Any:
        return type("Found", (), {"last_hidden_state": input_ids[..., None].float()})

    def generator_lm_head(self, hidden: Tensor) -> Tensor:
        return self.logits.expand(len(hidden), -1)


def test_the_loss_is_that_of_both_models_by_hand(tiny_bert: Path) -> None:
    from transformers import AutoModel

    backbone = backbone_of(tiny_bert)
    batch, network = masked_batch(backbone), backbone._network
    sure = int(batch.targets[batch.targets != IGNORED][0])
    network.generator = Certain(backbone.tokenizer.size, sure)
    network.eval()
    with torch.inference_mode():
        found = detection_loss(network, network.inputs(batch), torch.from_numpy(batch.targets)).item()

    asked = batch.targets != IGNORED
    read = torch.from_numpy(np.where(asked, sure, batch.ids))
    replaced = asked & (batch.targets != sure)
    assert 0 < replaced.sum() < asked.sum()  # of the masked pieces some are drawn right
    body = AutoModel.from_pretrained(tiny_bert).eval()
    with torch.inference_mode():
        hidden = body(read, torch.from_numpy(batch.mask).long()).last_hidden_state
        logits = network.own(hidden)[torch.from_numpy(batch.mask)]
        truth = torch.from_numpy(replaced[batch.mask]).long()
        detected = functional.cross_entropy(logits, truth, reduction="sum").item()
    # A piece that the generator is sure of costs nothing, each other one 100.
    assert found == pytest.approx(100 * replaced.sum() + WEIGHT * detected, rel=1e-5)


def test_the_generator_learns_and_stays_behind(tiny_bert: Path, tmp_path: Path) -> None:
    backbone = backbone_of(tiny_bert)
    batch = masked_batch(backbone)
    words = backbone._network.model.get_input_embeddings().weight
    assert backbone._network.generator.generator_lm_head.weight is words
    before = {name: one.detach().clone() for name, one in backbone._network.generator.named_parameters()}
    for _ in range(3):
        backbone.train_step([batch], dict.fromkeys(backbone.groups, 1e-2), target_number(batch))
    moved = [name for name, one in backbone._network.generator.named_parameters() if not torch.equal(one, before[name])]
    assert len(moved) == len(before)
    backbone.save(tmp_path / "saved")
    from safetensors import safe_open

    with safe_open(tmp_path / "saved" / "model.safetensors", framework="np") as file:
        assert not [name for name in file.keys() if "generator" in name]  # noqa: SIM118 - not a mapping
    again = saved_backbone(tmp_path / "saved")
    asked = padded(list(with_others(masked_inputs(TEXTS, again.tokenizer), 0.5)), np.arange(3), again.tokenizer.pad)
    assert again.scored(asked) == pytest.approx(backbone.scored(asked), abs=1e-5)


def test_a_state_goes_on_exactly(tiny_bert: Path) -> None:
    one, other = backbone_of(tiny_bert, dropout=0.1), backbone_of(tiny_bert, dropout=0.1)
    batch = masked_batch(one)
    rates = dict.fromkeys(one.groups, 1e-2)
    one.train_step([batch], rates, target_number(batch))
    other.restore(one.state())
    assert one.train_step([batch], rates, target_number(batch)) == other.train_step(
        [batch], rates, target_number(batch)
    )


def test_every_piece_is_asked_about_and_replaced_ones_are_told_by_what_stands_there(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "detect", ()))
    plain = masked_inputs(TEXTS, tokenizer)
    inside = np.concatenate([one.target != IGNORED for one in plain])
    before = np.concatenate([one.ids for one in plain])
    for share in (0.0, 0.4, 1.0):
        found = list(with_others(plain, share))
        ids, target = (np.concatenate([getattr(one, name) for one in found]) for name in ("ids", "target"))
        assert target[inside].tolist() == (ids != before)[inside].tolist()
        assert (target[~inside] == IGNORED).all()
        assert (ids[~inside] == before[~inside]).all()
        assert set(ids[inside]) <= set(before[inside])
        # A piece may be drawn for itself, so not all of the chosen ones are others.
        assert target[inside].mean() == pytest.approx(share, abs=0.2)
    assert list(with_others([], 0.5)) == []


def test_a_decoder_is_refused(tiny_gpt2: Path) -> None:
    with pytest.raises(ModelError, match="replaced; expected an encoder"):
        backbone_of(tiny_gpt2)
