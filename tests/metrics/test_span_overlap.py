"""Lenient span scores: by hand, and equal to nervaluate."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nervaluate.entities import Entity
from nervaluate.evaluator import Evaluator
from nervaluate.strategies import EntityTypeEvaluation, PartialEvaluation

from truetune.errors import MetricError
from truetune.metrics.span_overlap import SPAN_OVERLAPS, TAG_OVERLAPS, overlap_rows

PARTIAL, TYPE = SPAN_OVERLAPS

triple = st.tuples(st.integers(0, 10), st.sampled_from([1, 2, 3, 5, 300]), st.sampled_from("XY")).map(
    lambda made: (made[0], made[0] + made[1], made[2])
)
spans = st.lists(triple, max_size=5)
tag = st.sampled_from(["O", "O", "B-X", "I-X", "B-Y", "I-Y"])


def scores(gold: list, predicted: list) -> tuple[float, float]:
    rows = overlap_rows(gold, predicted)
    return float(PARTIAL.value(rows)), float(TYPE.value(rows))


@pytest.mark.parametrize(
    ("gold", "predicted", "partial", "kind"),
    [
        ([(0, 4, "X")], [(0, 4, "X")], 1, 1),
        ([(0, 4, "X")], [(0, 4, "Y")], 1, 0),  # boundaries are right, the type is not
        ([(0, 4, "X")], [(2, 6, "X")], 0.5, 1),
        ([(0, 4, "X")], [(2, 6, "Y")], 0.5, 0),
        ([(0, 4, "X")], [(4, 6, "X")], 0, 0),  # they only touch
        ([(0, 4, "X")], [(0, 2, "X"), (2, 4, "X")], 1 / 3, 2 / 3),  # one gold span is taken once
        ([(0, 4, "X")], [], 0, 0),
        ([(0, 300, "X")], [(299, 310, "X")], 0, 0),  # less than 1 % of the gold span
        ([(0, 300, "X")], [(297, 310, "X")], 0.5, 1),
    ],
)
def test_by_hand(gold: list, predicted: list, partial: float, kind: float) -> None:
    assert scores([gold], [predicted]) == pytest.approx((partial, kind))


def test_an_earlier_partial_match_uses_up_the_gold_span() -> None:
    """Greedy as nervaluate: (0, 3) takes the gold span, the exact (0, 5) comes too late."""
    assert scores([[(0, 5, "X")]], [[(0, 3, "X"), (0, 5, "X")]])[0] == pytest.approx(1 / 3)


def test_nothing_on_both_sides_is_undefined() -> None:
    assert np.isnan(scores([[]], [[]])).all()


def test_unequal_numbers_of_examples_are_refused() -> None:
    with pytest.raises(MetricError, match="2 examples, predicted of 1"):
        overlap_rows([[], []], [[]])


@given(spans, spans)
def test_credits_are_those_of_nervaluate(gold: list, predicted: list) -> None:
    sides = [
        [Entity(label=kind, start=start, end=end - 1) for start, end, kind in sorted(set(side))]
        for side in (gold, predicted)
    ]
    partial, _ = PartialEvaluation(1.0).evaluate(*sides, ["X", "Y"])
    kind, _ = EntityTypeEvaluation(1.0).evaluate(*sides, ["X", "Y"])
    credits = (2 * partial.correct + partial.partial, kind.correct, len(sides[0]), len(sides[1]))
    assert tuple(overlap_rows([gold], [predicted]).table[0]) == credits
    if gold or predicted:
        assert scores([gold], [predicted]) == pytest.approx((partial.f1, kind.f1))


@given(spans, spans, st.randoms())
def test_the_order_in_which_spans_are_listed_changes_nothing(gold: list, predicted: list, random: object) -> None:
    here = scores([gold], [predicted])
    random.shuffle(gold)
    random.shuffle(predicted)
    assert scores([gold], [predicted]) == pytest.approx(here, nan_ok=True)


@given(st.lists(st.lists(st.tuples(tag, tag), min_size=1, max_size=8), min_size=1, max_size=5))
def test_corpora_of_tags_score_as_in_nervaluate(corpus: list) -> None:
    gold = [[right for right, _ in sentence] for sentence in corpus]
    predicted = [[said for _, said in sentence] for sentence in corpus]
    theirs = Evaluator(gold, predicted, tags=["X", "Y"], loader="list").evaluate()["overall"]
    for metric, name in zip(TAG_OVERLAPS, ("partial", "ent_type"), strict=True):
        value = float(metric.value(metric.rows(gold, predicted)))
        assert value == pytest.approx(theirs[name].f1) or (np.isnan(value) and theirs[name].possible == 0)
