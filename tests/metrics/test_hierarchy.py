"""Labels with levels by hand."""

from __future__ import annotations

import numpy as np
import pytest

import truetune
from truetune.metrics.hierarchy import has_levels, metrics_of, prefix_rows, upwards

GOLD = ["animal/dog", "animal/cat", "plant/tree/oak", "stone"]
SAID = ["animal/cat", "animal/cat", "plant/tree/elm", "animal/dog"]


def test_a_label_holds_all_that_stands_above_it() -> None:
    assert upwards(["a/b/c", "d"]) == {"a", "a/b", "a/b/c", "d"}
    assert [has_levels([one]) for one in ("a/b", "a", "/a", "a/", "a//b")] == [True, False, False, False, False]


def test_hits_are_counted_with_the_levels_above() -> None:
    # animal of 2 and 2; both of 2 and 2; plant and plant/tree of 3 and 3; nothing of 1 and 2.
    assert prefix_rows(GOLD, SAID).dense().tolist() == [[1, 2, 2], [2, 2, 2], [2, 3, 3], [0, 1, 2]]
    f1, first, second = metrics_of("label")
    assert float(f1.value(f1.rows(GOLD, SAID))) == pytest.approx(2 * 5 / (8 + 9))
    assert float(first.value(first.rows(GOLD, SAID))) == 3 / 4
    assert float(second.value(second.rows(GOLD, SAID))) == 2 / 4


def test_sets_of_labels_are_counted_as_the_union_of_what_stands_above() -> None:
    f1, first, _ = metrics_of("labels")
    gold, said = [("a/b", "a/c"), ()], [("a/b",), ("d",)]
    assert f1.rows(gold, said).dense().tolist() == [[2, 3, 2], [0, 0, 1]]
    assert float(first.value(first.rows(gold, said))) == 1 / 2


def test_flat_labels_are_as_before_and_those_with_levels_have_more() -> None:
    flat = truetune.evaluate(task="classification", gold=["a", "b"], predicted=["a", "a"])
    assert not any("level" in one.metric or "hierarch" in one.metric for one in flat.scores)
    result = truetune.evaluate(task="classification", gold=GOLD * 9, predicted=SAID * 9)
    score = result.score("hierarchical_f1")
    assert score.value == pytest.approx(10 / 17)
    assert score.low < score.value < score.high
    assert result.score("accuracy_level1").value == 3 / 4
    assert result.score("accuracy").value == 1 / 4


def test_flat_labels_would_give_the_accuracy() -> None:
    f1, first, _ = metrics_of("label")
    gold, said = ["a", "b", "c"], ["a", "b", "a"]
    assert float(f1.value(f1.rows(gold, said))) == float(first.value(first.rows(gold, said))) == pytest.approx(2 / 3)
    assert np.isnan(float(f1.value(f1.rows([], []))))
