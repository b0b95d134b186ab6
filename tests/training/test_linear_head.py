"""Logistic regressions as layers say what scikit-learn's say."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from truetune.training.linear_head import ITERATIONS, STRENGTHS, linear_heads

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("labels", [2, 4])
def test_a_layer_says_what_the_regression_says(labels: int) -> None:
    codes = np.arange(60) % labels
    features = RNG.normal(size=(60, 5)) * [1, 5, 0.1, 1, 1] + codes[:, None] + 3
    features[:, 4] = 7.0  # says nothing
    heads = list(linear_heads(features, codes, labels))
    assert len(heads) == len(STRENGTHS)
    scaler = StandardScaler().fit(features)
    new = RNG.normal(size=(9, 5)) + 3
    for strength, (weight, bias) in zip(STRENGTHS, heads, strict=True):
        model = LogisticRegression(C=strength, max_iter=ITERATIONS).fit(scaler.transform(features), codes)
        expected = model.predict_proba(scaler.transform(new))
        assert softmax(new @ weight.T + bias, axis=1) == pytest.approx(expected, abs=2e-3)


def test_a_label_that_no_row_has_is_never_told() -> None:
    codes = np.array([0, 2] * 10)
    features = RNG.normal(size=(20, 3)) + codes[:, None]
    for weight, bias in linear_heads(features, codes, 3):
        chances = softmax(features @ weight.T + bias, axis=1)
        assert (chances[:, 1] == 0).all()
        assert chances.sum(axis=1) == pytest.approx(1)
