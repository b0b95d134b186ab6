"""Layers computed again for the gradient, and texts that share rows: same results as without."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.backbones.torch_backbone import TorchBackbone
from truetune.data.batch import packed, padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import encode as encode_texts
from truetune.tasks.tag_encoding import encode as encode_tags
from truetune.tasks.tag_encoding import tag_labels
from truetune.types import Batch, Encoded, Span

TEXTS = [
    "Anna visited Paris",
    "A dull film",
    "What a lovely and brilliant story: warm, great.",
    "bad",
    "the plot is bad",
]
LABELS = Labels(("bad", "good", "place"))
SPANS = {"spans": [[Span(0, 4, "person")], [], [Span(5, 6, "person")], [], []]}
TAGS = tag_labels(SPANS)
CLASSIFY = ModelSettings("", "classify", LABELS.names, dropout=0.0, precision="float32", device="cpu")
TAG = replace(CLASSIFY, head="tag", labels=TAGS.names)
DECODERS = ("tiny_gpt2", "tiny_llama")


def loaded(folder: Path, settings: ModelSettings, recipe: Recipe | None = None) -> TorchBackbone:
    settings = replace(settings, name=str(folder))
    return load_backbone(settings, recipe or Recipe(), load_tokenizer(settings))


def inputs_of(backbone: TorchBackbone) -> list[Encoded]:
    lengths = Lengths(backbone.tokenizer.max_length)
    if backbone.settings.head == "tag":
        return encode_tags([TEXTS], SPANS, TAGS, backbone.tokenizer, lengths).inputs
    if backbone.settings.multiple:
        several = {"labels": [["place"], ["bad"], ["good", "place"], [], ["bad"]]}
        labels = Labels(LABELS.names, multiple=True)
        return encode_texts([TEXTS], several, labels, backbone.tokenizer, lengths).inputs
    gold = {"label": ["place", "bad", "good", "bad", "bad"]}
    return encode_texts([TEXTS], gold, LABELS, backbone.tokenizer, lengths).inputs


def stepped(backbone: TorchBackbone, batches: Sequence[Batch]) -> float:
    return backbone.train_step(batches, dict.fromkeys(backbone.groups, 1e-2), sum(map(target_number, batches)))


# ---------------------------------------------------------------------------------------- gradient checkpointing


@pytest.mark.parametrize("family", ["tiny_bert", *DECODERS])
def test_layers_computed_again_give_the_same_bits_dropout_included(family: str, request: pytest.FixtureRequest) -> None:
    ended = []
    for again in (False, True):
        settings = replace(CLASSIFY, dropout=0.2, gradient_checkpointing=again)
        backbone = loaded(request.getfixturevalue(family), settings, Recipe(r_drop=1.0))
        batch = padded(inputs_of(backbone), np.arange(len(TEXTS)), backbone.tokenizer.pad)
        losses = [stepped(backbone, [batch]) for _ in range(3)]
        ended.append((losses, backbone.predict(batch), backbone.state(optimizer=False).arrays))
    assert ended[0][0] == ended[1][0]
    assert (ended[0][1] == ended[1][1]).all()
    assert all((array == ended[1][2][name]).all() for name, array in ended[0][2].items())


def test_layers_computed_again_keep_less_for_the_gradient(tiny_bert: Path) -> None:
    kept = {}
    for again in (False, True):
        backbone = loaded(tiny_bert, replace(CLASSIFY, gradient_checkpointing=again))
        batch = padded(inputs_of(backbone), np.arange(len(TEXTS)), backbone.tokenizer.pad)
        sizes: list[int] = []

        def counted(one: torch.Tensor, sizes: list[int] = sizes) -> torch.Tensor:
            sizes.append(one.numel())
            return one

        backbone._network.train()
        with torch.autograd.graph.saved_tensors_hooks(counted, lambda one: one):
            backbone._network(*backbone._network.inputs(batch))
        kept[again] = sum(sizes)
    assert kept[True] < kept[False] / 2


# -------------------------------------------------------------------------------------------------- packing


@pytest.mark.parametrize("family", DECODERS)
@pytest.mark.parametrize(
    "settings",
    [
        CLASSIFY,
        replace(CLASSIFY, pooling="mean"),
        replace(CLASSIFY, pooling="first"),
        replace(CLASSIFY, multiple=True),
        TAG,
    ],
    ids=["last", "mean", "first", "multiple", "tag"],
)
def test_texts_that_share_rows_have_the_logits_and_losses_that_they_have_alone(
    family: str, settings: ModelSettings, request: pytest.FixtureRequest
) -> None:
    backbone, plain = (loaded(request.getfixturevalue(family), settings) for _ in range(2))
    inputs = inputs_of(backbone)
    order = np.array([3, 0, 2, 4, 1])
    together = packed(inputs, order, backbone.tokenizer.pad)
    assert together.ids.shape[0] < len(TEXTS), "several texts share a row"
    said = backbone.predict(together)
    for number, place in enumerate(order):
        alone = padded(inputs, np.array([place]), backbone.tokenizer.pad)
        found = said[together.packed == number] if settings.head == "tag" else said[number : number + 1]
        expected = backbone.predict(alone)
        assert np.abs(found - (expected[0] if settings.head == "tag" else expected)).max() <= 1e-5
    batches = (padded(inputs, order, backbone.tokenizer.pad), together)
    slopes = []
    losses = []
    for one, batch in zip((plain, backbone), batches, strict=True):
        one._network.train()
        losses.append(one._learner.backward([batch], target_number(batch)))
        slopes.append(
            {name: weight.grad for name, weight in one._network.named_parameters() if weight.grad is not None}
        )
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)
    assert slopes[0].keys() == slopes[1].keys()
    assert all(torch.allclose(slope, slopes[1][name], atol=1e-6, rtol=1e-4) for name, slope in slopes[0].items())


def test_an_encoder_cannot_have_texts_share_rows(tiny_bert: Path, tiny_gpt2: Path) -> None:
    backbone = loaded(tiny_bert, CLASSIFY)
    assert not backbone.facts["packable"]
    assert loaded(tiny_gpt2, CLASSIFY).facts["packable"]
    with pytest.raises(ModelError, match=r"train\.packing: bert cannot"):
        stepped(backbone, [packed(inputs_of(backbone), np.arange(5), backbone.tokenizer.pad)])
