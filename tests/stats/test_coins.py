"""Swaps that several comparisons share, and the familywise error of what is read from them."""

import familywise
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import AP, AUC, SPAN_F1, population

from truetune.stats.coins import Coins
from truetune.stats.paired import PairedTest, paired, paired_jointly
from truetune.stats.plan import Plan

PLAN = Plan(resamples=400)
codes = st.integers(1, 30).flatmap(
    lambda n: st.lists(st.lists(st.integers(-1, 3), min_size=n, max_size=n), min_size=1, max_size=3)
)


def draws_of(coins, kinds, resamples=400):
    number = int(kinds.max(initial=-1)) + 1
    return np.concatenate([swaps for _, swaps in coins.swaps(kinds, number, resamples)])


@settings(max_examples=50, deadline=None)
@given(codes)
def test_every_comparison_sees_the_same_units_swapped(given_codes):
    comparisons = [np.array(one) for one in given_codes]
    coins = Coins.of(comparisons, 1, PLAN)
    moving = np.any([one >= 0 for one in comparisons], axis=0)
    assert coins.weights.sum() == moving.sum()
    if not moving.any():
        return
    every = np.arange(len(moving)) if len(coins.units) == len(moving) else None
    for one in filter(lambda codes: codes.max() >= 0, comparisons):
        swaps = draws_of(coins, one, 50)
        assert (swaps <= np.bincount(one[one >= 0], minlength=swaps.shape[1])).all()
        if every is not None:
            units = draws_of(coins, every, 50)
            expected = np.stack([units[:, one == kind].sum(axis=1) for kind in range(swaps.shape[1])], axis=1)
            np.testing.assert_array_equal(swaps, expected)


@pytest.mark.parametrize("finest", [3, 20])
def test_the_first_draws_are_the_same_however_many_are_asked_for(finest):
    coins = Coins.of([np.arange(2_000) // finest, np.arange(2_000) // 20], 20_000, PLAN)
    few, many = (draws_of(coins, np.arange(2_000) // 20, number) for number in (130, 1_000))
    np.testing.assert_array_equal(few, many[:130])


def test_coins_are_fair_and_units_that_never_move_toss_none():
    kinds = np.r_[np.full(500, -1), np.zeros(100, dtype=int), np.arange(1, 4)]
    coins = Coins.of([kinds], 1, PLAN)
    swaps = draws_of(coins, kinds, 20_000)
    assert coins.weights.tolist() == [100, 1, 1, 1]
    np.testing.assert_allclose(swaps.mean(axis=0), [50, 0.5, 0.5, 0.5], rtol=0.03)
    assert abs(np.corrcoef(swaps[:, 1], swaps[:, 2])[0, 1]) < 0.03


@pytest.mark.parametrize("grouped", [False, True])
def test_joint_comparisons_are_those_made_alone_but_for_the_swaps(grouped):
    spans = population("span F1", [0.0, 0.3], np.random.default_rng(0), grouped=grouped)
    scores = population("AUC", [0.0, 0.3], np.random.default_rng(0), grouped=grouped)
    (one, other), groups = spans.sample(150, np.random.default_rng(1))
    (low, high), _ = scores.sample(150, np.random.default_rng(1))
    chosen = np.arange(len(one)) % len(low)
    low, high = low.take(chosen), high.take(chosen)
    tests = [PairedTest([SPAN_F1], one, other, PLAN), PairedTest([AUC, AP], low, high, PLAN)]
    (spans_found,), (area, precision) = paired_jointly(tests, groups=groups, plan=PLAN)
    for found, (metric, first, second) in zip(
        (spans_found, area, precision), ((SPAN_F1, one, other), (AUC, low, high), (AP, low, high)), strict=True
    ):
        (alone,) = paired([metric], first, second, groups=groups, plan=PLAN)
        assert found.difference == alone.difference
        assert found.p_value == pytest.approx(alone.p_value, abs=0.08)
        assert found.swaps is not None
        assert found.swaps.shape == (400,)
        assert alone.swaps is None
    error = (area.high - area.low) / 2 / 1.96
    assert np.std(area.swaps) == pytest.approx(error, rel=0.15)


def test_equal_metrics_have_equal_swaps_in_different_tests():
    source = population("span F1", [0.0, 0.3], np.random.default_rng(0), grouped=False)
    (one, other), _ = source.sample(200, np.random.default_rng(1))
    first, second = paired_jointly([PairedTest([SPAN_F1], one, other, PLAN)] * 2, plan=PLAN)
    np.testing.assert_array_equal(first[0].swaps, second[0].swaps)
    opposite = paired_jointly([PairedTest([SPAN_F1], *pair, PLAN) for pair in ((one, other), (other, one))], plan=PLAN)
    np.testing.assert_allclose(opposite[0][0].swaps, -opposite[1][0].swaps, atol=1e-12)


def test_candidates_that_are_as_good_are_seldom_found_and_better_ones_often():
    found = familywise.simulated(familywise.CELLS[1], familywise.Setup(repetitions=60))
    assert found.errors[0] <= 0.15  # 95 % of 60 families of a true 5 % lie at or below 0.10
    assert found.partial[0] <= 0.15
    assert found.power[0] > 0.2
    assert found.power[0] >= found.power[1]


@pytest.mark.slow
@pytest.mark.parametrize("cell", familywise.CELLS, ids=lambda cell: cell.name)
def test_max_t_keeps_the_familywise_error_and_finds_what_holm_finds(cell):
    found = familywise.simulated(cell, familywise.Setup())
    noise = 1.96 * np.sqrt(0.05 * 0.95 / familywise.Setup().repetitions)
    assert found.errors[0] <= 0.06 + noise
    assert found.partial[0] <= 0.06 + noise
    # Differences of accuracies take few values: McNemar's mid-p behind Holm counts half of a tie, max-T the whole.
    assert found.power[0] >= found.power[1] - (0.03 if cell.kind == "accuracy" else 0.005)
