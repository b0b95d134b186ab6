import numpy as np
import pytest
from populations import AUC, BLEU, MACRO_F1, population
from scipy import stats

from truetune.stats import resampling
from truetune.stats.intervals import intervals
from truetune.stats.paired import paired
from truetune.stats.plan import Plan
from truetune.stats.resampling import chunks, drawn, resampled_values, summing
from truetune.stats.sample import Sample

RNG = np.random.default_rng(0)


def all_drawn(weights, resamples, width=1):
    parts = list(drawn(np.array(weights), resamples, width, np.random.default_rng(0)))
    assert [part.start for part, _ in parts] == [0, *[part.stop for part, _ in parts[:-1]]]
    return np.concatenate([counts for _, counts in parts])


@pytest.mark.parametrize("weights", [[90, 60, 50], [1] * 30, [3, 2, 1, 1]])
def test_both_ways_of_drawing_are_the_bootstrap(weights):
    counts = all_drawn(weights, 20_000)
    n, p = sum(weights), np.array(weights) / sum(weights)
    assert (counts.sum(axis=1) == n).all()
    np.testing.assert_allclose(counts.mean(axis=0), weights, atol=5 * np.sqrt(n * 0.25 / 20_000))
    np.testing.assert_allclose(counts.var(axis=0), n * p * (1 - p), rtol=0.08)
    assert np.corrcoef(counts[:, 0], counts[:, 1])[0, 1] == pytest.approx(
        -np.sqrt(p[0] * p[1] / ((1 - p[0]) * (1 - p[1]))), abs=0.03
    )


def test_chunks_bound_memory_and_change_nothing(monkeypatch):
    whole = all_drawn([500, 300], 300), all_drawn([1] * 50, 300)
    monkeypatch.setattr(resampling, "CELLS", 1_000)
    assert max(part.stop - part.start for part in chunks(300, 50)) == 20
    np.testing.assert_array_equal(all_drawn([500, 300], 300), whole[0])
    np.testing.assert_array_equal(all_drawn([1] * 50, 300), whole[1])


def test_sparse_sums_are_dense_sums():
    rng = np.random.default_rng(0)
    table = np.zeros((200, 3, 100), dtype=np.int64)
    for statistic in range(3):
        table[np.arange(200), statistic, rng.integers(0, 100, 200)] = 1
    counts = rng.integers(0, 5, (7, 200)).astype(float)
    np.testing.assert_array_equal(summing(table)(counts), np.einsum("bd,dsl->bsl", counts, table))


@pytest.mark.parametrize(("kind", "metric"), [("macro-F1", MACRO_F1), ("BLEU", BLEU), ("AUC", AUC)])
@pytest.mark.parametrize("grouped", [False, True])
def test_values_are_distributed_like_those_of_a_plain_loop(kind, metric, grouped):
    source = population(kind, [0.0], np.random.default_rng(1), grouped=grouped)
    (rows,), groups = source.sample(25 if grouped else 150, np.random.default_rng(2))
    ours = resampled_values([metric], Sample.of(rows, groups), 1_500, np.random.default_rng(3))[0]
    rng = np.random.default_rng(4)
    loop = []
    for _ in range(1_500):
        if groups is None:
            chosen = rng.integers(0, len(rows), len(rows))
        else:
            chosen = np.concatenate([np.flatnonzero(groups == g) for g in rng.integers(0, 25, 25)])
        loop.append(float(metric.value(rows.take(chosen))))
    assert stats.ks_2samp(ours, loop).pvalue > 0.001


def test_metrics_share_their_draws():
    source = population("macro-F1", [0.0], np.random.default_rng(1), grouped=False)
    (rows,), _ = source.sample(100, np.random.default_rng(2))
    one, other = resampled_values([MACRO_F1, MACRO_F1], Sample.of(rows, None), 200, np.random.default_rng(3))
    np.testing.assert_array_equal(one, other)


def test_pooled_metrics_of_many_examples_get_fewer_resamples_and_say_so(monkeypatch):
    monkeypatch.setattr(resampling, "POOLED_WORK", 150 * 300)
    monkeypatch.setattr(resampling, "POOLED_LEAST", 200)
    source = population("average precision", [0.0, 0.1], np.random.default_rng(1), grouped=False)
    (first, second), _ = source.sample(150, np.random.default_rng(2))
    assert [len(one) for one in resampled_values([AUC], Sample.of(first, None), 1_000, RNG)] == [300]
    assert intervals([source.metric], first, plan=Plan(resamples=1_000))[0].method.endswith("300 resamples, seed 0")
    (found,) = paired([source.metric], first, second, plan=Plan(resamples=1_000))
    assert "300 resamples" in found.method
    assert found.p_value >= 1 / 301
    monkeypatch.setattr(resampling, "POOLED_WORK", 0)
    assert resampling.resamples_of([AUC, BLEU], Sample.of(first, None), 1_000) == [200, 1_000]
