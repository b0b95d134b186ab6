"""Recipes in whole steps of a tiny BERT: averages by a recursion by hand, and exact states."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from truetune.backbones.base import Lora, ModelSettings, Recipe
from truetune.backbones.outputs import logits_of
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone, used_pieces
from truetune.backbones.torch_adversarial import perturbed
from truetune.backbones.torch_backbone import TorchBackbone
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


# ------------------------------------------------------------------------------------- R-Drop and FGM


def test_r_drop_without_dropout_is_the_plain_loss(tiny_bert: Path) -> None:
    plain, twice = made(tiny_bert, Recipe(), PLAIN), made(tiny_bert, Recipe(r_drop=5.0), PLAIN)
    assert stepped(plain, batches_of(plain)) == stepped(twice, batches_of(twice))


def test_r_drop_adds_what_two_passes_disagree_in(tiny_bert: Path) -> None:
    """In its weight the loss is a straight line that rises: the masks of both passes differ, and are the same again."""
    losses = []
    for weight in (1.0, 2.0, 3.0):
        backbone = made(tiny_bert, Recipe(r_drop=weight))
        losses.append(stepped(backbone, batches_of(backbone)))
    assert losses[1] > losses[0] + 1e-4
    assert losses[2] - losses[1] == pytest.approx(losses[1] - losses[0], abs=1e-5)


@pytest.mark.parametrize("trim", [True, False])
def test_fgm_moves_the_words_by_epsilon_along_their_gradient_and_back(tiny_bert: Path, trim: bool) -> None:
    backbone = made(tiny_bert, Recipe(), PLAIN, trim)
    words = backbone._network.model.get_input_embeddings()
    backbone._network.train()
    backbone._learner.backward(batches_of(backbone), 4)
    before, slope = words.rows.detach().clone(), words.rows.grad.clone()
    with perturbed(words, 0.7):
        move = words.rows.detach() - before
        assert move.norm().item() == pytest.approx(0.7, rel=1e-4)
        assert (move - 0.7 * slope / slope.norm()).abs().max().item() <= 1e-6
        assert backbone._learner.backward(batches_of(backbone), 4) > backbone_loss(tiny_bert, trim)
    assert (words.rows.detach() == before).all()


def backbone_loss(folder: Path, trim: bool) -> float:
    fresh = made(folder, Recipe(), PLAIN, trim)
    return stepped(fresh, batches_of(fresh))


def test_fgm_moves_a_plain_embedding_too() -> None:
    words = torch.nn.Embedding(5, 2)
    before = words.weight.detach().clone()
    (words(torch.tensor([1, 3])) * torch.tensor([[3.0, 0.0], [0.0, 4.0]])).sum().backward()
    with perturbed(words, 1.0):
        move = words.weight.detach() - before
        expected = torch.tensor([[0.0, 0.0], [0.6, 0.0], [0.0, 0.0], [0.0, 0.8], [0.0, 0.0]])
        assert torch.allclose(move, expected, atol=1e-6)
    assert (words.weight.detach() == before).all()


def test_fgm_learns_from_the_sum_of_both_gradients(tiny_bert: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the move is tiny the second gradient is the first: the sum is twice as long; the loss is the plain one."""
    norms, losses = [], []
    for recipe in (Recipe(clip=1e9), Recipe(clip=1e9, fgm=1e-6)):
        backbone = made(tiny_bert, recipe, PLAIN)

        def taken(one: TorchBackbone = backbone) -> None:
            slopes = [weight.grad for group in one._learner.optimizer.param_groups for weight in group["params"]]
            norms.append(torch.cat([slope.flatten() for slope in slopes]).norm().item())

        monkeypatch.setattr(backbone._learner.optimizer, "step", taken)
        losses.append(stepped(backbone, batches_of(backbone)))
    assert losses[0] == losses[1]
    assert norms[1] == pytest.approx(2 * norms[0], rel=1e-3)


def test_fgm_needs_words_that_are_trained(tiny_bert: Path) -> None:
    for settings in (replace(PLAIN, freeze_embeddings=True), replace(PLAIN, freeze_layers=1)):
        with pytest.raises(ModelError, match=r"recipe\.fgm .* frozen"):
            made(tiny_bert, Recipe(fgm=1.0), settings)


# ------------------------------------------------------------------------------------------------- mixout


def mixed_and_own(backbone: TorchBackbone) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """The weights that a step is computed with, and those that are trained, by name."""
    mixout = backbone._learner._mixout
    assert mixout is not None
    own = {name: one.detach().clone().numpy() for name, one in backbone._network.named_parameters()}
    with mixout.mixed():
        mixed = {name: one.detach().clone().numpy() for name, one in backbone._network.named_parameters()}
    after = {name: one.detach().numpy() for name, one in backbone._network.named_parameters()}
    assert same(own, after)
    return {name: (mixed[name], own[name]) for name in own}


def test_mixout_puts_pretrained_weights_in_and_keeps_the_expectation(tiny_bert: Path) -> None:
    """A share of 64 / 256 is as pretrained; the others are as far beyond w as keeps the mean w."""
    backbone = made(tiny_bert, Recipe(mixout=0.25), PLAIN)
    start = {name: one.detach().clone().numpy() for name, one in backbone._network.named_parameters()}
    for _ in range(3):
        stepped(backbone, batches_of(backbone))
    found = mixed_and_own(backbone)
    for name, (mixed, own) in found.items():
        if ".layer." not in name or own.ndim < 2:
            assert (mixed == own).all(), name
            continue
        pretrained = mixed == start[name]
        assert 0.15 < pretrained.mean() < 0.35
        beyond = start[name] + (own - start[name]) / 0.75
        assert np.abs(mixed - beyond)[~pretrained].max() <= 1e-6


def test_the_gradient_of_mixout_is_that_of_the_mixed_weights_times_the_mask(tiny_bert: Path) -> None:
    """Before any step u = w, so the mixed weights are w, and only the mask tells the gradients apart."""
    mixing, plain = made(tiny_bert, Recipe(mixout=0.5), PLAIN), made(tiny_bert, Recipe(), PLAIN)
    for one in (mixing, plain):
        one._network.train()
    mixout = mixing._learner._mixout
    assert mixout is not None
    with mixout.mixed():
        mixing._learner.backward(batches_of(mixing), 4)
    plain._learner.backward(batches_of(plain), 4)
    slopes = dict(plain._network.named_parameters())
    for name, one in mixing._network.named_parameters():
        if ".layer." in name and one.ndim > 1 and one.grad is not None:
            assert slopes[name].grad is not None
            dropped = one.grad == 0
            assert 0.4 < dropped.float().mean() < 0.6
            assert torch.allclose(one.grad[~dropped], 2 * slopes[name].grad[~dropped], atol=1e-6)  # type: ignore[index]


def test_mixout_needs_pretrained_weights_that_are_trained(tiny_bert: Path) -> None:
    for settings in (replace(PLAIN, freeze_layers=2), replace(PLAIN, lora=Lora(2, 4.0))):
        with pytest.raises(ModelError, match=r"recipe\.mixout .* no layer"):
            made(tiny_bert, Recipe(mixout=0.5), settings)


# ------------------------------------------------------------------------------------------ frozen layers


def test_frozen_layers_stay_and_the_rest_learns(tiny_bert: Path) -> None:
    backbone = made(tiny_bert, Recipe(), replace(PLAIN, freeze_layers=1))
    assert backbone.groups == ("layer.1", "head")
    before = {name: one.detach().clone() for name, one in backbone._network.named_parameters()}
    stepped(backbone, batches_of(backbone))
    for name, one in backbone._network.named_parameters():
        if "embeddings" in name or ".layer.0." in name:
            assert (one == before[name]).all(), name
    assert any((one != before[name]).any() for name, one in backbone._network.named_parameters() if ".layer.1." in name)


def test_more_frozen_layers_than_there_are_is_an_error(tiny_bert: Path) -> None:
    with pytest.raises(ModelError, match=r"model\.freeze_layers: 3 layers .* has 2"):
        made(tiny_bert, Recipe(), replace(PLAIN, freeze_layers=3))


# ---------------------------------------------------------------------------------------- all of them


@pytest.mark.parametrize("trim", [True, False])
@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(ema=0.9),
        Recipe(class_weights=(1.0, 3.0, 2.0), focal_gamma=2.0, ema=0.5, r_drop=2.0, fgm=0.5, mixout=0.3),
    ],
    ids=["ema", "all"],
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


@pytest.mark.parametrize(
    "recipe",
    [Recipe(class_weights=(1.0, 3.0, 2.0), label_smoothing=0.1, focal_gamma=2.0), Recipe(r_drop=2.0, fgm=0.5)],
)
def test_micro_batches_equal_one_batch(tiny_bert: Path, recipe: Recipe) -> None:
    whole, parts = made(tiny_bert, recipe, PLAIN), made(tiny_bert, recipe, PLAIN)
    at_once, in_parts = stepped(whole, batches_of(whole)), stepped(parts, batches_of(parts, [0, 1, 3], [2]))
    assert in_parts == pytest.approx(at_once, rel=1e-6)
