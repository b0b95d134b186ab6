import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.metrics.calibration import METRICS
from truetune.rows import Rows

cases = st.integers(1, 40).flatmap(
    lambda n: st.tuples(
        st.lists(st.tuples(st.integers(0, 1), st.integers(0, 20)), min_size=n, max_size=n),
        st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=1, max_size=4),
    )
)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
@given(cases)
def test_many_draws_together_are_as_each_alone(metric, case):
    table, counts = np.array(case[0], dtype=float) * [1, 0.05], np.array(case[1])
    rows = Rows(table, np.arange(len(table)))
    alone = [float(metric.value(rows, each)) for each in counts]
    assert metric.value(rows, counts) == pytest.approx(alone, rel=1e-7, abs=1e-12, nan_ok=True)
