"""Balanced weights against counts by hand and against scikit-learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from sklearn.utils.class_weight import compute_class_weight

from truetune.training.class_weights import balanced_weights
from truetune.types import IGNORED, Encoded

NOTHING = np.zeros(0, dtype=np.int64)


def inputs(*targets: Any) -> list[Encoded]:
    return [Encoded(0, NOTHING, NOTHING, np.array(target), NOTHING, NOTHING) for target in targets]


def test_one_label_a_text() -> None:
    """Of six texts three have label 0, two label 1 and one label 2: 6/9, 6/6, 6/3."""
    assert balanced_weights(inputs(0, 1, 0, 2, 1, 0), 3, False) == pytest.approx((6 / 9, 1.0, 2.0))
    theirs = compute_class_weight("balanced", classes=np.arange(3), y=[0, 1, 0, 2, 1, 0])
    assert balanced_weights(inputs(0, 1, 0, 2, 1, 0), 3, False) == pytest.approx(theirs)


def test_tags_count_only_where_they_are_trained() -> None:
    tagged = inputs([IGNORED, 0, 0, IGNORED], [0, 1, IGNORED])
    assert balanced_weights(tagged, 2, False) == pytest.approx((4 / 6, 4 / 2))


def test_a_label_without_a_target_weighs_one() -> None:
    assert balanced_weights(inputs(0, 0, 2), 3, False) == pytest.approx((3 / 6, 1.0, 3 / 3))


def test_several_labels_a_text_have_two_answers_each() -> None:
    """Label 0 is in one of four texts, label 1 in two, label 2 in none."""
    found = balanced_weights(inputs([1.0, 1.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0], [0.0, 0.0, 0.0]), 3, True)
    assert found == pytest.approx((4 / 6, 1.0, 4 / 8, 4 / 2, 1.0, 1.0))
