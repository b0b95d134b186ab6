"""Prediction sets and abstention: by hand, and their promised levels in simulation."""

from __future__ import annotations

import math

import numpy as np
import pytest

from truetune.decisions.conformal import (
    limit_of,
    limit_of_all,
    limit_of_share,
    limits_by_label,
    sets_of,
    strangeness,
)
from truetune.decisions.decision import all_right
from truetune.decisions.selective import risk_coverage
from truetune.decisions.thresholds import Rule, best_cut, cuts_of
from truetune.errors import MetricError
from truetune.tasks.classify_encoding import softmax
from truetune.types import Bools, Floats, Ints

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


def test_each_label_has_its_order_statistic() -> None:
    probabilities = np.array([[1 - place / 10, place / 10] for place in range(1, 10)])
    gold = np.eye(2, dtype=np.bool_)[[0, 0, 0, 0, 1, 1, 1, 1, 1]]
    # Strangeness of the first label .1 to .4: ceil(5 * .8) = 4th; of the second .5 to .1: ceil(6 * .8) = 5th.
    assert limits_by_label(probabilities, gold, "lac", 0.8) == pytest.approx((0.4, 0.5))
    first, second = limits_by_label(probabilities, gold, "lac", 0.82)
    assert (first, second) == (math.inf, pytest.approx(0.5)), "ceil(5 * .82) = 5 of four; ceil(6 * .82) = 5"


SEVERAL = np.array([[0.9, 0.6, 0.1], [0.2, 0.8, 0.3], [0.7, 0.5, 0.4], [0.5, 0.5, 0.5]])
SEVERAL_GOLD = np.array([[True, True, False], [False, True, False], [True, True, True], [False, False, False]])
NONE = np.zeros(4, dtype=np.int64)


def test_limits_of_several_labels_by_hand() -> None:
    """The text without a label counts nowhere: three texts with worst labels of strangeness .4, .2 and .6."""
    assert limit_of_all(SEVERAL, SEVERAL_GOLD, NONE, 0.5) == pytest.approx(0.4)  # ceil(4 * .5) = 2nd
    assert limit_of_all(SEVERAL, SEVERAL_GOLD, NONE, 0.75) == pytest.approx(0.6)
    assert limit_of_all(SEVERAL, SEVERAL_GOLD, NONE, 0.8) == math.inf
    assert limit_of_all(SEVERAL, SEVERAL_GOLD, np.array([0, 1, 0, 0]), 0.75) == math.inf
    # Shares that are missed up to strangeness .1: 2.5, .2: 1.5, .3: 1.17, .4: .67, .5: .33, .6: 0; (missed + 1) / 4.
    assert limit_of_share(SEVERAL, SEVERAL_GOLD, NONE, 0.5) == pytest.approx(0.4)  # 1.67 / 4 <= .5, 2.17 / 4 is more
    assert limit_of_share(SEVERAL, SEVERAL_GOLD, NONE, 0.6) == pytest.approx(0.5)
    assert limit_of_share(SEVERAL, SEVERAL_GOLD, NONE, 0.75) == pytest.approx(0.6)
    assert limit_of_share(SEVERAL, SEVERAL_GOLD, NONE, 0.8) == math.inf
    # Of the second text half is missed for ever, a label that the model does not know: (.5 + 0 + 1) / 4 = .375.
    assert limit_of_share(SEVERAL, SEVERAL_GOLD, np.array([0, 1, 0, 0]), 0.625) == pytest.approx(0.6)
    assert limit_of_share(SEVERAL, SEVERAL_GOLD, np.array([0, 1, 0, 0]), 0.63) == math.inf


def test_without_a_labelled_text_every_label_is_in() -> None:
    none = np.zeros((4, 3), dtype=np.bool_)
    assert limit_of_all(SEVERAL, none, NONE, 0.5) == limit_of_share(SEVERAL, none, NONE, 0.5) == math.inf


def several(rng: np.random.Generator, examples: int) -> tuple[Floats, Bools]:
    """Return what an overconfident, biased model says of five labels that go together, and gold."""
    logits = rng.normal(-0.5, 1.5, size=(examples, 5)) + rng.normal(0, 1, size=(examples, 1))
    gold = rng.random(logits.shape) < 1 / (1 + np.exp(-logits))
    return 1 / (1 + np.exp(-3 * logits - np.array([1, 0, 0, 0, -1]))), gold


@pytest.mark.parametrize("way", ["all", "share"])
def test_sets_of_several_labels_keep_their_level(way: str) -> None:
    """The mean over 300 calibrations of 100 texts is the level, within three standard errors."""
    rng = np.random.default_rng(1)
    find = limit_of_all if way == "all" else limit_of_share
    probabilities, gold = several(rng, 20_000)
    number = gold.sum(axis=1)
    found, sizes = [], []
    for _ in range(300):
        own, own_gold = several(rng, 100)
        inside = sets_of(probabilities, "lac", find(own, own_gold, np.zeros(100, dtype=np.int64), 0.8))
        share = (inside & gold).sum(axis=1)[number > 0] / number[number > 0]
        found.append(float((share == 1).mean() if way == "all" else share.mean()))
        sizes.append(float(inside.mean()))
    error = 3 * np.std(found) / math.sqrt(300)
    assert np.mean(found) >= 0.8 - error
    assert np.mean(found) <= 0.8 + 2 / 70 + error, "of some 80 texts with a label, at most 2 / (n + 1) too much"
    assert np.mean(sizes) < 0.7, "a promise kept by saying everything is none"


@pytest.mark.parametrize("way", ["lac", "aps"])
def test_sets_keep_their_level_for_each_label(way: str) -> None:
    """One limit for all covers the label that the model leans to more, and the other less; one each, all alike."""
    rng = np.random.default_rng(2)
    probabilities, gold = drawn(rng, 20_000)
    found = np.zeros((200, 2, 5))
    for part in range(200):
        own, own_gold = drawn(rng, 300)
        each = limits_by_label(own, np.eye(5, dtype=np.bool_)[own_gold], way, 0.8)  # type: ignore[arg-type]
        for place, limits in enumerate((limit_of(own, own_gold, way, 0.8), each)):  # type: ignore[arg-type]
            inside = sets_of(probabilities, way, limits)  # type: ignore[arg-type]
            found[part, place] = [inside[gold == label, label].mean() for label in range(5)]
    means, errors = found.mean(axis=0), 3 * found.std(axis=0) / math.sqrt(200)
    assert (means[1] >= 0.8 - errors[1]).all()
    assert (means[1] <= 0.8 + 0.03 + errors[1]).all()
    assert means[0, 0] > 0.85, "the promise for all texts is not one for each label"
    assert means[0, 4] < 0.75


def test_an_abstention_of_several_labels_keeps_its_risk() -> None:
    """With a risk of 10 % that more than three answers in five are wrong: at most 28 of 200 (two standard errors)."""
    rng = np.random.default_rng(3)
    probabilities, gold = several(rng, 50_000)
    said = probabilities >= 0.5
    sure, right = all_right(probabilities, said), (said == gold).all(axis=1)
    assert right.mean() < 0.3, "answering all would break it"
    failed, coverages = 0, []
    for _ in range(200):
        own, own_gold = several(rng, 400)
        chosen = own >= 0.5
        cuts = cuts_of((chosen == own_gold).all(axis=1), all_right(own, chosen))
        cut = cuts.thresholds[int(best_cut(cuts.tallied(), Rule("precision", 0.4, 0.9)))]
        answered = sure >= cut
        coverages.append(answered.mean())
        failed += bool(answered.any() and right[answered].mean() < 0.4)
    assert failed <= 28
    assert np.mean(coverages) > 0.05


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
