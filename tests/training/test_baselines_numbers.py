"""Baselines of numbers: what each can learn it learns, and what it cannot it does not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from truetune.training.baselines import Columns, Part
from truetune.training.baselines_numbers import (
    PENALTIES,
    constant,
    frozen_ridge,
    overlap,
    overlap_ridge,
    tfidf_ridge,
)

RNG = np.random.default_rng(3)


def silent(line: str) -> None:
    pass


def minus_mae(gold: Sequence[Any], predicted: Columns) -> float:
    return -float(np.abs(np.array(gold) - np.array(predicted["value"])).mean())


def test_the_constant_is_mean_or_median_whichever_validates() -> None:
    train = Part(["x"] * 4, [0.0, 0.0, 1.0, 7.0])
    low = constant(train, Part(["x"], [0.4]), 2, minus_mae)
    assert (low.predicted, low.settings) == ({"value": [0.5, 0.5]}, {"constant": "median"})
    high = constant(train, Part(["x"], [3.0]), 1, minus_mae)
    assert (high.predicted, high.settings) == ({"value": [2.0]}, {"constant": "mean"})


def rated(number: int) -> Part:
    values = RNG.integers(0, 4, size=number)
    words = ["awful", "poor", "fine", "superb"]
    texts = [f"{RNG.choice(['a', 'the', 'one'])} {words[value]} film {RNG.integers(99)}" for value in values]
    return Part(texts, values.astype(float).tolist())


def test_words_that_tell_a_number_are_learnt() -> None:
    test = rated(60)
    found = tfidf_ridge(rated(300), rated(60), test.inputs, minus_mae, silent)
    assert minus_mae(test.gold, found.predicted) > -0.2
    assert found.settings["alpha"] in PENALTIES


def test_features_that_tell_a_number_are_learnt_as_ridge_learns_them() -> None:
    features = RNG.normal(size=(260, 5))
    gold = (features @ [1.0, -2.0, 0.0, 0.5, 3.0] + 4).tolist()
    train, validation = Part(features[:200], gold[:200]), Part(features[200:230], gold[200:230])
    found = frozen_ridge(train, validation, features[230:], minus_mae, silent)
    assert minus_mae(gold[230:], found.predicted) > -0.05
    scale = (features - features[:200].mean(axis=0)) / features[:200].std(axis=0)
    expected = Ridge(alpha=found.settings["alpha"]).fit(scale[:200], gold[:200]).predict(scale[230:])
    assert found.predicted["value"] == pytest.approx(expected.tolist(), rel=1e-4)


def test_overlap_by_hand() -> None:
    # Words: a b of a b c. Characters: {a, b, " "} of {a, b, c, " "}; 2 of 4 pairs, 1 of 3 threes; no four in "a b".
    assert overlap("a b", "A b c") == pytest.approx([2 / 3, 3 / 4, 2 / 4, 1 / 3, 0.0, 3 / 5])
    assert overlap("", "") == [1.0] * 6


def test_pairs_with_more_in_common_get_higher_numbers() -> None:
    words = np.array([f"w{place}" for place in range(40)])

    def pairs(number: int) -> Part:
        drawn, gold = [], []
        for _ in range(number):
            shared = int(RNG.integers(0, 6))
            some = RNG.permutation(words)
            drawn.append((" ".join(some[:6]), " ".join([*some[:shared], *some[6 : 12 - shared]])))
            gold.append(float(shared))
        return Part(drawn, gold)

    test = pairs(60)
    found = overlap_ridge(pairs(200), pairs(40), test.inputs, minus_mae, silent)
    assert minus_mae(test.gold, found.predicted) > -0.5
    assert minus_mae(test.gold, constant(pairs(200), pairs(40), 60, minus_mae).predicted) < -1
