"""Kinds of errors by hand: each error in exactly one."""

from __future__ import annotations

import numpy as np
import pytest

from truetune.evaluation.error_kinds import answer_error, error_kinds, span_errors, text_error
from truetune.types import Span

ANN, ANN_LEE, ROME = Span(0, 3, "PER"), Span(0, 7, "PER"), Span(11, 15, "LOC")


@pytest.mark.parametrize(
    ("gold", "said", "kinds"),
    [
        ({ANN}, {ANN}, []),
        ({ANN_LEE}, {ANN}, ["boundary"]),
        ({ANN}, {Span(0, 3, "LOC")}, ["type"]),
        ({ANN_LEE}, {Span(0, 3, "LOC")}, ["boundary and type"]),
        ({ANN, ROME}, {ANN}, ["missed"]),
        ({ANN}, {ANN, ROME}, ["spurious"]),
        # The predicted span that fits better is the error of the gold span; the other one is spurious.
        ({ANN_LEE}, {Span(0, 6, "PER"), Span(6, 7, "PER")}, ["boundary", "spurious"]),
        # A predicted span over two gold ones is the error of one of them.
        ({Span(0, 3, "PER"), Span(4, 7, "PER")}, {ANN_LEE}, ["boundary", "missed"]),
    ],
)
def test_spans(gold: set[Span], said: set[Span], kinds: list[str]) -> None:
    assert span_errors(gold, said) == kinds


@pytest.mark.parametrize(
    ("gold", "said", "kind"),
    [
        (["Rome"], "rome.", ""),
        (["Rome"], "", "no answer"),
        ([], "Rome", "answer where there is none"),
        ([], "", ""),
        (["Rome"], "in Rome, Italy", "too long"),
        (["Rome, Italy"], "Rome", "too short"),
        (["the city of Rome"], "city hall", "beside"),
        (["Rome"], "Paris", "elsewhere"),
        (["北京市"], "北京", "too short"),
        (["北京", "京城"], "京城", ""),
    ],
)
def test_answers(gold: list[str], said: str, kind: str) -> None:
    assert answer_error(gold, said) == kind


@pytest.mark.parametrize(
    ("references", "text", "source", "kind"),
    [
        (["a b c d"], " ", "x", "empty"),
        (["ein Haus"], "A house!", "a house", "copy"),
        (["a house"], "a house", "a house", ""),
        (["one two three four five six seven eight"], "one two three", "x", "much too short"),
        (["one two"], "one two three four five", "x", "much too long"),
        (["one two", "one two three four five"], "one two three four six", "x", ""),
        (["w " * 14], "the man in the house saw the man in the house and the man in the house", "x", "repeats"),
        (["今天天气很好"], "今天", "x", "much too short"),
    ],
)
def test_texts(references: list[str], text: str, source: str, kind: str) -> None:
    assert text_error(references, text, source) == kind


def test_confusions_are_shares_of_their_gold_label() -> None:
    gold = {"label": np.array(["a", "a", "a", "b", "b"], dtype=object)}
    said = {"label": np.array(["b", "b", "a", "a", "b"], dtype=object)}
    first, second = error_kinds(gold, said, {})
    assert (first.kind, first.count, first.total, first.places) == (("label", "a", "b"), 2, 3, (0, 1))
    assert (second.kind, second.count, second.total) == (("label", "b", "a"), 1, 2)
    assert first.low < 2 / 3 < first.high


def test_spurious_spans_are_shares_of_predicted_ones() -> None:
    kinds = error_kinds({"spans": [[ANN], []]}, {"spans": [[ANN, ROME], [ROME]]}, {})
    assert [(one.kind, one.count, one.total, one.places) for one in kinds] == [(("spurious",), 2, 3, (0, 1))]


def test_labels_of_sets() -> None:
    kinds = error_kinds({"labels": [["a", "b"], ["a"]]}, {"labels": [["a"], ["a", "c"]]}, {})
    assert {(one.kind, one.count, one.total) for one in kinds} == {
        (("missed label", "b"), 1, 1),
        (("extra label", "c"), 1, 1),
    }


def test_a_copy_is_told_by_the_source() -> None:
    kinds = error_kinds({"references": [("ein Haus",)]}, {"text": ["a house"]}, {"source": ["A house"]})
    assert [one.kind for one in kinds] == [("copy",)]


def test_numbers_have_no_kinds() -> None:
    assert error_kinds({"value": [1.0]}, {"value": [2.0]}, {}) == ()
