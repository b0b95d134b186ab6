"""Scores of folds: one recipe, two recipes, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

import truetune
from truetune.errors import MetricError
from truetune.stats.plan import Plan

BEFORE = [0.80, 0.82, 0.79, 0.81, 0.80, 0.83, 0.78, 0.80, 0.82, 0.81]
AFTER = [0.83, 0.84, 0.80, 0.84, 0.82, 0.85, 0.80, 0.84, 0.83, 0.83]


def test_two_recipes_are_compared_fold_by_fold() -> None:
    result = truetune.cross_validation(AFTER, BEFORE, folds=5)
    gaps = np.subtract(AFTER, BEFORE)
    error = gaps.std(ddof=1) * np.sqrt(1 / 10 + 1 / 4)
    assert result.difference is not None
    assert result.difference.value == pytest.approx(gaps.mean())
    assert result.difference.p_value == pytest.approx(2 * stats.t.sf(gaps.mean() / error, 9))
    assert result.after.low < np.mean(AFTER) < result.after.high
    told = result.to_dict()
    assert set(told) == {"after", "before", "difference"}
    assert "p_value" not in told["after"], "a mean score of 0 is no hypothesis"
    assert "2 x 5-fold" in told["difference"]["signature"]


def test_a_share_stands_for_random_splits() -> None:
    result = truetune.cross_validation(AFTER, test_share=0.2)
    assert result.after.low == pytest.approx(truetune.cross_validation(AFTER, folds=5).after.low)
    assert set(result.to_dict()) == {"after"}
    sure = truetune.cross_validation(AFTER, test_share=0.2, plan=Plan(level=0.5)).after
    assert sure.high - sure.low < result.after.high - result.after.low


def test_the_scores_of_scikit_learn_fit() -> None:
    from sklearn.linear_model import LogisticRegression
    from sklearn.model_selection import cross_val_score

    rng = np.random.default_rng(0)
    features = rng.normal(size=(100, 3))
    gold = (features[:, 0] + rng.normal(size=100) > 0).astype(int)
    scores = cross_val_score(LogisticRegression(), features, gold, cv=5, scoring=truetune.sklearn_scorer("f1_macro"))
    found = truetune.cross_validation(scores, folds=5).after
    assert found.low < scores.mean() < found.high


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(MetricError, match="either `folds`"):
        truetune.cross_validation(AFTER)
    with pytest.raises(MetricError, match="either `folds`"):
        truetune.cross_validation(AFTER, folds=5, test_share=0.2)
    with pytest.raises(MetricError, match="10 scores after and 9 before"):
        truetune.cross_validation(AFTER, BEFORE[1:], folds=5)
    with pytest.raises(MetricError, match="multiple of the folds"):
        truetune.cross_validation(AFTER, folds=4)
    undefined = truetune.cross_validation([0.5, float("nan")], folds=2).to_dict()["after"]
    assert undefined["value"] is None
    assert "undefined" in undefined["reason"]
