"""The table from causes to moves: whole, and made of settings that a config takes."""

from __future__ import annotations

import pytest

from truetune import config as configs
from truetune.optimization.diagnosis.cause import NAMES
from truetune.optimization.moves import TABLE, advice_for, cures
from truetune.optimization.runner import changed

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
