"""LoRA: which matrices have a difference, what it is merged to, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import Lora, ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.data.batch import padded, target_number
from truetune.errors import MissingPackageError, ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import encode as encode_texts
from truetune.types import Encoded

TEXTS = ["Anna visited Paris", "A dull film", "What a lovely and brilliant story: warm, funny, great.", "bad"]
LABELS = Labels(("bad", "good", "place"))
CLASSIFY = ModelSettings(
    "", "classify", LABELS.names, dropout=0.0, precision="float32", device="cpu", lora=Lora(2, 4.0)
)
GENERATE = replace(CLASSIFY, head="generate", labels=())
FAMILIES = ("tiny_bert", "tiny_gpt2", "tiny_llama")


def loaded(folder: Path, settings: ModelSettings, recipe: Recipe | None = None) -> TorchBackbone:
    settings = replace(settings, name=str(folder))
    return load_backbone(settings, recipe or Recipe(), load_tokenizer(settings))


def inputs_of(backbone: TorchBackbone) -> list[Encoded]:
    lengths = Lengths(backbone.tokenizer.max_length)
    gold = {"label": ["place", "bad", "good", "bad"]}
    return encode_texts([TEXTS], gold, LABELS, backbone.tokenizer, lengths).inputs


def stepped(backbone: TorchBackbone, number: int = 1) -> list[float]:
    batch = padded(inputs_of(backbone), np.arange(len(TEXTS)), backbone.tokenizer.pad)
    rates = dict.fromkeys(backbone.groups, 1e-2)
    return [backbone.train_step([batch], rates, target_number(batch)) for _ in range(number)]


def said(backbone: TorchBackbone) -> np.ndarray:
    return np.concatenate([np.atleast_2d(one) for one in logits_of(backbone, inputs_of(backbone))])


def test_an_encoder_decoder_has_differences_on_both_sides(tiny_t5: Path) -> None:
    names = loaded(tiny_t5, GENERATE).state(optimizer=False).arrays
    sides = [name for name in names if ".encoder." in name], [name for name in names if ".decoder." in name]
    # Four matrices of attention and two of the feed-forward a layer; the decoder attends to the encoder too: four more.
    assert [len(side) for side in sides] == [2 * 2 * 6, 2 * 2 * 10]
    assert loaded(tiny_t5, GENERATE).groups == tuple(f"layer.{place}" for place in range(4))


@pytest.mark.parametrize("family", FAMILIES)
def test_the_matrices_of_all_layers_have_a_difference_of_the_rank_and_nothing_else_is_trained(
    family: str, request: pytest.FixtureRequest
) -> None:
    backbone = loaded(request.getfixturevalue(family), CLASSIFY)
    names = [name.removeprefix("weight/") for name in backbone.state(optimizer=False).arrays]
    body = [name for name in names if name.startswith("model.") and "score" not in name]
    assert body
    assert all(".lora_A." in name or ".lora_B." in name for name in body)
    # BERT: query, key, value, output and two of the feed-forward; GPT-2: 4; Llama: 4 and 3; each a pair, in 2 layers.
    assert len(body) == 2 * 2 * {"tiny_bert": 6, "tiny_gpt2": 4, "tiny_llama": 7}[family]
    arrays = backbone.state(optimizer=False).arrays
    assert all(2 in arrays[f"weight/{name}"].shape for name in body)
    assert backbone.groups == ("layer.0", "layer.1", "head")


def test_a_merged_matrix_is_w_plus_alpha_over_rank_times_b_a(tiny_bert: Path, tmp_path: Path) -> None:
    from transformers import AutoModel

    backbone = loaded(tiny_bert, CLASSIFY)
    stepped(backbone, 3)
    backbone.save(tmp_path / "model")
    before, after = AutoModel.from_pretrained(tiny_bert), AutoModel.from_pretrained(tmp_path / "model")
    name = "encoder.layer.1.attention.self.value"
    trained = dict(backbone.state(optimizer=False).arrays)
    down, up = (trained[f"weight/model.{name}.lora_{part}.lora.weight"] for part in "AB")
    expected = before.get_submodule(name).weight.detach().numpy() + 4.0 / 2 * up @ down
    assert np.abs(after.get_submodule(name).weight.detach().numpy() - expected).max() <= 1e-6


@pytest.mark.parametrize(("family", "pooling"), [("tiny_bert", "first"), ("tiny_llama", "last"), ("tiny_gpt2", "last")])
def test_plain_transformers_loads_what_is_shipped(
    family: str, pooling: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    backbone = loaded(request.getfixturevalue(family), replace(CLASSIFY, pooling=pooling))  # type: ignore[arg-type]
    stepped(backbone, 2)
    backbone.save(tmp_path / "model")
    plain = AutoModelForSequenceClassification.from_pretrained(tmp_path / "model").eval()
    tokenizer = AutoTokenizer.from_pretrained(tmp_path / "model")
    for text, ours in zip(TEXTS, said(backbone), strict=True):
        inputs = tokenizer(text, return_tensors="pt", return_token_type_ids=False)
        with torch.inference_mode():
            assert np.abs(plain(**inputs).logits[0].numpy() - ours).max() <= 1e-5


def test_a_state_of_another_scale_is_refused(tiny_bert: Path) -> None:
    state = loaded(tiny_bert, CLASSIFY).state()
    with pytest.raises(ModelError, match="another model, vocabulary or setting"):
        loaded(tiny_bert, replace(CLASSIFY, lora=Lora(2, 8.0))).restore(state)


def test_frozen_layers_have_no_difference_either(tiny_bert: Path) -> None:
    assert loaded(tiny_bert, replace(CLASSIFY, freeze_layers=1)).groups == ("layer.1", "head")


def test_without_peft_it_says_what_to_install(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "peft", None)
    with pytest.raises(MissingPackageError, match=r"recipe\.lora_rank needs the package 'peft'.*truetune\[lora\]"):
        loaded(tiny_bert, CLASSIFY)
