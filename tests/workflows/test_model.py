"""What a config says of the training reaches the backbone."""

from __future__ import annotations

import numpy as np
import pytest

from truetune import config
from truetune.backbones.base import Lora, Recipe
from truetune.tasks.base import Labels
from truetune.types import Encoded
from truetune.workflows.model import lora_of, recipe_of

NOTHING = np.zeros(0, dtype=np.int64)
INPUTS = [Encoded(0, NOTHING, NOTHING, np.array(target), NOTHING, NOTHING) for target in (0, 0, 0, 1)]
LABELS = Labels(("bad", "good"))


def configured(**recipe: object) -> config.Config:
    return config.from_settings(
        {"task": "classification", "data": {"source": "x.csv"}, "model": {"name": "m"}, "recipe": recipe}
    )


def test_a_config_without_recipe_is_the_plain_recipe() -> None:
    assert recipe_of(configured(), INPUTS, LABELS, "classify") == Recipe()


def test_every_key_of_the_recipe_is_handed_on() -> None:
    numbers = {"label_smoothing": 0.1, "focal_gamma": 2.0, "r_drop": 3.0, "fgm": 0.5, "ema": 0.99, "mixout": 0.5}
    found = recipe_of(configured(**numbers, class_weights="balanced"), INPUTS, LABELS, "tag")
    elsewhere = {"lora_rank", "lora_alpha", "lora_dropout", "swa"}  # Of the model, and of the loop's plan.
    elsewhere |= {"contrastive", "hard_negatives", "teacher", "teacher_share"}  # Of the inputs and their targets.
    elsewhere |= {"ia3", "prompt_pieces", "prefix_pieces"}  # Of the model.
    assert recipe_of(configured(matryoshka=[8, 4]), INPUTS, LABELS, "embed").matryoshka == (8, 4)
    assert {*numbers, "class_weights", "matryoshka", *elsewhere} == set(config.Recipe.model_fields)
    assert {key: getattr(found, key) for key in numbers} == numbers
    assert found.class_weights == pytest.approx((4 / 6, 4 / 2))


def test_the_keys_of_lora_are_handed_on() -> None:
    assert lora_of(configured().recipe) is None
    assert lora_of(configured(lora_rank=4).recipe) == Lora(4, 8.0, 0.0)
    assert lora_of(configured(lora_rank=4, lora_alpha=6.0, lora_dropout=0.1).recipe) == Lora(4, 6.0, 0.1)
