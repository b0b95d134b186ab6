"""Linear heads on features that are learnt already: logistic regressions as weights of a layer."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import numpy as np

from truetune.types import Floats, Ints

STRENGTHS = (0.01, 0.1, 1.0, 10.0)
"""scikit-learn's C, the strongest penalty first."""
ITERATIONS = 300


def linear_heads(features: Floats, codes: Ints, labels: int) -> Iterator[tuple[Floats, Floats]]:
    """Give, for each strength of the penalty, the layer `[labels, hidden]`, `[labels]` of a logistic regression.

    It is fitted on standardised features `[rows, hidden]` and given for plain ones: their softmax is what the
    regression says. `codes` `[rows]`; a label that no row has is never told.
    """
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression
    from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

    mean, deviation = features.mean(axis=0), features.std(axis=0)
    scale = np.where(deviation > 1e-8, 1 / np.maximum(deviation, 1e-8), 0.0)
    model = LogisticRegression(max_iter=ITERATIONS, warm_start=True)
    for strength in STRENGTHS:
        with threadpool_limits(1), warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)  # The path goes on from where a fit stopped.
            model.set_params(C=strength).fit((features - mean) * scale, codes)
        own, offset = model.coef_, model.intercept_
        if len(model.classes_) == 2:
            # One row says both: half of it for one label, half against the other.
            own, offset = np.concatenate([-own, own]) / 2, np.concatenate([-offset, offset]) / 2
        weight, bias = np.zeros((labels, features.shape[1])), np.full(labels, NEVER)
        weight[model.classes_] = own * scale
        bias[model.classes_] = offset - weight[model.classes_] @ mean
        yield weight, bias


NEVER = -1e4
"""The score of a label that no row has."""
