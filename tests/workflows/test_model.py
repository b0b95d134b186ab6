"""What a config says of the training reaches the backbone."""

from __future__ import annotations

import numpy as np
import pytest

from truetune import config
from truetune.backbones.base import Recipe
from truetune.tasks.base import Labels
from truetune.types import Encoded
from truetune.workflows.model import recipe_of

NOTHING = np.zeros(0, dtype=np.int64)
INPUTS = [Encoded(0, NOTHING, NOTHING, np.array(target), NOTHING, NOTHING) for target in (0, 0, 0, 1)]
LABELS = Labels(("bad", "good"))


def configured(**recipe: object) -> config.Config:
    return config.from_settings(
        {"task": "classification", "data": {"source": "x.csv"}, "model": {"name": "m"}, "recipe": recipe}
    )


def test_a_config_without_recipe_is_the_plain_recipe() -> None:
    assert recipe_of(configured(), INPUTS, LABELS) == Recipe()


def test_every_key_of_the_recipe_is_handed_on() -> None:
    numbers = {"label_smoothing": 0.1, "focal_gamma": 2.0, "r_drop": 3.0, "fgm": 0.5, "ema": 0.99}
    found = recipe_of(configured(**numbers, class_weights="balanced"), INPUTS, LABELS)
    assert {*numbers, "class_weights"} == set(config.Recipe.model_fields)
    assert {key: getattr(found, key) for key in numbers} == numbers
    assert found.class_weights == pytest.approx((4 / 6, 4 / 2))
