from __future__ import annotations

import numpy as np
import pytest

from truetune.reports.plots.learning import DRAWN, smoothed, thinned


def test_smoothing_keeps_a_constant_and_corrects_its_start() -> None:
    np.testing.assert_allclose(smoothed(np.full(50, 0.7)), 0.7)
    assert smoothed(np.array([1.0, 0.0]))[0] == 1.0


def test_many_steps_are_drawn_as_means_of_equal_parts() -> None:
    steps = np.arange(10_000, dtype=np.float64)
    few, values = thinned(steps, 2 * steps)
    assert len(few) == DRAWN
    np.testing.assert_allclose(values, 2 * few)
    assert few.mean() == pytest.approx(steps.mean())
    assert thinned(steps[:DRAWN], steps[:DRAWN])[0] is not None
    np.testing.assert_array_equal(thinned(steps[:7], steps[:7])[0], steps[:7])
