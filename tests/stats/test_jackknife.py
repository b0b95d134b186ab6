import numpy as np
import pytest
from populations import AP, BLEU, MACRO_F1, SPAN_F1, population

from truetune.stats.jackknife import influences, jackknife
from truetune.stats.sample import Sample

RNG = np.random.default_rng(0)


def loop(metric, rows, units):
    """Leave units out one by one, in the open."""
    everyone = np.arange(len(rows))
    return np.array([float(metric.value(rows.take(everyone[units != unit]))) for unit in np.unique(units)])


@pytest.mark.parametrize(("kind", "metric"), [("macro-F1", MACRO_F1), ("BLEU", BLEU), ("average precision", AP)])
@pytest.mark.parametrize("grouped", [False, True])
def test_equals_leaving_out_in_a_loop(kind, metric, grouped):
    source = population(kind, [0.0], np.random.default_rng(4), grouped=grouped)
    (rows,), groups = source.sample(12 if grouped else 60, np.random.default_rng(5))
    sample = Sample.of(rows, groups)
    left = loop(metric, rows, np.arange(len(rows)) if groups is None else groups)
    away = left.mean() - left
    found = jackknife([metric, metric], sample, np.array([float(metric.value(rows))] * 2), RNG)
    n = len(left)
    np.testing.assert_allclose(found.standard_error, np.sqrt((n - 1) / n * np.sum(away**2)), rtol=1e-9)
    np.testing.assert_allclose(found.acceleration, np.sum(away**3) / (6 * np.sum(away**2) ** 1.5), rtol=1e-7)
    np.testing.assert_allclose(influences(metric, sample), (n - 1) * (float(metric.value(rows)) - left), atol=1e-9)


def test_blocks_stand_for_units_of_a_pooled_metric():
    source = population("average precision", [0.0], np.random.default_rng(1), grouped=False)
    (rows,), _ = source.sample(2_100, np.random.default_rng(2))
    sample = Sample.of(rows, None)
    value = np.array([float(AP.value(rows))])
    blocks = jackknife([AP], sample, value, np.random.default_rng(0)).standard_error[0]
    left = loop(AP, rows, np.arange(len(rows)))
    exact = np.sqrt((len(left) - 1) / len(left) * np.sum((left - left.mean()) ** 2))
    assert blocks == pytest.approx(exact, rel=0.15)


def test_undefined_leave_outs_are_passed_over():
    source = population("span F1", [0.0], np.random.default_rng(1), grouped=False)
    rows = source.systems[0]
    useful = np.flatnonzero(rows.dense()[:, 1] > 0)[:1]
    empty = np.flatnonzero(rows.dense().sum(axis=1) == 0)[:3]
    sample = Sample.of(rows.take(np.r_[useful, empty]), None)
    found = jackknife([SPAN_F1], sample, SPAN_F1.value(sample.rows)[None], RNG)
    assert found.standard_error[0] == 0.0
    assert found.acceleration[0] == 0.0
    np.testing.assert_array_equal(influences(SPAN_F1, sample), 0.0)
