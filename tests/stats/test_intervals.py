from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import ACCURACY, AP, AUC, BLEU, MACRO_F1, NDCG, SPAN_F1, population
from scipy import stats
from statsmodels.stats.proportion import proportion_confint

from truetune.errors import MetricError
from truetune.metric import Pooled
from truetune.rows import Rows
from truetune.stats.intervals import intervals
from truetune.stats.plan import Plan

PLAN = Plan(resamples=2_000)
ALL = ("accuracy", "macro-F1", "span F1", "BLEU", "nDCG", "AUC", "average precision")


def interval(metric, rows, groups=None, plan=PLAN):
    return intervals([metric], rows, groups=groups, plan=plan)[0]


def shares(*pairs):
    return Rows.of(np.array(pairs, dtype=np.int64))


def drawn(kind, units=80, *, grouped=False, seed=1):
    source = population(kind, [0.0], np.random.default_rng(seed), grouped=grouped)
    (rows,), groups = source.sample(units, np.random.default_rng(seed + 1))
    return source.metric, rows, groups


def test_proportion_is_wilson_by_statsmodels():
    found = interval(ACCURACY, shares(*[(1, 1)] * 37, *[(0, 1)] * 3))
    np.testing.assert_allclose((found.low, found.high), proportion_confint(37, 40, method="wilson"), rtol=1e-9)
    assert found.method == "Wilson score"


def test_examples_outside_the_denominator_do_not_count_and_constants_cancel():
    asked = shares(*[(1, 1)] * 7, *[(0, 1)] * 3)
    with_others = shares(*[(1, 1)] * 7, *[(0, 1)] * 3, *[(0, 0)] * 90)
    doubled = shares(*[(2, 2)] * 7, *[(0, 2)] * 3)
    assert interval(ACCURACY, with_others) == interval(ACCURACY, asked) == interval(ACCURACY, doubled)


def test_several_trials_an_example_depend_on_each_other():
    rng = np.random.default_rng(0)
    right = rng.random(60) < 0.8
    alone = interval(ACCURACY, Rows.of(np.stack([right, np.ones(60)], axis=1).astype(np.int64)))
    tenfold = interval(ACCURACY, Rows.of(np.stack([right * 10, np.full(60, 10)], axis=1).astype(np.int64)))
    # (10, 10) and (0, 10) are one trial of weight 10; a mix shows how far the ten hang together.
    assert (tenfold.low, tenfold.high) == (alone.low, alone.high)
    mixed = np.concatenate([np.stack([right * 10, np.full(60, 10)], axis=1), [[5, 10]]]).astype(np.int64)
    found = interval(ACCURACY, Rows.of(mixed))
    assert found.high - found.low == pytest.approx(alone.high - alone.low, rel=0.08)
    assert found.method == "Wilson score, effective trials by 61 examples"


def test_doubling_every_example_in_a_group_changes_nothing():
    _, rows, _ = drawn("accuracy", 60)
    twice = rows.take(np.repeat(np.arange(60), 2))
    alone = interval(ACCURACY, rows, np.arange(60))
    grouped = interval(ACCURACY, twice, np.repeat(np.arange(60), 2))
    assert (grouped.low, grouped.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    naive = interval(ACCURACY, twice)
    assert naive.high - naive.low < 0.8 * (grouped.high - grouped.low)


def test_mean_is_scipys_t():
    values = np.random.default_rng(0).random(25)
    found = interval(NDCG, Rows.of(np.stack([values, np.ones(25)], axis=1)))
    expected = stats.t.interval(0.95, 24, loc=values.mean(), scale=stats.sem(values))
    np.testing.assert_allclose((found.low, found.high), expected, rtol=1e-9)
    assert found.method == "t, 24 degrees of freedom"


def test_stated_limits_cut_t_bounds():
    rows = Rows.of(np.stack([np.r_[np.ones(9), 0.2], np.ones(10)], axis=1))
    assert interval(NDCG, rows).high > 1
    assert interval(replace(NDCG, limits=(0.0, 1.0)), rows).high == 1.0


def test_a_t_metric_whose_value_is_not_its_ratio_is_bootstrapped():
    metric = replace(NDCG, formula=lambda sums: np.exp(sums[..., 0] / sums[..., 1]))
    _, rows, _ = drawn("nDCG")
    found = interval(metric, rows)
    assert found.method.startswith("BCa bootstrap")
    assert found.low < float(metric.value(rows)) < found.high


def test_bca_is_scipys_on_a_small_mean():
    values = np.random.default_rng(5).exponential(size=400)
    rows = Rows.of(np.stack([values, np.ones(400)], axis=1))
    found = interval(replace(NDCG, interval="bca"), rows, plan=Plan(resamples=40_000))
    expected = stats.bootstrap((values,), np.mean, n_resamples=40_000, method="BCa", rng=np.random.default_rng(0))
    width = np.ptp(expected.confidence_interval)
    np.testing.assert_allclose((found.low, found.high), expected.confidence_interval, atol=0.03 * width)
    assert found.method == "BCa bootstrap, 40,000 resamples, seed 0"


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("grouped", [False, True])
def test_every_metric_has_bounds_around_its_value(kind, grouped):
    metric, rows, groups = drawn(kind, grouped=grouped)
    found = interval(metric, rows, groups)
    assert found.low < float(metric.value(rows)) < found.high
    assert not found.reason
    assert ("80 groups" in found.method) == grouped
    wider = interval(metric, rows, groups, Plan(level=0.99, resamples=2_000))
    assert wider.low < found.low < found.high < wider.high


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("grouped", [False, True])
def test_order_of_examples_and_names_of_groups_do_not_matter(kind, grouped):
    metric, rows, groups = drawn(kind, grouped=grouped)
    order = np.random.default_rng(0).permutation(len(rows))
    found = interval(metric, rows, groups)
    if groups is None:
        other = interval(metric, rows.take(order))
    else:
        other = interval(metric, rows.take(order), 1000 - groups[order])
    exact = metric.interval != "bca" or metric.additive or not grouped
    tolerance = 1e-9 if exact else 0.2 * (found.high - found.low)
    assert (other.low, other.high) == (
        pytest.approx(found.low, abs=tolerance),
        pytest.approx(found.high, abs=tolerance),
    )


def test_metrics_of_one_call_are_those_of_single_calls():
    _, rows, _ = drawn("span F1")
    asked = (SPAN_F1, replace(SPAN_F1, interval="t"), replace(SPAN_F1, interval="none"), replace(SPAN_F1, name="again"))
    together = intervals(asked, rows, plan=PLAN)
    for metric, found in zip(asked, together, strict=True):
        alone = interval(metric, rows)
        np.testing.assert_equal((found.low, found.high), (alone.low, alone.high))
        assert (found.method, found.reason) == (alone.method, alone.reason)
    assert together[2].reason == "no interval of span F1 is known to cover"


def test_plan_decides_seed_and_resamples():
    _, rows, _ = drawn("macro-F1")
    assert interval(MACRO_F1, rows) == interval(MACRO_F1, rows)
    assert interval(MACRO_F1, rows) != interval(MACRO_F1, rows, plan=Plan(resamples=2_000, seed=1))
    assert intervals([ACCURACY], shares((1, 1), (0, 1)))[0].method == "Wilson score"


@pytest.mark.parametrize(
    ("metric", "rows"),
    [
        (SPAN_F1, Rows.of(np.array([[1, 1, 1]] * 30 + [[0, 0, 0]] * 5))),
        (SPAN_F1, Rows.of(np.array([[0, 1, 1]] * 30))),
        (MACRO_F1, Rows.of(np.array([[[1, 0]] * 3] * 20 + [[[0, 1]] * 3] * 20), ("a", "b"))),
        (NDCG, Rows.of(np.ones((40, 2)))),
        (AUC, Rows.of(np.array([[1, 0.9]] * 20 + [[0, 0.1]] * 30))),
        (AUC, Rows.of(np.array([[1, 0.1]] * 20 + [[0, 0.9]] * 30))),
        (AP, Rows.of(np.array([[1, 0.9]] * 20 + [[0, 0.1]] * 30))),
        (ACCURACY, Rows.of(np.array([[1, 1]] * 30))),
    ],
)
@pytest.mark.parametrize("grouped", [False, True])
def test_at_a_limit_there_is_a_bound_and_it_is_never_the_value_alone(metric, rows, grouped):
    groups = np.arange(len(rows)) // 2 if grouped else None
    found = interval(metric, rows, groups)
    value = float(metric.value(rows))
    assert (found.low, found.high)[int(value)] == pytest.approx(value)
    assert 0.03 < found.high - found.low < (0.5 if grouped else 0.25)
    assert not found.reason


def test_undefined_and_hopeless_cases_have_reasons():
    nothing = interval(SPAN_F1, Rows.of(np.zeros((5, 3), dtype=np.int64)))
    assert np.isnan([nothing.low, nothing.high]).all()
    assert nothing.reason == SPAN_F1.undefined
    assert interval(SPAN_F1, Rows.of(np.array([[1, 2, 1]]))).reason == "one example alone shows no spread"
    assert interval(NDCG, Rows.of(np.array([[1, 2]])), np.array([0])).reason == "one group alone shows no spread"
    rare = Rows.of(np.array([[1, 2, 2]] + [[0, 0, 0]] * 99))
    assert interval(SPAN_F1, rare).reason.startswith("no resample of the 100 examples moves this value")
    one_positive = Rows.of(np.array([[1, 0.6], [0, 0.7], [0, 0.1], [0, 0.2]]))
    assert interval(AUC, one_positive).reason == "fewer than two examples of a class show no spread"
    tied = Rows.of(np.array([[1, 0.5]] * 5 + [[0, 0.5]] * 5))
    assert interval(AUC, tied).reason.startswith("no resample of the 10 examples moves this value")


def test_an_empty_test_set_is_undefined():
    empty = Rows.of(np.zeros((0, 2)))
    assert [found.reason for found in intervals([ACCURACY, AUC], empty)] == [ACCURACY.undefined, AUC.undefined]


def test_a_value_that_most_resamples_lack_has_no_interval():
    def needs_both(rows, counts):
        return np.where((counts > 0).all(axis=-1), counts[..., 0], np.nan)

    metric = Pooled("both", None, needs_both, "gold", "predicted", "both", "example")
    rows = Rows(np.arange(4)[:, None], np.arange(4))
    assert "undefined in 9" in interval(metric, rows).reason


def test_a_value_outside_its_resamples_has_no_interval():
    def distinct(rows, counts):
        return np.asarray((counts > 0).sum(axis=-1) / counts.sum(axis=-1), dtype=float)

    metric = Pooled("distinct", None, distinct, "gold", "predicted", "distinct", "example")
    found = interval(metric, Rows.of(np.arange(50.0)[:, None]))
    assert found.reason == "the value lies in the tail of its own bootstrap distribution, or outside it"


def test_a_metric_without_the_needed_ratio_is_an_error():
    _, rows, _ = drawn("macro-F1")
    with pytest.raises(MetricError, match="names no ratio"):
        interval(replace(MACRO_F1, interval="t"), rows)


def test_many_labels_are_summed_alike():
    rng = np.random.default_rng(0)
    gold, predicted = rng.integers(0, 120, 400), rng.integers(0, 120, 400)
    predicted = np.where(rng.random(400) < 0.8, gold, predicted)
    dense = np.zeros((400, 3, 120), dtype=np.int64)
    dense[np.arange(400), 1, gold] = 1
    dense[np.arange(400), 2, predicted] = 1
    dense[np.arange(400), 0, gold] = gold == predicted
    found = interval(MACRO_F1, Rows.of(dense, tuple(f"label {place:03}" for place in range(120))))
    assert found.low < float(MACRO_F1.value(Rows.of(dense))) < found.high


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30))
def test_bounds_or_a_reason_whatever_the_rows(counts):
    dense = np.array([(min(hit, gold, predicted), gold, predicted) for hit, gold, predicted in counts])
    for method in ("bca", "t", "wilson"):
        found = interval(replace(SPAN_F1, interval=method), Rows.of(dense), plan=Plan(resamples=200))
        if found.reason:
            assert np.isnan([found.low, found.high]).all()
        else:
            assert found.low < found.high
            assert method == "t" or (found.low >= -1e-12 and found.high <= 1 + 1e-12)


def test_bleu_bounds_move_with_their_brevity_penalty():
    metric, rows, _ = drawn("BLEU", 200)
    assert metric is BLEU
    found = interval(metric, rows)
    assert 0.02 < found.high - found.low < 0.2
