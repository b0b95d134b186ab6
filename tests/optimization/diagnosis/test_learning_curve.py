"""The power law through scores of growing sizes: found where it is, and as sure as it says."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.optimization.diagnosis.learning_curve import Law, gains, law_of

SIZES = np.array([50.0, 100.0, 200.0, 400.0, 800.0])


@pytest.mark.parametrize("law", [Law(0.9, 2.0, 0.5), Law(0.8, 3.0, 0.8), Law(0.95, 0.6, 0.2), Law(0.7, 0.0, 0.1)])
def test_a_law_without_noise_is_found(law: Law) -> None:
    scores = np.array([law.at(size) for size in SIZES])
    found = law_of(SIZES, scores)
    assert found.at(1600) == pytest.approx(law.at(1600), abs=1e-9)


def test_a_score_cannot_pass_its_limit_nor_fall() -> None:
    nearly = law_of(SIZES, np.array([0.80, 0.88, 0.93, 0.97, 1.0]), most=1.0)
    assert nearly.a <= 1.0
    falling = law_of(SIZES, np.array([0.9, 0.89, 0.88, 0.87, 0.86]))
    assert falling.at(1600) == pytest.approx(falling.at(800))


def test_by_hand() -> None:
    # 0.9 - 2 / sqrt(n): 0.9 - 0.0707 = 0.8293 at 800, 0.85 at 1,600.
    law = Law(0.9, 2.0, 0.5)
    drawn = np.tile([law.at(size) for size in SIZES], (3, 1))
    (more,) = gains([50, 100, 200, 400, 800], drawn, [800], 0.95)
    assert more.value == pytest.approx(2 / np.sqrt(800) - 2 / np.sqrt(1600))
    assert more.low == pytest.approx(more.value) == more.high
    assert more.times(0.5).value == pytest.approx(more.value / 2)


def test_scores_that_no_law_fits_leave_little_sure() -> None:
    scores = np.array([0.5, 0.58, 0.6, 0.56, 0.93])
    (more,) = gains([12, 25, 51, 102, 204], np.tile(scores, (201, 1)), [204], 0.95)
    assert more.high - more.low > 0.05
    assert more.low < 0.01


@pytest.mark.parametrize("law", [Law(0.9, 2.0, 0.5), Law(0.85, 1.0, 0.3)])
def test_the_interval_of_what_more_labels_bring_holds_the_truth(law: Law) -> None:
    rng = np.random.default_rng(4)
    true = law.at(1600) - law.at(800)
    scores = np.array([law.at(size) for size in SIZES])
    error = 0.008
    held = 0
    for _ in range(60):
        observed = scores + rng.normal(0, error, len(SIZES))
        drawn = np.vstack([observed, observed + rng.normal(0, error, (60, len(SIZES)))])
        (more,) = gains(SIZES.astype(int).tolist(), drawn, [800], 0.95)
        held += more.low <= true <= more.high
    assert held >= 50  # 57 are expected of an interval that covers as it says
