"""Prediction sets and abstention: by hand, and their promised levels in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from truetune.decisions.conformal import limit_of, sets_of, strangeness
from truetune.decisions.selective import risk_coverage
from truetune.decisions.thresholds import Rule, best_cut, cuts_of
from truetune.errors import MetricError
from truetune.tasks.classify_encoding import softmax
from truetune.types import Floats, Ints

PROBABILITIES = np.array([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]])


def test_strangeness_by_hand() -> None:
    assert strangeness(PROBABILITIES, "lac") == pytest.approx(1 - PROBABILITIES)
    assert strangeness(PROBABILITIES, "aps") == pytest.approx(np.array([[0, 0.7, 0.9], [0, 0.4, 0.75]]))


def test_the_limit_is_the_right_order_statistic() -> None:
    probabilities = np.array([[1 - place / 10, place / 10] for place in range(1, 10)])  # strangeness .1 to .9
    gold = np.zeros(9, dtype=np.int64)
    assert limit_of(probabilities, gold, "lac", 0.8) == pytest.approx(0.8)  # ceil(10 * .8) = 8th of 9
    assert limit_of(probabilities, gold, "lac", 0.81) == pytest.approx(0.9)
    assert limit_of(probabilities, gold, "lac", 0.95) == math.inf
    assert sets_of(probabilities, "lac", math.inf).all()


def test_gold_that_the_model_does_not_know_is_never_covered() -> None:
    gold = np.array([0, -1])
    assert limit_of(PROBABILITIES, gold, "lac", 0.3) == pytest.approx(0.3)
    assert limit_of(PROBABILITIES, gold, "lac", 0.6) == math.inf


def test_a_level_of_one_is_refused() -> None:
    with pytest.raises(MetricError, match="expected a share between 0 and 1"):
        limit_of(PROBABILITIES, np.array([0, 1]), "aps", 1.0)


def test_sets_of_aps_are_never_empty_and_grow_with_doubt() -> None:
    inside = sets_of(PROBABILITIES, "aps", 0.5)
    assert inside.tolist() == [[True, False, False], [True, True, False]]


def drawn(rng: np.random.Generator, examples: int) -> tuple[Floats, Ints]:
    """Return what an overconfident, biased model of five labels says, and gold."""
    logits = rng.normal(0, 1.2, size=(examples, 5))
    gold = (softmax(logits).cumsum(axis=1) > rng.random((examples, 1))).argmax(axis=1)
    return softmax(3 * logits + np.array([1, 0, 0, 0, -1])), gold


@pytest.mark.parametrize("way", ["lac", "aps"])
def test_sets_keep_their_level(way: str) -> None:
    """The mean coverage over 300 calibrations of 100 examples is the level, within three standard errors."""
    rng = np.random.default_rng(0)
    probabilities, gold = drawn(rng, 20_000)
    coverages = []
    for _ in range(300):
        limit = limit_of(*drawn(rng, 100), way, 0.8)  # type: ignore[arg-type]
        coverages.append(sets_of(probabilities, way, limit)[np.arange(len(gold)), gold].mean())  # type: ignore[arg-type]
    error = 3 * np.std(coverages) / math.sqrt(300)
    assert np.mean(coverages) >= 0.8 - error
    assert np.mean(coverages) <= 0.8 + 1 / 101 + error


def test_risk_and_coverage_by_hand() -> None:
    curve = risk_coverage(np.array([True, False, True, True]), np.array([0.9, 0.6, 0.8, 0.6]))
    assert curve.coverage.tolist() == [0.25, 0.5, 1.0]
    assert curve.risk.tolist() == [0, 0, 0.25]
    # Of the two that are equally sure one is wrong: half an error at three answered, one at four.
    assert curve.area == pytest.approx((0 + 0 + 0.5 / 3 + 1 / 4) / 4)
    assert [curve.at(share) for share in (0.2, 0.5, 0.51, 1.0)] == [0, 1, 2, 2]


def test_the_area_without_ties_is_the_mean_of_risks() -> None:
    rng = np.random.default_rng(0)
    right, confidence = rng.random(50) < 0.7, rng.random(50)
    curve = risk_coverage(right, confidence)
    assert curve.area == pytest.approx(float(np.mean(curve.risk)))


def test_an_abstention_keeps_its_risk() -> None:
    """With a risk of 10 % that more than two answers in five are wrong: at most 28 of 200 (two standard errors)."""
    rng = np.random.default_rng(3)
    probabilities, gold = drawn(rng, 50_000)
    sure, right = probabilities.max(axis=1), probabilities.argmax(axis=1) == gold
    failed = 0
    coverages = []
    for _ in range(200):
        own, own_gold = drawn(rng, 400)
        cuts = cuts_of(own.argmax(axis=1) == own_gold, own.max(axis=1))
        cut = cuts.thresholds[int(best_cut(cuts.tallied(), Rule("precision", 0.6, 0.9)))]
        answered = sure >= cut
        coverages.append(answered.mean())
        failed += bool(answered.any() and right[answered].mean() < 0.6)
    assert failed <= 28
    assert np.mean(coverages) > 0.15, "a promise kept by answering nothing is none"
