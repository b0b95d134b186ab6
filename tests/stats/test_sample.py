import numpy as np
import pytest
from scipy import stats

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.stats import sample as module
from truetune.stats.sample import Sample

ROWS = Rows(np.array([[1, 1], [0, 1], [7, 7]]), np.array([0, 0, 1, 0, 1]))


def test_unused_rows_are_dropped_and_groups_numbered_without_gaps():
    sample = Sample.of(ROWS, np.array([4, 4, 9, 9, 2]))
    assert len(sample.rows.table) == 2
    assert sample.groups.tolist() == [1, 1, 2, 2, 0]
    assert sample.size == 3
    assert sorted(map(tuple, sample.units.dense().tolist())) == [(0, 1), (1, 2), (2, 2)]


def test_groups_must_be_one_an_example():
    with pytest.raises(MetricError, match="3 groups were given for 5 examples"):
        Sample.of(ROWS, np.array([0, 1, 2]))


def test_members_count_rows_by_unit():
    alone = Sample.of(ROWS, None).members()
    assert alone.counts.toarray().tolist() == [[1, 0], [0, 1]]
    assert alone.weights.tolist() == [3, 2]
    grouped = Sample.of(ROWS, np.array([0, 0, 0, 1, 1])).members()
    assert grouped.counts.toarray().tolist() == [[2, 1], [1, 1]]


def test_blocks_hold_every_example_once(monkeypatch):
    monkeypatch.setattr(module, "MOST_LEFT_OUT", 10)
    monkeypatch.setattr(module, "BLOCKS", 4)
    rows = Rows.of(np.arange(30.0)[:, None])
    counts = Sample.of(rows, None).members(np.random.default_rng(0)).counts.toarray()
    assert counts.shape == (4, 30)
    assert (counts.sum(axis=0) == 1).all()
    assert sorted(counts.sum(axis=1)) == [7, 7, 8, 8]


def test_reach_grows_as_units_get_few():
    few, many = Sample.of(Rows.of(np.arange(5.0)[:, None]), None), Sample.of(Rows.of(np.arange(9999.0)[:, None]), None)
    assert few.bootstrap_reach(0.975) == pytest.approx(stats.t.ppf(0.975, 4) * np.sqrt(5 / 4))
    assert many.bootstrap_reach(0.975) == pytest.approx(1.96, abs=1e-3)
