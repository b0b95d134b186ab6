"""Estimators and arrays: the same numbers as scikit-learn's metrics, and a scorer for its searches."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn import metrics
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.multiclass import OneVsRestClassifier
from sklearn.svm import LinearSVC

import truetune
from truetune.errors import MetricError
from truetune.stats.plan import Plan

FAST = Plan(resamples=200)


@pytest.fixture(scope="module")
def examples() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    rng = np.random.default_rng(0)
    features = rng.normal(size=(200, 4))
    codes = (features[:, 0] + rng.normal(size=200) > 0).astype(int) + (features[:, 1] > 1)
    return features, np.array(["x", "y", "z"])[codes]


def test_a_classifier_is_scored_as_scikit_learn_does(examples: Any) -> None:
    features, gold = examples
    model = LogisticRegression().fit(features, gold)
    result = truetune.sklearn_scores(model, features, gold, plan=FAST)
    said, probabilities = model.predict(features), model.predict_proba(features)
    assert result.score("accuracy").value == pytest.approx(metrics.accuracy_score(gold, said))
    assert result.score("f1_macro").value == pytest.approx(metrics.f1_score(gold, said, average="macro"))
    assert result.score("log_loss").value == pytest.approx(metrics.log_loss(gold, probabilities))
    area = metrics.roc_auc_score(gold, probabilities, multi_class="ovr")
    assert result.score("roc_auc").value == pytest.approx(area)
    assert result.score("f1_macro").low < result.score("f1_macro").value
    grouped = truetune.sklearn_scores(model, features, gold, group=[place // 2 for place in range(200)], plan=FAST)
    assert "100 groups" in grouped.score("f1_macro").signature


def test_a_classifier_without_probabilities_has_no_areas(examples: Any) -> None:
    features, gold = examples
    result = truetune.sklearn_scores(LinearSVC().fit(features, gold), features, gold, plan=FAST)
    assert "roc_auc" not in {score.metric for score in result.scores}


@pytest.mark.parametrize(
    "model", [OneVsRestClassifier(LogisticRegression()), RandomForestClassifier(5, max_depth=2, random_state=0)]
)
def test_several_labels_an_example(model: Any, examples: Any) -> None:
    features, _ = examples
    gold = (features[:, :3] > 0).astype(int)
    model.fit(features, gold)
    result = truetune.sklearn_scores(model, features, gold, plan=FAST)
    said = model.predict(features)
    assert result.score("f1_macro").value == pytest.approx(metrics.f1_score(gold, said, average="macro"))
    assert result.score("accuracy").value == pytest.approx(metrics.accuracy_score(gold, said))
    assert result.score("roc_auc").value > 0.5


def test_a_regressor_is_scored_by_its_errors(examples: Any) -> None:
    features, _ = examples
    gold = features @ [1.0, 2.0, 0.0, 0.0] + 1
    model = LinearRegression().fit(features[:, :1], gold)
    result = truetune.sklearn_scores(model, features[:, :1], gold, plan=FAST)
    said = model.predict(features[:, :1])
    assert result.score("mae").value == pytest.approx(metrics.mean_absolute_error(gold, said))
    assert result.score("r2").value == pytest.approx(metrics.r2_score(gold, said))


def test_arrays_without_an_estimator() -> None:
    answers = truetune.Answers(np.array([0, 1, 1, 1]), np.array([[0.9, 0.1], [0.4, 0.6], [0.2, 0.8], [0, 1]]), (0, 1))
    result = truetune.array_scores("classification", np.array([0, 0, 1, 1]), answers, plan=FAST)
    assert result.score("accuracy").value == 0.75
    assert result.score("roc_auc").value == 1.0
    assert result.score("brier").value == pytest.approx((0.01 + 0.36 + 0.04 + 0) / 4)


def test_the_scorer_serves_searches(examples: Any) -> None:
    features, gold = examples
    ours = cross_val_score(LogisticRegression(), features, gold, cv=4, scoring=truetune.sklearn_scorer("f1_macro"))
    theirs = cross_val_score(LogisticRegression(), features, gold, cv=4, scoring="f1_macro")
    assert ours == pytest.approx(theirs)
    losses = cross_val_score(LogisticRegression(), features, gold, cv=4, scoring=truetune.sklearn_scorer("log_loss"))
    assert losses == pytest.approx(cross_val_score(LogisticRegression(), features, gold, cv=4, scoring="neg_log_loss"))
    assert truetune.sklearn_scorer("roc_auc_ovo").metric == "roc_auc_ovo"  # of three labels and more
    one = cross_val_score(LogisticRegression(), features, gold, cv=2, scoring=truetune.sklearn_scorer("f1/x"))
    assert ((one > 0) & (one < 1)).all()
    search = GridSearchCV(
        LogisticRegression(), {"C": [1e-4, 1.0]}, scoring=truetune.sklearn_scorer("accuracy"), n_jobs=None
    ).fit(features, gold)
    assert search.best_params_ == {"C": 1.0}


def test_what_does_not_fit_is_refused(examples: Any) -> None:
    features, gold = examples
    model = LogisticRegression().fit(features, gold)
    with pytest.raises(MetricError, match=r"gold has shape \[199\] and predicted \[200\]"):
        truetune.sklearn_scores(model, features, gold[1:])
    with pytest.raises(MetricError, match="did you mean 'f1_macro'"):
        truetune.sklearn_scorer("f1_marco")  # at once: scikit-learn makes a NaN of what fails later
    with pytest.raises(MetricError, match="no value of 'f1/w'"):
        truetune.sklearn_scorer("f1/w")(model, features, gold)
    with pytest.raises(MetricError, match="`labels` naming the columns"):
        truetune.array_scores("classification", gold, truetune.Answers(gold, np.ones((200, 3)) / 3))
    with pytest.raises(MetricError, match="cannot be read as the task 'ner'"):
        truetune.array_scores("ner", gold, truetune.Answers(gold))
    with pytest.raises(MetricError, match="are 0 and 1"):
        truetune.array_scores("classification", np.full((2, 2), 2), truetune.Answers(np.zeros((2, 2))))
