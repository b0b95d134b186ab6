from itertools import product

import numpy as np
import pytest
from populations import AP, BLEU, MACRO_F1, NDCG, SPAN_F1, population
from scipy import stats

from truetune.rows import Rows
from truetune.stats.coins import swapped
from truetune.stats.pairs import Pairs
from truetune.stats.randomisation import randomisation_p, swapped_differences


def pairs_of(kind, units, *, grouped=False, seed=1):
    source = population(kind, [0.0, 0.4], np.random.default_rng(seed), grouped=grouped)
    (first, second), groups = source.sample(units, np.random.default_rng(seed + 1))
    return source.metric, Pairs.of(first, second, groups), groups


def enumerated(metric, pairs, groups, units):
    """The difference after each of the 2**units swaps, one by one."""
    found = []
    one, other = pairs.first.dense(), pairs.second.dense()
    for coins in product([False, True], repeat=units):
        swap = np.array(coins) if groups is None else np.array(coins)[groups]
        shape = (-1,) + (1,) * (one.ndim - 1)
        first = Rows.of(np.where(swap.reshape(shape), other, one))
        second = Rows.of(np.where(swap.reshape(shape), one, other))
        found.append(float(metric.value(second)) - float(metric.value(first)))
    return np.array(found)


@pytest.mark.parametrize(
    ("kind", "metric"), [("macro-F1", MACRO_F1), ("span F1", SPAN_F1), ("BLEU", BLEU), ("nDCG", NDCG)]
)
@pytest.mark.parametrize("grouped", [False, True])
def test_p_value_is_that_of_all_swaps(kind, metric, grouped):
    _, pairs, groups = pairs_of(kind, 10, grouped=grouped)
    every = enumerated(metric, pairs, groups, 10)
    observed = every[0]
    exact = np.mean(np.abs(every) >= abs(observed) - 1e-12)
    swaps = swapped_differences([metric], pairs, 20_000, np.random.default_rng(3))[0]
    assert randomisation_p(observed, swaps) == pytest.approx(exact, abs=0.015)
    assert np.std(swaps) == pytest.approx(np.std(every), rel=0.03)


def test_pooled_metrics_are_swapped_alike():
    def precision_at_half(rows, counts):
        chosen = counts * (rows.table[:, 1] >= 0.5)
        return np.asarray((chosen @ rows.table[:, 0]) / chosen.sum(axis=-1))

    rng = np.random.default_rng(0)
    gold = rng.integers(0, 2, 12)
    first, second = (Rows.of(np.stack([gold, rng.random(12)], axis=1)) for _ in range(2))
    from truetune.metric import Pooled

    metric = Pooled("precision", None, precision_at_half, "gold", "predicted", "precision", "example")
    for groups in (None, np.arange(12) // 2):
        pairs = Pairs.of(first, second, groups)
        every = enumerated(metric, pairs, groups, 12 if groups is None else 6)
        swaps = swapped_differences([metric], pairs, 20_000, np.random.default_rng(3))[0]
        assert stats.ks_2samp(swaps, every).statistic < 0.03


@pytest.mark.parametrize("weights", [[1] * 40, [1, 2, 5, 3], [900, 2000, 1500]])
def test_both_ways_of_swapping_toss_fair_coins(weights):
    draws = np.concatenate([swaps for _, swaps in swapped(np.array(weights), 20_000, 1, np.random.default_rng(0))])
    assert draws.shape == (20_000, len(weights))
    np.testing.assert_allclose(draws.mean(axis=0), np.array(weights) / 2, atol=4 * np.sqrt(max(weights) / 80_000))
    np.testing.assert_allclose(draws.var(axis=0), np.array(weights) / 4, rtol=0.06)
    assert abs(np.corrcoef(draws[:, 0], draws[:, 1])[0, 1]) < 0.03
    assert (draws <= weights).all()


def test_identical_systems_have_a_p_value_of_one():
    for kind in ("macro-F1", "average precision"):
        metric, pairs, _ = pairs_of(kind, 30)
        same = Pairs.of(pairs.first, pairs.first, None)
        swaps = swapped_differences([metric], same, 200, np.random.default_rng(0))[0]
        assert randomisation_p(0.0, swaps) == 1.0


def test_p_value_counts_the_observed_and_ties_and_the_undefined():
    assert randomisation_p(0.5, np.array([0.1, -0.5, 0.5, 0.2])) == pytest.approx(3 / 5)
    assert randomisation_p(0.5, np.array([0.1, 0.2, np.nan])) == pytest.approx(2 / 4)
    assert randomisation_p(0.3, np.array([0.1 + 0.2])) == 1.0  # a tie but for rounding
    assert randomisation_p(9.0, np.zeros(999)) == pytest.approx(1 / 1000)


def test_scores_of_another_scale_change_nothing_where_only_ranks_matter():
    _, pairs, _ = pairs_of("average precision", 120)
    stretched = Rows(pairs.second.table * [1, 1000] + [0, 5], pairs.second.index)
    other = Pairs.of(pairs.first, stretched, None)
    results = [swapped_differences([AP], which, 500, np.random.default_rng(0))[0] for which in (pairs, other)]
    np.testing.assert_allclose(results[0], results[1], atol=1e-12)


def test_scores_that_matter_themselves_are_not_ranked():
    def mean_score(rows, counts):
        return np.asarray(counts @ rows.table[:, 1] / counts.sum(axis=-1))

    from truetune.metric import Pooled

    metric = Pooled("mean score", None, mean_score, "gold", "predicted", "mean", "example")
    rng = np.random.default_rng(0)
    first, second = (Rows.of(np.stack([np.ones(8), rng.random(8)], axis=1)) for _ in range(2))
    pairs = Pairs.of(first, second, None)
    swaps = swapped_differences([metric], pairs, 5_000, rng)[0]
    gaps = second.dense()[:, 1] - first.dense()[:, 1]
    assert np.std(swaps) == pytest.approx(np.sqrt(np.sum(gaps**2)) / 8, rel=0.05)


def test_metrics_share_their_swaps():
    _, pairs, _ = pairs_of("span F1", 60)
    one, other = swapped_differences([SPAN_F1, SPAN_F1], pairs, 100, np.random.default_rng(0))
    np.testing.assert_array_equal(one, other)
