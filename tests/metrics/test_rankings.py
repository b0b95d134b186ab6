import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.metrics.areas import of_binary, precision_area, roc_area
from truetune.metrics.rankings import rankings

cases = st.integers(1, 25).flatmap(
    lambda n: st.tuples(
        st.lists(st.integers(0, 2), min_size=n, max_size=n),
        st.lists(st.lists(st.integers(0, 5), min_size=3, max_size=3), min_size=n, max_size=n),
        st.lists(st.lists(st.integers(0, 3), min_size=n, max_size=n), min_size=1, max_size=4),
    )
)


@pytest.mark.parametrize("area", [roc_area, precision_area])
@given(cases)
def test_labels_together_are_as_labels_alone(area, case):
    gold, scores, counts = (np.array(part, dtype=float) for part in case)
    table = np.stack([scores, gold[:, None] == np.arange(3)], axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        together = iter([area(ranked) for ranked in rankings(table, counts)])
        for label in range(3):
            if (gold == label).any():
                alone = of_binary(area, (gold == label).astype(float), scores[:, label], counts)
                np.testing.assert_allclose(next(together), alone, atol=1e-12)
    assert next(together, None) is None


def test_by_hand():
    table = np.array([[[0.2], [0.0]], [[0.5], [1.0]], [[0.5], [0.0]], [[0.9], [1.0]], [[0.7], [0.0]]])
    (found,) = rankings(table, np.array([[1.0, 1.0, 1.0, 1.0, 1.0], [2.0, 1.0, 0.0, 3.0, 1.0]]))
    np.testing.assert_array_equal(found.positives, [[1, 1], [1, 3]])
    np.testing.assert_array_equal(found.tied, [[1, 0], [0, 0]])
    np.testing.assert_array_equal(found.below, [[1, 3], [2, 3]])
    np.testing.assert_array_equal(found.negatives, [3, 3])
