from dataclasses import replace

import numpy as np
import pytest
from populations import AUC, MACRO_F1, NDCG, SPAN_F1

from truetune.metric import PerLabel
from truetune.metrics.areas import AVERAGE_PRECISION
from truetune.rows import Rows
from truetune.stats.binomial import wilson
from truetune.stats.edge import edge_interval, effective_trials
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile
from truetune.stats.sample import Sample

PLAN, Z = Plan(), normal_quantile(0.975)


def right(counts):
    """Rows of (hit, gold, predicted) where every label is found `counts` times."""
    labels = len(counts)
    dense = np.zeros((sum(counts), 3, labels), dtype=np.int64)
    dense[np.arange(sum(counts)), :, np.repeat(np.arange(labels), counts)] = 1
    return Rows.of(dense, tuple("abcdefgh"[:labels]))


def test_trials_of_labels_are_the_harmonic_mean_times_their_number():
    assert effective_trials(MACRO_F1, Sample.of(right([50, 50]), None)) == pytest.approx(100)
    assert effective_trials(MACRO_F1, Sample.of(right([90, 10]), None)) == pytest.approx(4 / (1 / 90 + 1 / 10))


def test_trials_of_a_label_are_its_own():
    def f1(sums):
        return 2 * sums[..., 0, :] / (sums[..., 1, :] + sums[..., 2, :])

    sample = Sample.of(right([90, 10]), None)
    of_label = PerLabel("f1", None, f1, "gold", "predicted", "F1", "example").metrics(("a", "b"))
    assert [effective_trials(metric, sample) for metric in of_label] == [90, 10]


def test_trials_vary_the_mean_of_labels_as_much_as_one_share():
    # Each label's share of errors has variance q(1-q)/n_k; their mean's is that of one share of the trials.
    counts, q = np.array([90, 30, 10]), 0.1
    rng = np.random.default_rng(0)
    means = (rng.binomial(counts, q, (50_000, 3)) / counts).mean(axis=1)
    trials = effective_trials(MACRO_F1, Sample.of(right(list(counts)), None))
    assert np.var(means) == pytest.approx(q * (1 - q) / trials, rel=0.03)


def test_trials_of_a_ratio_are_units_in_its_denominator():
    rows = Rows.of(np.array([[2, 2, 2], [1, 1, 1], [0, 0, 0], [0, 0, 0], [3, 3, 3]]))
    assert effective_trials(SPAN_F1, Sample.of(rows, None)) == 3
    assert effective_trials(SPAN_F1, Sample.of(rows, np.array([0, 0, 1, 1, 0]))) == 1


def test_trials_of_an_area_are_its_smaller_class():
    rows = Rows.of(np.array([[1, 0.9]] * 6 + [[0, 0.1]] * 30))
    assert effective_trials(AUC, Sample.of(rows, None)) == 6
    assert effective_trials(AUC, Sample.of(rows, np.repeat(np.arange(18), 2))) == 3


def test_trials_of_average_precision_are_its_positives():
    """Three positives, all first, are three trials, however many negatives stand below."""
    rows = Rows.of(np.array([[1, 0.9]] * 3 + [[0, 0.1]] * 97))
    assert effective_trials(AVERAGE_PRECISION, Sample.of(rows, None)) == 3
    assert effective_trials(AVERAGE_PRECISION, Sample.of(rows, np.repeat(np.arange(50), 2))) == 2
    by_label = np.zeros((100, 2, 2))
    by_label[:3, 1, 0], by_label[:6, 1, 1] = 1, 1
    assert effective_trials(AVERAGE_PRECISION, Sample.of(Rows.of(by_label, ("a", "b")), None)) == pytest.approx(8)


def test_bounds_lie_within_the_stated_limits():
    sample = Sample.of(right([30, 30]), None)
    low, high = wilson(60, 60, Z)
    plain = edge_interval(MACRO_F1, 1.0, sample, PLAN)
    assert (plain.low, plain.high) == (pytest.approx(low), pytest.approx(high))
    wide = edge_interval(replace(MACRO_F1, limits=(-1.0, 1.0)), 1.0, sample, PLAN)
    assert (wide.low, wide.high) == (pytest.approx(2 * low - 1), pytest.approx(1.0))
    percent = edge_interval(replace(MACRO_F1, limits=(0.0, 100.0)), 100.0, sample, PLAN)
    assert percent.low == pytest.approx(100 * low)
    nothing = edge_interval(MACRO_F1, 0.0, sample, PLAN)
    assert (nothing.low, nothing.high) == (pytest.approx(0.0), pytest.approx(1 - low))
    assert "60 effective trials" in plain.method


@pytest.mark.parametrize(
    ("metric", "value"),
    [
        (NDCG, 0.4),
        (replace(NDCG, better="lower"), 0.0),
        (replace(NDCG, better="lower"), 1.0),
        (replace(NDCG, limits=(0.0, np.inf)), 0.0),
    ],
)
def test_no_bound_where_the_range_does_not_say_how_far_errors_go(metric, value):
    rows = Rows.of(np.stack([np.full(20, value), np.ones(20)], axis=1))
    found = edge_interval(metric, value, Sample.of(rows, None), PLAN)
    assert np.isnan([found.low, found.high]).all()
    assert found.reason == "all 20 examples contribute alike: they show no spread to build bounds from"


def test_examples_are_called_alike_only_where_they_are():
    half = np.array([[1, 2]] * 20)
    assert "all 20 examples contribute alike" in edge_interval(NDCG, 0.5, Sample.of(Rows.of(half), None), PLAN).reason
    unlike = np.concatenate([half, np.zeros((5, 2), dtype=np.int64)])
    found = edge_interval(NDCG, 0.5, Sample.of(Rows.of(unlike), None), PLAN)
    assert found.reason == "no resample of the 25 examples moves this value: it shows no spread to build bounds from"
    # Groups are the units: of unlike examples, but each holds one of both kinds.
    pairs = Rows.of(np.array([[1, 2], [0, 0]] * 10))
    grouped = edge_interval(NDCG, 0.5, Sample.of(pairs, np.repeat(np.arange(10), 2)), PLAN)
    assert "all 10 groups contribute alike" in grouped.reason
