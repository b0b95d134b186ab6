import numpy as np
import pytest
from scipy import stats

from truetune.errors import MetricError
from truetune.stats.crossvalidation import cross_validated, split_repeatedly


def test_by_hand():
    # 2 x 5 folds, mean 0.05, variance s2: error sqrt((1/10 + 1/4) * s2), 9 degrees of freedom.
    scores = np.array([0.02, 0.04, 0.06, 0.08, 0.05, 0.03, 0.07, 0.05, 0.06, 0.04])
    found = cross_validated(scores, folds=5)
    error = np.sqrt((0.1 + 0.25) * scores.var(ddof=1))
    assert found.value == pytest.approx(0.05)
    assert found.low == pytest.approx(0.05 - stats.t.ppf(0.975, 9) * error)
    assert found.high == pytest.approx(0.05 + stats.t.ppf(0.975, 9) * error)
    assert found.p_value == pytest.approx(2 * stats.t.sf(0.05 / error, 9))
    assert found.method == "corrected 2 x 5-fold t, 9 degrees of freedom"


def test_random_splits_that_test_a_fifth_are_as_sure_as_five_folds():
    scores = [0.02, 0.04, 0.06, 0.08, 0.05]
    folds, splits = cross_validated(scores, folds=5), split_repeatedly(scores, test_share=0.2)
    assert (splits.value, splits.p_value) == (folds.value, pytest.approx(folds.p_value))
    assert (splits.low, splits.high) == pytest.approx((folds.low, folds.high))
    assert splits.method == "corrected t of 5 splits, 0.2 tested, 4 degrees of freedom"
    wider = split_repeatedly(scores, test_share=0.5)
    assert wider.high - wider.low > splits.high - splits.low
    for share in (0, 1, -0.1):
        with pytest.raises(MetricError, match="test_share"):
            split_repeatedly(scores, test_share=share)
    with pytest.raises(MetricError, match="two or more"):
        split_repeatedly([0.1], test_share=0.2)


def test_no_spread_and_undefined_folds_have_reasons():
    equal = cross_validated([0.9] * 5, folds=5)
    assert equal.value == pytest.approx(0.9)
    assert np.isnan(equal.low)
    assert "alike" in equal.reason
    assert cross_validated([0.0] * 5, folds=5).p_value == 1.0
    assert "undefined" in cross_validated([0.9, float("nan")], folds=2).reason


@pytest.mark.parametrize(("scores", "folds"), [([0.1] * 7, 5), ([], 5), ([0.1, 0.2], 1)])
def test_scores_must_fill_the_folds(scores, folds):
    with pytest.raises(MetricError, match="expected a multiple"):
        cross_validated(scores, folds=folds)


def test_two_equal_recipes_are_seldom_told_apart():
    """Ridge against ridge with other noise features: the uncorrected t finds a difference far too often."""
    rng = np.random.default_rng(0)
    false = plain = 0
    for _ in range(250):
        x, noise = rng.normal(size=(60, 4)), rng.normal(size=(2, 60, 4))
        y = x @ np.ones(4) + 2 * rng.normal(size=60)
        gaps = []
        for _ in range(5):
            for test in np.array_split(rng.permutation(60), 5):
                train = np.setdiff1d(np.arange(60), test)
                gaps.append(np.subtract(*(_error(np.hstack([x, extra]), y, train, test) for extra in noise)))
        false += cross_validated(gaps, folds=5).p_value <= 0.05
        plain += stats.ttest_1samp(gaps, 0).pvalue <= 0.05
    assert false / 250 < 0.09
    assert plain / 250 > 0.2


def _error(x, y, train, test):
    inside = x[train]
    weights = np.linalg.solve(inside.T @ inside + np.eye(x.shape[1]), inside.T @ y[train])
    return np.mean((y[test] - x[test] @ weights) ** 2)
