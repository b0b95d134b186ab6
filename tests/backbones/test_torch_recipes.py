"""Recipes in whole steps of a tiny BERT: averages by a recursion by hand, and exact states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import TorchBackbone, load_backbone, load_tokenizer, saved_backbone, used_pieces
from truetune.data.batch import padded, target_number
from truetune.errors import ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import encode
from truetune.types import Batch, Encoded

TEXTS = ["Anna visited Paris", "A dull film", "What a lovely and brilliant story: warm, funny, great.", "bad"]
LABELS = Labels(("bad", "good", "place"))
SETTINGS = ModelSettings("", "classify", LABELS.names, dropout=0.2, precision="float32", device="cpu")
PLAIN = replace(SETTINGS, dropout=0.0)


def made(folder: Path, recipe: Recipe, settings: ModelSettings = SETTINGS, trim: bool = True) -> TorchBackbone:
    settings = replace(settings, name=str(folder))
    tokenizer = load_tokenizer(settings)
    words = used_pieces(one.ids for one in encode([TEXTS], None, LABELS, tokenizer, Lengths(64)).inputs)
    return load_backbone(settings, recipe, tokenizer, words if trim else None)


def inputs_of(backbone: TorchBackbone) -> list[Encoded]:
    gold = {"label": ["place", "bad", "good", "bad"]}
    return encode([TEXTS], gold, LABELS, backbone.tokenizer, Lengths(64)).inputs


def batches_of(backbone: TorchBackbone, *places: Sequence[int]) -> list[Batch]:
    inputs = inputs_of(backbone)
    return [padded(inputs, np.array(some), backbone.tokenizer.pad) for some in places or (range(4),)]


def stepped(backbone: TorchBackbone, batches: Sequence[Batch], rate: float = 1e-2) -> float:
    return backbone.train_step(batches, dict.fromkeys(backbone.groups, rate), sum(map(target_number, batches)))


def weights_of(backbone: TorchBackbone) -> dict[str, np.ndarray]:
    return dict(backbone.state(optimizer=False).arrays)


def same(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all((array == other[name]).all() for name, array in one.items())


# ----------------------------------------------------------------------------------------------- averages


@pytest.mark.parametrize("trim", [True, False])
def test_averages_are_those_of_a_recursion_by_hand(tiny_bert: Path, trim: bool) -> None:
    """The weights that are trained do not feel the averages, which are weighted means of them."""
    decay = 0.8
    plain, averaged = made(tiny_bert, Recipe(), trim=trim), made(tiny_bert, Recipe(ema=decay), trim=trim)
    assert same(weights_of(plain), weights_of(averaged))
    seen: list[dict[str, np.ndarray]] = []
    for _ in range(4):
        assert stepped(plain, batches_of(plain)) == stepped(averaged, batches_of(averaged))
        seen.append(weights_of(plain))
    shares = decay ** np.arange(3, -1, -1.0)
    shares /= shares.sum()
    for name, found in weights_of(averaged).items():
        expected = sum(share * one[name].astype(np.float64) for share, one in zip(shares, seen, strict=True))
        assert np.abs(found - expected).max() <= 1e-6, name
    assert not same(weights_of(averaged), seen[-1])


@pytest.mark.parametrize("trim", [True, False])
def test_averages_are_what_is_predicted_with_and_shipped(tiny_bert: Path, tmp_path: Path, trim: bool) -> None:
    averaged, plain = made(tiny_bert, Recipe(ema=0.9), trim=trim), made(tiny_bert, Recipe(), trim=trim)
    for _ in range(3):
        stepped(averaged, batches_of(averaged))
    plain.restore(averaged.state(optimizer=False))
    averaged.save(tmp_path / "model")
    shipped = saved_backbone(tmp_path / "model", "cpu")
    outputs = [np.stack(logits_of(one, inputs_of(one))) for one in (averaged, plain, shipped)]
    assert (outputs[0] == outputs[1]).all()
    assert (outputs[0] == outputs[2]).all()
    trained = {name: averaged.state().arrays["raw/" + name.removeprefix("weight/")] for name in weights_of(averaged)}
    assert not same(weights_of(averaged), trained)


def test_after_one_step_the_average_is_its_weights(tiny_bert: Path) -> None:
    plain, averaged = made(tiny_bert, Recipe()), made(tiny_bert, Recipe(ema=0.999))
    for one in (plain, averaged):
        stepped(one, batches_of(one))
    assert same(weights_of(plain), weights_of(averaged))


def test_a_step_that_is_not_finite_is_not_averaged(tiny_bert: Path) -> None:
    averaged = made(tiny_bert, Recipe(ema=0.5))
    stepped(averaged, batches_of(averaged))
    before = averaged.state()
    assert np.isnan(averaged.train_step(batches_of(averaged), dict.fromkeys(averaged.groups, 1e-2), 0))
    after = averaged.state()
    assert same(dict(before.arrays), dict(after.arrays))
    assert before.values["averaged"] == after.values["averaged"] == 1


def test_a_state_goes_on_only_with_the_same_averages(tiny_bert: Path) -> None:
    states = {}
    for decay in (0.0, 0.9):
        backbone = made(tiny_bert, Recipe(ema=decay))
        stepped(backbone, batches_of(backbone))
        states[decay] = backbone.state()
    for stored, decay in ((0.0, 0.9), (0.9, 0.0), (0.9, 0.8)):
        with pytest.raises(ModelError, match=f"recipe.ema={stored:g}"):
            made(tiny_bert, Recipe(ema=decay)).restore(states[stored])


# ---------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize(
    "recipe",
    [Recipe(ema=0.9), Recipe(class_weights=(1.0, 3.0, 2.0), focal_gamma=2.0)],
    ids=["ema", "losses"],
)
def test_a_restored_state_goes_on_bit_for_bit(tiny_bert: Path, recipe: Recipe, trim: bool) -> None:
    backbone = made(tiny_bert, recipe, trim=trim)
    batches = batches_of(backbone, [0, 1], [2, 3])
    for _ in range(2):
        stepped(backbone, batches)
    state = backbone.state()
    following = [stepped(backbone, batches) for _ in range(2)]
    ended = dict(backbone.state().arrays)
    for other in (backbone, made(tiny_bert, recipe, trim=trim)):
        other.restore(state)
        assert same(dict(other.state().arrays), dict(state.arrays))
        assert [stepped(other, batches) for _ in range(2)] == following
        assert same(dict(other.state().arrays), ended)


@pytest.mark.parametrize("recipe", [Recipe(class_weights=(1.0, 3.0, 2.0), label_smoothing=0.1, focal_gamma=2.0)])
def test_micro_batches_equal_one_batch(tiny_bert: Path, recipe: Recipe) -> None:
    whole, parts = made(tiny_bert, recipe, PLAIN), made(tiny_bert, recipe, PLAIN)
    at_once, in_parts = stepped(whole, batches_of(whole)), stepped(parts, batches_of(parts, [0, 1, 3], [2]))
    assert in_parts == pytest.approx(at_once, rel=1e-6)
