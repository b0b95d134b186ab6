"""Losses against formulas written out in numpy; the slope of the focal loss against differences."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from scipy.special import expit, log_softmax, softmax

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch_losses import SCALE, disagreement, objective_of, shared_label_loss, summed_loss
from truetune.types import IGNORED, Floats

RNG = np.random.default_rng(5)
LOGITS = RNG.normal(size=(2, 4, 3)) * 2
TAGS = np.array([[0, 2, IGNORED, 1], [1, IGNORED, IGNORED, 0]])
LABELS = np.array([[1.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
RECIPES = [
    Recipe(),
    Recipe(label_smoothing=0.2),
    Recipe(class_weights=(0.5, 2.0, 3.0)),
    Recipe(focal_gamma=2.0),
    Recipe(label_smoothing=0.1, class_weights=(0.5, 2.0, 3.0), focal_gamma=1.5),
]


def loss_of(logits: Floats, targets: np.ndarray, recipe: Recipe, multiple: bool = False) -> float:
    return summed_loss(torch.from_numpy(logits), torch.from_numpy(targets), recipe, multiple).item()


@pytest.mark.parametrize("recipe", RECIPES)
def test_one_label_a_target(recipe: Recipe) -> None:
    weights = recipe.class_weights or (1.0, 1.0, 1.0)
    expected = 0.0
    for row, target in zip(LOGITS.reshape(-1, 3), TAGS.ravel(), strict=True):
        for answer in range(3) if target != IGNORED else ():
            log = log_softmax(row)[answer]
            aim = recipe.label_smoothing / 3 + (1 - recipe.label_smoothing) * (answer == target)
            expected -= aim * weights[answer] * (1 - np.exp(log)) ** recipe.focal_gamma * log
    assert loss_of(LOGITS, TAGS, recipe) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize("recipe", RECIPES)
def test_several_labels_a_text(recipe: Recipe) -> None:
    absent = present = (1.0, 1.0, 1.0)
    if recipe.class_weights:
        absent, present = (1.0, 0.25, 1.5), recipe.class_weights
        recipe = replace(recipe, class_weights=(*absent, *present))
    expected = 0.0
    for row, aims in zip(LOGITS[:, 0], LABELS, strict=True):
        for label, (logit, answer) in enumerate(zip(row, aims, strict=True)):
            aim = answer * (1 - recipe.label_smoothing) + recipe.label_smoothing / 2
            for share, weight, chance in ((aim, present, expit(logit)), (1 - aim, absent, expit(-logit))):
                expected -= share * weight[label] * (1 - chance) ** recipe.focal_gamma * np.log(chance)
    assert loss_of(LOGITS[:, 0], LABELS, recipe, multiple=True) == pytest.approx(expected, rel=1e-6)


def test_the_focal_loss_of_lin_et_al_by_hand() -> None:
    """p = 0.9 of the true label and gamma 2: 0.01 of the cross-entropy -log 0.9."""
    logits = np.log(np.array([[0.9, 0.06, 0.04]]))
    assert loss_of(logits, np.array([0]), Recipe(focal_gamma=2.0)) == pytest.approx(-0.01 * np.log(0.9), rel=1e-6)
    logits = np.log(np.array([[0.9 / 0.1]]))
    found = loss_of(logits, np.array([[1.0]]), Recipe(focal_gamma=2.0), multiple=True)
    assert found == pytest.approx(-0.01 * np.log(0.9), rel=1e-6)


@pytest.mark.parametrize("multiple", [False, True])
def test_the_slope_of_the_focal_loss_is_that_of_differences(multiple: bool) -> None:
    recipe = Recipe(label_smoothing=0.1, focal_gamma=1.5)
    logits, targets = (LOGITS[:, 0], LABELS) if multiple else (LOGITS, TAGS)
    variable = torch.from_numpy(logits).requires_grad_()
    summed_loss(variable, torch.from_numpy(targets), recipe, multiple).backward()
    assert variable.grad is not None
    for place in np.ndindex(*logits.shape):
        step = np.zeros(logits.shape)
        step[place] = 1e-5
        rise = loss_of(logits + step, targets, recipe, multiple) - loss_of(logits - step, targets, recipe, multiple)
        assert variable.grad[place].item() == pytest.approx(rise / 2e-5, abs=1e-6)


def kl(p: Floats, q: Floats) -> float:
    return float((p * np.log(p / q)).sum())


def test_the_disagreement_of_two_passes_is_the_mean_of_both_divergences() -> None:
    other = RNG.normal(size=LOGITS.shape)
    counted = [place for place in np.ndindex(2, 4) if TAGS[place] != IGNORED]
    pairs = [(softmax(LOGITS[place]), softmax(other[place])) for place in counted]
    expected = sum((kl(p, q) + kl(q, p)) / 2 for p, q in pairs)
    found = disagreement(torch.from_numpy(LOGITS), torch.from_numpy(other), torch.from_numpy(TAGS), False)
    assert found.item() == pytest.approx(expected, rel=1e-9)


def test_the_disagreement_over_several_labels_is_that_of_their_sigmoids() -> None:
    one, other = LOGITS[:, 0], RNG.normal(size=(2, 3))
    chances = [np.stack([expit(logits), expit(-logits)]) for logits in (one, other)]
    expected = (kl(*chances) + kl(*chances[::-1])) / 2
    found = disagreement(torch.from_numpy(one), torch.from_numpy(other), torch.from_numpy(LABELS), True)
    assert found.item() == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("gamma", [0.01, 0.5, 2.0])
def test_an_answer_that_is_certain_has_a_finite_slope(gamma: float) -> None:
    logits = torch.tensor([[200.0, 0.0, 0.0], [0.0, 200.0, 0.0]], requires_grad=True)
    loss = summed_loss(logits, torch.tensor([0, 0]), Recipe(focal_gamma=gamma), False)
    loss.backward()
    assert loss.item() == pytest.approx(200, rel=1e-6)
    assert logits.grad is not None
    assert torch.isfinite(logits.grad).all()
    assert (logits.grad[0] == 0).all()


def test_numbers_have_squared_errors_and_ignored_ones_none() -> None:
    settings = ModelSettings("any", "regress", ("value",))
    objective = objective_of(settings)
    values, other = torch.tensor([[1.0], [2.0], [5.0]]), torch.tensor([[0.0], [2.5], [9.0]])
    targets = torch.tensor([[3.0], [2.5], [float(IGNORED)]], dtype=torch.float64)
    assert objective.summed(values, targets, Recipe()).item() == pytest.approx(4 + 0.25)
    assert objective.disagreement(values, other, targets).item() == pytest.approx((1 + 0.25) / 2)


def test_first_and_last_piece_have_a_softmax_each_over_the_length() -> None:
    objective = objective_of(ModelSettings("any", "span", ("start", "end")))
    logits = RNG.normal(size=(2, 4, 2))
    logits[1, 3] = -1e4  # padding
    targets = np.array([[1.0, 2.0], [float(IGNORED), float(IGNORED)]])
    expected = -log_softmax(logits[0, :, 0])[1] - log_softmax(logits[0, :, 1])[2]
    found = objective.summed(torch.from_numpy(logits), torch.from_numpy(targets), Recipe())
    assert found.item() == pytest.approx(expected)
    other = RNG.normal(size=(2, 4, 2))
    other[1, 3] = -1e4
    divergence = 0.0
    for end in range(2):
        one, two = log_softmax(logits[0, :, end]), log_softmax(other[0, :, end])
        divergence += ((np.exp(one) - np.exp(two)) * (one - two)).sum() / 2
    apart = objective.disagreement(torch.from_numpy(logits), torch.from_numpy(other), torch.from_numpy(targets))
    assert apart.item() == pytest.approx(divergence)


def test_texts_pick_those_of_their_label_by_hand() -> None:
    vectors = RNG.normal(size=(5, 4))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    labels = [0, 1, 0, 0, 2]
    expected = 0.0
    for one, own in enumerate(labels):
        others = [place for place in range(5) if place != one]
        logs = dict(zip(others, log_softmax([SCALE * vectors[one] @ vectors[place] for place in others]), strict=True))
        same = [place for place in others if labels[place] == own]
        if same:  # The texts with labels 1 and 2 are alone, and only wrong answers for the others.
            expected -= sum(logs[place] for place in same) / len(same)
    found = shared_label_loss(torch.from_numpy(vectors), torch.tensor(labels))
    assert found.item() == pytest.approx(expected)
    alone = shared_label_loss(torch.from_numpy(vectors[:2]), torch.tensor([0, 1]))
    assert alone.item() == 0.0
