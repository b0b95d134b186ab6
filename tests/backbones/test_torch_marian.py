"""What is Marian's own: two sides, computed positions, a bias of each piece, padding that is never written."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import texts_of
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.text_encoding import source_encoder
from truetune.types import Encoded, Writing

WRITING = Writing("{source}", pieces=8)
SOURCES = ["Anna and Bob", "a lovely film"]


def backbone_of(folder: Path) -> TorchBackbone:
    settings = ModelSettings(str(folder), "generate", (), dropout=0.0, precision="float32", device="cpu")
    return load_backbone(settings, Recipe(), load_tokenizer(settings))


def inputs_of(backbone: TorchBackbone, writing: Writing = WRITING, answered: bool = False) -> list[Encoded]:
    gold = {"references": [("很棒的电影",), ("故事",)]} if answered else None
    return source_encoder("beginning")(
        [SOURCES], gold, Labels((), writing=writing), backbone.tokenizer, Lengths(64)
    ).inputs


def biased(backbone: TorchBackbone) -> None:
    """Give every piece a bias of its own below 0, as converted models have it; padding has none."""
    bias = backbone._network.model.final_logits_bias
    bias.copy_(torch.linspace(-40, -20, bias.shape[1])[None])
    bias[0, backbone.tokenizer.pad] = 0.0


def test_answers_are_cut_by_the_model_of_the_target(tiny_marian: Path) -> None:
    backbone = backbone_of(tiny_marian)
    (first, _) = inputs_of(backbone, answered=True)
    (source,), (answer,) = backbone.tokenizer.pieces(SOURCES[:1]), backbone.tokenizer.answer_pieces(["很棒的电影"])
    end = backbone.tokenizer.end
    assert first.ids[first.segments == 0].tolist() == [*source.ids, end]
    assert first.ids[first.segments == 1].tolist() == [*answer.ids, end]
    assert backbone.tokenizer.pieces(["很棒的电影"])[0].ids.tolist() != answer.ids.tolist()


def test_a_language_in_the_prompt_is_one_piece_before_the_source(tiny_marian: Path) -> None:
    backbone = backbone_of(tiny_marian)
    plain, coded = (inputs_of(backbone, Writing(prompt, 8))[0].ids for prompt in ("{source}", ">>cmn_Hans<< {source}"))
    assert coded.tolist() == [backbone.tokenizer.size - 2, *plain]
    with pytest.raises(ModelError, match=r">>zh<< is no language of this model; expected >>cmn_Hans<<; change"):
        inputs_of(backbone, Writing(">>zh<< {source}", 8))


def test_padding_is_never_written_though_it_has_the_highest_score(tiny_marian: Path) -> None:
    backbone = backbone_of(tiny_marian)
    biased(backbone)
    prompts = inputs_of(backbone)
    batch = padded(prompts, np.arange(2), backbone.tokenizer.pad)
    model = backbone._network.model
    start = torch.full((2, 1), backbone.tokenizer.pad)
    with torch.inference_mode():
        scores = model(
            input_ids=torch.from_numpy(batch.ids), attention_mask=torch.from_numpy(batch.mask), decoder_input_ids=start
        ).logits
    assert (scores.argmax(-1) == backbone.tokenizer.pad).all()
    for beams in (1, 3):
        said = texts_of(backbone, prompts, replace(WRITING, beams=beams))
        assert all(one.text for one in said)


def test_positions_are_the_sines_of_vaswani_and_stay(tiny_marian: Path) -> None:
    backbone = backbone_of(tiny_marian)
    inputs = inputs_of(backbone, answered=True)
    batch = padded(inputs, np.arange(2), backbone.tokenizer.pad)
    backbone.train_step([batch], dict.fromkeys(backbone.groups, 1e-2), target_number(batch))
    places, pairs = np.arange(64)[:, None], np.arange(16)[None]
    angles = places / 10000 ** (2 * pairs / 32)
    expected = np.concatenate([np.sin(angles), np.cos(angles)], axis=1)
    body = backbone._network.model.model
    for side in (body.encoder, body.decoder):
        np.testing.assert_allclose(side.embed_positions.weight.detach().numpy(), expected, atol=1e-5)


def test_a_saved_model_writes_the_same_with_its_bias(tiny_marian: Path, tmp_path: Path) -> None:
    backbone = backbone_of(tiny_marian)
    biased(backbone)
    inputs = inputs_of(backbone, answered=True)
    batch = padded(inputs, np.arange(2), backbone.tokenizer.pad)
    for _ in range(3):
        backbone.train_step([batch], dict.fromkeys(backbone.groups, 1e-2), target_number(batch))
    backbone.save(tmp_path / "model")
    names = {file.name for file in (tmp_path / "model").iterdir()}
    assert {"source.spm", "target.spm", "vocab.json", "tokenizer_config.json", "model.safetensors"} <= names
    again = saved_backbone(tmp_path / "model", "cpu")
    assert torch.equal(again._network.model.final_logits_bias, backbone._network.model.final_logits_bias)
    prompts = inputs_of(backbone)
    for beams in (1, 3):
        writing = replace(WRITING, beams=beams)
        assert texts_of(again, prompts, writing) == texts_of(backbone, prompts, writing)


def test_other_heads_are_refused(tiny_marian: Path) -> None:
    for head in ("classify", "tag"):
        settings = ModelSettings(str(tiny_marian), head, ("a", "b"))  # type: ignore[arg-type]
        with pytest.raises(ModelError, match=r"an encoder-decoder \(marian\) cannot"):
            load_backbone(settings, Recipe(), load_tokenizer(settings))
