from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from populations import ACCURACY, AP, AUC, MACRO_F1, NDCG, SPAN_F1, population
from scipy import stats
from statsmodels.stats.contingency_tables import mcnemar

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.binomial import paired_difference
from truetune.stats.paired import paired
from truetune.stats.plan import Plan

PLAN = Plan(resamples=2_000)
ALL = ("accuracy", "macro-F1", "span F1", "BLEU", "nDCG", "AUC", "average precision")


def compare(metric, first, second, groups=None, plan=PLAN):
    return paired([metric], first, second, groups=groups, plan=plan)[0]


def drawn(kind, units=120, *, grouped=False, ease=0.4):
    source = population(kind, [0.0, ease], np.random.default_rng(1), grouped=grouped)
    (first, second), groups = source.sample(units, np.random.default_rng(2))
    return source.metric, first, second, groups


def answers(right):
    return Rows.of(np.stack([right, np.ones(len(right))], axis=1).astype(np.int64))


def test_right_and_wrong_by_mcnemar_and_tango():
    first, second = np.zeros(100, dtype=bool), np.zeros(100, dtype=bool)
    first[:70] = second[10:82] = True  # 12 gained, 10 lost
    found = compare(ACCURACY, answers(first), answers(second))
    assert (found.gained, found.lost) == (12, 10)
    assert found.difference == pytest.approx(0.02)
    exact = mcnemar([[60, 12], [10, 18]], exact=True).pvalue
    assert found.p_value == pytest.approx(exact - stats.binom.pmf(10, 22, 0.5))
    np.testing.assert_allclose((found.low, found.high), paired_difference(12, 10, 100, stats.norm.ppf(0.975)))
    assert found.detectable == pytest.approx(2.80158 * np.sqrt(22 - 4 / 100) / 100, rel=1e-4)
    assert found.method == "exact McNemar test (mid-p); Tango score interval"


def test_lower_is_better_turns_gained_and_lost_but_not_the_difference():
    _, first, second, _ = drawn("accuracy")
    higher = compare(ACCURACY, first, second)
    lower = compare(replace(ACCURACY, better="lower"), first, second)
    assert (lower.gained, lower.lost) == (higher.lost, higher.gained)
    assert replace(lower, gained=higher.gained, lost=higher.lost) == higher


def test_a_share_on_another_scale_is_not_taken_for_flips():
    percent = replace(
        ACCURACY,
        formula=lambda sums: 100 * sums[..., 0] / sums[..., 1],
        ratio=lambda sums: (100 * sums[..., 0], sums[..., 1]),
    )
    _, first, second, _ = drawn("accuracy")
    found = compare(percent, first, second)
    assert found.difference == pytest.approx(100 * compare(ACCURACY, first, second).difference)
    assert found.low < found.difference < found.high
    assert "randomisation" in found.method


def test_grouped_answers_are_swapped_by_group():
    _, first, second, groups = drawn("accuracy", 40, grouped=True)
    found = compare(ACCURACY, first, second, groups)
    alone = compare(ACCURACY, first, second)
    assert found.method.startswith("paired randomisation test of 40 groups, 2,000 resamples, seed 0; t interval")
    assert (found.gained, found.lost) == (alone.gained, alone.lost)
    assert found.high - found.low > alone.high - alone.low


def test_doubled_examples_in_groups_weigh_once():
    _, first, second, _ = drawn("nDCG", 60)
    twice = np.repeat(np.arange(60), 2)
    alone, grouped = compare(NDCG, first, second), compare(NDCG, first.take(twice), second.take(twice), twice)
    assert (grouped.low, grouped.high) == (pytest.approx(alone.low), pytest.approx(alone.high))
    assert grouped.p_value == pytest.approx(alone.p_value, abs=0.02)


def test_means_by_the_paired_t_interval():
    _, first, second, _ = drawn("nDCG", 50)
    gaps = second.dense()[:, 0] - first.dense()[:, 0]
    found = compare(NDCG, first, second)
    expected = stats.t.interval(0.95, 49, loc=gaps.mean(), scale=stats.sem(gaps))
    np.testing.assert_allclose((found.low, found.high), expected, rtol=1e-9)
    test = stats.ttest_rel(second.dense()[:, 0], first.dense()[:, 0])
    assert found.p_value == pytest.approx(test.pvalue, abs=0.02)
    t = stats.t(49)
    assert found.detectable == pytest.approx((t.ppf(0.975) + t.ppf(0.8)) * stats.sem(gaps))


def test_auc_by_delong_in_the_open():
    _, first, second, _ = drawn("AUC", 150)
    positive = first.dense()[:, 0] == 1
    parts = []
    for rows in (first, second):
        score = rows.dense()[:, 1]
        wins = (score[positive][:, None] > score[~positive]) + (score[positive][:, None] == score[~positive]) / 2
        parts.append((wins.mean(axis=1), wins.mean(axis=0), wins.mean()))
    above = np.cov(parts[0][0], parts[1][0]) / positive.sum()
    below = np.cov(parts[0][1], parts[1][1]) / (~positive).sum()
    cov = above + below
    error = np.sqrt(cov[0, 0] + cov[1, 1] - 2 * cov[0, 1])
    found = compare(AUC, first, second)
    assert found.difference == pytest.approx(parts[1][2] - parts[0][2])
    assert found.p_value == pytest.approx(2 * stats.norm.sf(abs(found.difference) / error))
    assert found.high - found.difference == pytest.approx(1.959964 * error, rel=1e-6)


def test_auc_needs_the_same_gold():
    _, first, second, _ = drawn("AUC")
    other = Rows(second.table * [0, 1] + [1, 0] * (second.table[:, :1] == 0), second.index)
    with pytest.raises(MetricError, match="different gold"):
        compare(AUC, first, other)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("grouped", [False, True])
def test_every_metric_compares(kind, grouped):
    metric, first, second, groups = drawn(kind, grouped=grouped)
    found = compare(metric, first, second, groups)
    assert found.difference == pytest.approx(float(metric.value(second)) - float(metric.value(first)))
    assert found.low < found.difference < found.high
    assert 0 < found.p_value <= 1
    assert found.detectable == pytest.approx(1.43 * (found.high - found.low) / 2, rel=0.25)
    assert not found.reason
    back = compare(metric, second, first, groups)
    assert back.difference == pytest.approx(-found.difference)
    assert back.p_value == pytest.approx(found.p_value, abs=0.03)
    assert back.low == pytest.approx(-found.high, abs=0.15 * (found.high - found.low))
    assert (back.gained, back.lost) == (found.lost, found.gained)


@pytest.mark.parametrize("kind", ALL)
@pytest.mark.parametrize("grouped", [False, True])
def test_identical_systems_show_nothing_but_may_differ_elsewhere(kind, grouped):
    metric, first, _, groups = drawn(kind, grouped=grouped)
    found = compare(metric, first, first, groups)
    assert (found.difference, found.p_value) == (0.0, 1.0)
    assert found.low == pytest.approx(-found.high)
    assert 0.001 < found.high < 0.2
    assert 0.001 < found.detectable < 0.3
    assert not found.reason


def test_rows_collapsed_or_not_and_order_give_the_same():
    _, first, second, _ = drawn("macro-F1")
    loose = [Rows(rows.dense(), np.arange(len(rows)), rows.labels) for rows in (first, second)]
    order = np.random.default_rng(0).permutation(len(first))
    found = compare(MACRO_F1, first, second)
    assert compare(MACRO_F1, first.take(order), second.take(order)) == found
    assert compare(MACRO_F1, *loose).p_value == pytest.approx(found.p_value, abs=0.03)


def test_systems_that_name_other_labels_are_compared_over_all():
    hit_a, hit_b = [[1, 0], [1, 0], [1, 0]], [[0, 1], [0, 1], [0, 1]]
    a_for_c = [[0, 0], [1, 0], [0, 1]]
    first = Rows.of(np.array([hit_a] * 20 + [hit_b] * 20), ("a", "b"))
    second_a = Rows.of(np.array([hit_a] * 15 + [a_for_c] * 5 + [[[0, 0], [0, 0], [0, 0]]] * 20), ("a", "c"))
    second = Rows(second_a.with_labels(("a", "b", "c")).dense(), np.arange(40), ("a", "b", "c"))
    second.table[20:, :, 1] = 1
    found = compare(MACRO_F1, first, second)
    assert found.difference == pytest.approx((2 * 15 / 35 + 1 + 0) / 3 - 1)
    assert found.low < found.difference < found.high


def test_metrics_of_one_call_are_those_of_single_calls():
    _, first, second, _ = drawn("span F1")
    asked = (SPAN_F1, replace(SPAN_F1, interval="t"), ACCURACY)
    together = paired(asked, first, second, plan=PLAN)
    for metric, found in zip(asked, together, strict=True):
        assert compare(metric, first, second) == found


def test_a_metric_without_interval_has_a_p_value_all_the_same():
    _, first, second, _ = drawn("span F1")
    found = compare(replace(SPAN_F1, interval="none"), first, second)
    assert np.isnan([found.low, found.high]).all()
    assert found.p_value == compare(SPAN_F1, first, second).p_value
    assert found.detectable == pytest.approx(compare(SPAN_F1, first, second).detectable, rel=0.15)
    assert found.reason == "no interval of span F1 is known to cover"


def test_undefined_values_have_reasons():
    empty = Rows.of(np.zeros((10, 3), dtype=np.int64))
    full = Rows.of(np.ones((10, 3), dtype=np.int64))
    found = compare(SPAN_F1, empty, full)
    assert np.isnan([found.difference, found.low, found.p_value]).all()
    assert found.reason == f"first system: {SPAN_F1.undefined}"
    assert compare(SPAN_F1, empty, empty).reason.startswith("first and second system")
    nothing = Rows.of(np.zeros((0, 2)))
    assert compare(AUC, nothing, nothing).reason.startswith("first and second system")


def test_one_example_or_group_shows_no_spread():
    first, second = Rows.of(np.array([[1, 2, 3]])), Rows.of(np.array([[2, 2, 3]]))
    found = compare(SPAN_F1, first, second)
    assert found.p_value == 1.0
    assert np.isnan([found.low, found.high, found.detectable]).all()
    assert found.reason == "one example alone shows no spread"


def test_a_change_that_all_examples_share_has_no_bounds():
    first, second = Rows.of(np.array([[0.2, 1.0]] * 30)), Rows.of(np.array([[0.4, 1.0]] * 30))
    found = compare(NDCG, first, second)
    assert found.p_value == pytest.approx(1 / 2001)
    assert np.isnan(found.low)
    assert found.reason == "no example differs from the others in its change"


def test_an_area_without_spread_is_tested_by_swapping():
    gold = np.repeat([1.0, 0.0], 20)
    best = Rows.of(np.stack([gold, gold], axis=1))
    worst = Rows.of(np.stack([gold, 1 - gold], axis=1))
    found = compare(AUC, worst, best)
    assert found.difference == 1.0
    assert found.p_value < 0.01
    assert "randomisation" in found.method
    assert found.reason


def test_average_precision_does_not_depend_on_the_scale_of_scores():
    _, first, second, _ = drawn("average precision")
    stretched = Rows(second.table * [1, 100], second.index)
    assert compare(AP, first, stretched).p_value == compare(AP, first, second).p_value


def test_plan_is_printed_and_obeyed():
    _, first, second, _ = drawn("macro-F1")
    found = compare(MACRO_F1, first, second, plan=Plan(resamples=500, seed=9))
    assert found.method == "paired randomisation test, 500 resamples, seed 9; BCa bootstrap interval"
    assert found == compare(MACRO_F1, first, second, plan=Plan(resamples=500, seed=9))
    assert found != compare(MACRO_F1, first, second, plan=Plan(resamples=500, seed=8))
    assert found.p_value >= 1 / 501


rows_pairs = st.lists(st.tuples(*[st.integers(0, 2)] * 6), min_size=1, max_size=25)


@settings(max_examples=60, deadline=None)
@given(rows_pairs)
def test_numbers_or_a_reason_whatever_the_rows(counts):
    table = np.array(counts)
    first, second = Rows.of(table[:, :3]), Rows.of(table[:, 3:])
    for method in ("bca", "t", "wilson", "none"):
        found = compare(replace(SPAN_F1, interval=method), first, second, plan=Plan(resamples=200))
        if found.reason:
            assert np.isnan([found.low, found.high]).all()
        else:
            assert found.low < found.high
        assert np.isnan(found.difference) or 0 < found.p_value <= 1
