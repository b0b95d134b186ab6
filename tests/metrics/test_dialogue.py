"""Dialogue metrics by hand."""

from __future__ import annotations

import numpy as np
import pytest

import truetune
from truetune.metrics.dialogue import DIALOGUE

METRICS = {metric.name: metric for metric in DIALOGUE}
REPLIES = ["I do not know.", "I do not know!", "我不知道"]


def value(name: str, gold: list, said: list[str]) -> float:
    metric = METRICS[name]
    return float(metric.value(metric.rows(gold, said)))


def test_distinct_counts_over_all_replies() -> None:
    assert value("distinct1", [""] * 3, REPLIES) == pytest.approx(8 / 12)
    assert value("distinct2", [""] * 3, REPLIES) == pytest.approx(6 / 9)


def test_distinct_of_weighted_replies() -> None:
    metric = METRICS["distinct1"]
    rows = metric.rows([""] * 3, REPLIES)
    weights = np.array([[1, 1, 1], [2, 0, 0], [0, 0, 0]])
    assert metric.value(rows, weights).tolist() == pytest.approx([8 / 12, 4 / 8, np.nan], nan_ok=True)


def test_distinct_has_no_interval_because_none_covers() -> None:
    assert METRICS["distinct1"].interval == "none"


def test_systems_whose_longest_replies_differ_are_compared() -> None:
    gold, short, long = ["a b", "c d", "e f"], ["a", "a", "b"], ["a b c", "d", "e"]
    said = truetune.compare(task="dialogue", gold=[{"references": [one]} for one in gold], predicted=[short, long])
    found = next(one for one in said.comparisons if one.metric == "distinct1")
    assert found.difference == pytest.approx(5 / 5 - 2 / 3)


def test_nothing_said_is_undefined() -> None:
    assert np.isnan(value("distinct1", [""], ["..."]))


def test_unigram_f1_takes_the_best_reference() -> None:
    assert value("unigram_f1", [["no idea", "I don't know it"]], ["i know it"]) == pytest.approx(2 * 3 / 7)
    assert value("unigram_f1", ["我知道"], ["我不知道"]) == pytest.approx(2 * 3 / 7)
