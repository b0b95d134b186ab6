"""Early stopping by an interval: the rule on rows worked by hand, its memory, and both directions."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import pytest

from truetune.rows import Rows
from truetune.tasks.classification import CLASSIFICATION
from truetune.training.plateau import Margin, Plateau

ACCURACY = next(one for one in CLASSIFICATION.scoring.metrics if one.name == "accuracy")
LOSS = next(one for one in CLASSIFICATION.scoring.metrics if one.name == "brier")


def answered(right: Sequence[bool]) -> Rows:
    """The rows of the accuracy of examples that were answered right or wrong."""
    gold = ["a"] * len(right)
    return ACCURACY.rows(gold, ["a" if one else "b" for one in right])


def first_right(number: int, examples: int = 1000) -> list[bool]:
    return [place < number for place in range(examples)]


def watched(
    evaluations: Sequence[Rows], scores: Sequence[float], least: float, patience: int = 2, follow: int = 1
) -> list[bool]:
    """Whether the rule says to stop after each evaluation; behind the last one so many would follow."""
    return following(evaluations, Margin(least, ACCURACY, iter(evaluations).__next__), scores, patience, follow)


def following(
    evaluations: Sequence[Rows], margin: Margin, scores: Sequence[float], patience: int = 2, follow: int = 1
) -> list[bool]:
    plateau = Plateau(margin, patience)
    said = []
    for place, score in enumerate(scores, start=1):
        plateau.add(score)
        said.append(plateau.reached(len(evaluations) - place + follow))
    return said


def test_it_stops_when_the_last_evaluations_gained_nothing_that_matters() -> None:
    """Of 1,000 examples 10 more are right each time, then none: the upper bounds are those of Tango's interval."""
    counts = [700, 800, 801, 801]
    scores = [one / 1000 for one in counts]
    assert watched([answered(first_right(one)) for one in counts], scores, least=0.02) == [False, False, False, True]


def test_a_slow_but_steady_gain_goes_on_as_long_as_it_may_sum_to_the_margin() -> None:
    counts = [700, 708, 716, 724, 732]
    scores = [one / 1000 for one in counts]
    rows = [answered(first_right(one)) for one in counts]
    assert not any(watched(rows, scores, least=0.01))
    assert watched(rows, scores, least=0.05)[2:] == [True, True, True]


def test_where_the_answers_of_checkpoints_differ_much_few_examples_prove_nothing() -> None:
    """Equal scores, but other examples right each time: so few cannot tell that nothing was gained."""
    rng = np.random.default_rng(0)
    for examples, stops in ((200, False), (20_000, True)):
        rows = [answered(list(rng.random(examples) < 0.7)) for _ in range(3)]
        assert watched(rows, [0.7] * 3, least=0.02)[-1] is stops


def test_the_reference_is_the_best_before_the_last_ones() -> None:
    """A dip is no reference: what only comes back to the best has gained nothing."""
    counts = [800, 600, 800, 801]
    rows = [answered(first_right(one)) for one in counts]
    assert watched(rows, [one / 1000 for one in counts], least=0.02) == [False, False, True, True]


def test_what_is_left_decides_how_far_it_looks_back() -> None:
    """At 4 points gained over the last 4 of 8, 1 evaluation left brings less than 3 more points, 8 may bring more."""
    counts = [600, 700, 760, 790, 800, 810, 820, 830]
    rows, scores = [answered(first_right(one)) for one in counts], [one / 1000 for one in counts]
    for follow, stops in ((1, True), (2, True), (4, False), (8, False), (0, False)):
        assert watched(rows, scores, 0.04, follow=follow)[-1] is stops, follow


def test_an_evaluation_without_a_score_is_never_the_reference() -> None:
    rows = [answered(first_right(one)) for one in (800, 900, 801, 801)]
    assert watched(rows, [0.8, math.nan, 0.801, 0.801], least=0.02)[-1]


def test_lower_may_be_better() -> None:
    assert LOSS.better == "lower"
    gold = ["a", "b"] * 300

    rng = np.random.default_rng(0)

    def rows(sure: float) -> Rows:
        shares = sure + rng.uniform(-0.05, 0.05, len(gold))
        return LOSS.rows(
            gold, [{one: p, "b" if one == "a" else "a": 1 - p} for one, p in zip(gold, shares, strict=True)]
        )

    for sure, stops in (([0.6, 0.9, 0.9], False), ([0.9, 0.6, 0.6], True)):
        made = [rows(one) for one in sure]
        margin = Margin(0.05, LOSS, iter(made).__next__)
        assert following(made, margin, [(1 - one) ** 2 for one in sure])[-1] is stops


@pytest.mark.parametrize("patience", [1, 3])
def test_a_memory_that_was_saved_goes_on_the_same(patience: int) -> None:
    counts = [700, 790, 800, 801, 800, 801, 801]
    rows = [answered(first_right(one)) for one in counts]
    expected = watched(rows, [one / 1000 for one in counts], 0.02, patience)
    assert True in expected
    for broken in range(1, len(counts)):
        made = iter(rows)
        margin = Margin(0.02, ACCURACY, made.__next__)
        first, second = Plateau(margin, patience), Plateau(margin, patience)
        for one in counts[:broken]:
            first.add(one / 1000)
        second.restore(first.arrays(), first.values())
        for place, one in enumerate(counts[broken:], start=broken):
            second.add(one / 1000)
            assert second.reached(len(counts) - place) is expected[place]
