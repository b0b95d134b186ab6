"""The table from causes to moves: whole, and made of settings that a config takes."""

from __future__ import annotations

import pytest

from truetune import config as configs
from truetune.optimization.diagnosis.cause import NAMES
from truetune.optimization.moves import TABLE, advice_for, cures, setting
from truetune.optimization.runner import changed
from truetune.optimization.space import DIAGNOSED, Move, Range, default_space, holds, with_cures

CONFIG = configs.from_settings({"task": "classification", "data": {"source": "x.jsonl"}, "model": {"name": "m"}})


@pytest.mark.parametrize("name", NAMES)
def test_every_cause_has_something_to_do_against_it(name: str) -> None:
    assert advice_for(name, CONFIG)
    assert all(row.what for row in TABLE if row.cause == name)


def test_every_value_is_one_that_the_config_takes_and_does_not_have() -> None:
    for name in NAMES:
        for one in advice_for(name, CONFIG):
            for value in one["values"]:
                assert changed(CONFIG, {one["key"]: value}) != CONFIG, one


def test_what_is_tried_first_by_hand() -> None:
    causes = [{"name": "learning rate too high"}, {"name": "label imbalance"}, {"name": "weak labels"}]
    assert cures(causes, CONFIG) == [
        ("learning rate too high", {"train.learning_rate": 1e-5}),
        ("learning rate too high", {"train.learning_rate": 1e-6}),
        ("label imbalance", {"recipe.class_weights": "balanced"}),
        ("label imbalance", {"recipe.focal_gamma": 2.0}),
    ]


def test_a_space_holds_what_a_diagnosis_asks_for_and_what_the_config_has() -> None:
    asked = cures([{"name": "learning rate too high"}, {"name": "too few epochs"}, {"name": "over-fitting"}], CONFIG)
    plain = default_space(CONFIG, {"a": 5, "b": 5})
    moves = {move.key: move for move in with_cures(plain, asked, lambda key: setting(CONFIG, key))}
    assert all(holds(moves[key], value) for _, change in asked for key, value in change.items())
    assert set(moves) - {move.key for move in plain} == {"recipe.r_drop", "recipe.mixout"}
    assert moves["recipe.r_drop"] == Move("recipe.r_drop", (0.0, 1.0, 4.0), "over-fitting", DIAGNOSED)
    # The rate is 1e-4: a tenth and a hundredth of it are asked for, a fifth to five times were there.
    assert moves["train.learning_rate"].values == Range(1e-6, 5e-4, True)
    assert moves["train.epochs"].values == (1.5, 3.0, 6.0, 9.0)
    assert with_cures(plain, [], lambda key: setting(CONFIG, key)) == plain
