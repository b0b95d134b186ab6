import numpy as np
import pytest
from populations import ACCURACY, AP, MACRO_F1, population
from scipy import stats

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats.seeds import across_seeds, seeds_difference


def runs_of(rng, runs, examples, seed_spread=0.0, lift=0.0, hard=None):
    hard = rng.normal(size=examples) if hard is None else hard
    made = []
    for _ in range(runs):
        chance = 1 / (1 + np.exp(-(1.2 + lift + 1.2 * hard + seed_spread * rng.normal())))
        made.append(Rows.of(np.stack([rng.random(examples) < chance, np.ones(examples)], axis=1).astype(np.int64)))
    return made


def test_components_are_those_of_the_two_way_layout():
    runs = runs_of(np.random.default_rng(0), 4, 300, 0.4)
    table = np.array([run.dense()[:, 0] for run in runs], dtype=float)
    found = across_seeds(ACCURACY, runs)
    grand, by_run, by_example = table.mean(), table.mean(axis=1), table.mean(axis=0)
    seeds = 300 * np.sum((by_run - grand) ** 2) / 3
    examples = 4 * np.sum((by_example - grand) ** 2) / 299
    rest = np.sum((table - by_run[:, None] - by_example + grand) ** 2) / (3 * 299)
    variance = (seeds + examples - rest) / 1200
    degrees = variance**2 / (((seeds / 1200) ** 2) / 3 + (examples / 1200) ** 2 / 299 + (rest / 1200) ** 2 / 897)
    assert seeds > rest
    assert found.value == pytest.approx(grand)
    assert found.degrees == pytest.approx(degrees)
    assert found.high - found.value == pytest.approx(stats.t.ppf(0.975, degrees) * np.sqrt(variance))
    assert found.seed_deviation == pytest.approx(np.sqrt((seeds - rest) / 300))
    assert found.example_error == pytest.approx(np.sqrt(examples / 1200))
    assert np.isnan(found.p_value)


def test_runs_that_differ_widen_the_interval_and_equal_runs_do_not():
    rng = np.random.default_rng(1)
    (run,) = runs_of(rng, 1, 500)
    same = across_seeds(ACCURACY, [run, run, run])
    apart = across_seeds(ACCURACY, runs_of(rng, 3, 500, 0.8))
    values = run.dense()[:, 0]
    assert same.seed_deviation == 0.0
    assert same.high - same.low == pytest.approx(np.ptp(stats.t.interval(0.95, 499, scale=stats.sem(values))), rel=1e-6)
    assert apart.high - apart.low > 3 * (same.high - same.low)


def test_any_metric_and_groups():
    for kind, metric in (("macro-F1", MACRO_F1), ("average precision", AP)):
        source = population(kind, [0.0, 0.0, 0.0], np.random.default_rng(2), grouped=True)
        runs, groups = source.sample(60, np.random.default_rng(3))
        found = across_seeds(metric, runs, groups=groups)
        assert found.value == pytest.approx(np.mean([float(metric.value(run)) for run in runs]))
        assert found.low < found.value < found.high
        assert "60 units" in found.method


def test_large_pooled_metrics_go_by_blocks():
    source = population("average precision", [0.0, 0.0], np.random.default_rng(2), grouped=False)
    runs, _ = source.sample(3_000, np.random.default_rng(3))
    assert "400 units" in across_seeds(AP, runs).method


def test_difference_of_recipes():
    rng = np.random.default_rng(4)
    hard = rng.normal(size=800)
    weak, strong = runs_of(rng, 3, 800, 0.05, 0.0, hard), runs_of(rng, 4, 800, 0.05, 0.6, hard)
    found = seeds_difference(ACCURACY, weak, strong)
    assert found.value == pytest.approx(
        np.mean([float(ACCURACY.value(run)) for run in strong]) - np.mean([float(ACCURACY.value(run)) for run in weak])
    )
    assert found.p_value < 0.01
    assert found.low > 0
    back = seeds_difference(ACCURACY, strong, weak)
    assert (back.value, back.p_value) == (pytest.approx(-found.value), pytest.approx(found.p_value))
    same = seeds_difference(ACCURACY, [weak[0]] * 2, [weak[0]] * 2)
    assert (same.value, same.p_value) == (0.0, 1.0)


def test_one_run_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(MetricError, match="at least two"):
        across_seeds(ACCURACY, runs_of(rng, 1, 10))
    with pytest.raises(MetricError, match="expected the same"):
        across_seeds(ACCURACY, runs_of(rng, 1, 10) + runs_of(rng, 1, 11))


def coverage(runs, examples, spread, repetitions, rng):
    everyone = rng.normal(size=400_000)
    chance = 1 / (1 + np.exp(-(1.2 + 1.2 * everyone + spread * rng.normal(size=400_000))))
    truth, inside, false = chance.mean(), 0, 0
    for _ in range(repetitions):
        hard = rng.normal(size=examples)
        first, second = (runs_of(rng, runs, examples, spread, hard=hard) for _ in range(2))
        found = across_seeds(ACCURACY, first)
        inside += found.low <= truth <= found.high
        false += seeds_difference(ACCURACY, first, second).p_value <= 0.05
    return inside / repetitions, false / repetitions


def test_covers_further_runs_with_three_seeds():
    inside, false = coverage(3, 300, 0.2, 400, np.random.default_rng(5))
    assert inside > 0.91  # a plain seed x example bootstrap covers .73
    assert false < 0.075


@pytest.mark.slow
@pytest.mark.parametrize(("runs", "spread"), [(3, 0.05), (3, 0.2), (5, 0.2), (10, 0.3)])
def test_covers_further_runs(runs, spread):
    inside, false = coverage(runs, 500, spread, 2_000, np.random.default_rng(6))
    assert 0.925 <= inside <= 0.985
    assert false <= 0.06
