"""Spans, triples, tags and tokens from raw values: what is read, and what each error says."""

from __future__ import annotations

import pytest

from truetune.tasks.span_fields import (
    as_gold_spans,
    as_gold_triples,
    as_spans,
    as_tags,
    as_tokens,
    as_triples,
    check_inside,
    located,
)
from truetune.types import Span


def test_spans_are_read_from_lists_and_from_json_text() -> None:
    wanted = (Span(0, 2, "PER"), Span(3, 5, "LOC"))
    assert as_spans([[0, 2, "PER"], (3, 5, "LOC")]) == wanted
    assert as_spans('[[0, 2, "PER"], [3, 5, "LOC"]]') == wanted
    assert as_spans([[0.0, 2, 7]]) == (Span(0, 2, "7"),)
    assert as_spans([]) == ()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([[3, 3, "PER"]], "which ends before it begins"),
        ([[5, 3, "PER"]], "which ends before it begins"),
        ([[-1, 3, "PER"]], "whole number of at least 0"),
        ([[0, 2.5, "PER"]], "whole number of at least 0"),
        ([[0, 2, ""]], "found an empty one"),
        ([[0, 2]], r"expected a span \[start, end, type\]"),
        ([[[0, 2], [5, 7], "PER"]], "a span of several pieces .discontinuous."),
        ([[[[0, 2], [5, 7]], "PER"]], "a span of several pieces .discontinuous."),
        (["PER"], r"expected a span \[start, end, type\]"),
        ({"start": 0}, "expected a list"),
        (None, "expected a list, found nothing"),
    ],
)
def test_bad_spans_are_named(value: object, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        as_spans(value)


def test_doubled_spans_are_an_error_in_gold_only() -> None:
    doubled = [[0, 2, "PER"], [0, 2, "PER"]]
    assert len(as_spans(doubled)) == 2
    with pytest.raises(ValueError, match="given twice; remove one"):
        as_gold_spans(doubled)
    assert len(as_gold_spans([[0, 2, "PER"], [0, 2, "LOC"]])) == 2


def test_triples() -> None:
    raw = [[[0, 2, "PER"], "owns", [3, 5, "ORG"]]]
    assert as_triples(raw) == ((Span(0, 2, "PER"), "owns", Span(3, 5, "ORG")),)
    with pytest.raises(ValueError, match="expected a triple"):
        as_triples([[[0, 2, "PER"], "owns"]])
    with pytest.raises(ValueError, match="expected a span"):
        as_triples([[[0, 2], "owns", [3, 5, "ORG"]]])
    with pytest.raises(ValueError, match=r"triple .* is given twice"):
        as_gold_triples(raw * 2)


def test_tags() -> None:
    assert as_tags(["B-PER", "O"]) == as_tags("B-PER O") == as_tags('["B-PER", "O"]') == ("B-PER", "O")
    for bad in ([], "", ["O", 3], ["O", ""], [[0, 2, "PER"]]):
        with pytest.raises(ValueError, match="expected"):
            as_tags(bad)


def test_tokens_are_offsets_or_words() -> None:
    assert as_tokens([[0, 2], [3, 5]]) == ((0, 2), (3, 5))
    assert as_tokens(["ab", "cd"]) == ("ab", "cd")
    with pytest.raises(ValueError, match=r"expected a token \[start, end\] or a word"):
        as_tokens([[0, 2], "cd"])


def test_words_are_found_in_the_text_one_after_the_other() -> None:
    assert located(["to", "be", "or", "to"], "to be or to") == ((0, 2), (3, 5), (6, 8), (9, 11))
    assert located([(0, 2), (2, 4)], "abcd") == ((0, 2), (2, 4))


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (["ab", "x"], "token 2, 'x', does not stand in the rest"),
        (["cd", "ab"], "token 2, 'ab', does not stand"),
        ([(0, 3), (2, 4)], r"token 2 is \[2, 4\]; expected tokens in order"),
        ([(0, 5)], "within the 4 characters"),
        ([(1, 1)], "in order and apart"),
    ],
)
def test_tokens_that_do_not_fit_the_text_are_named(tokens: list, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        located(tokens, "abcd")


def test_spans_beyond_the_text_are_named() -> None:
    check_inside([Span(0, 2, "X")], "你好")
    with pytest.raises(ValueError, match="ends beyond the text, which has 2 characters; offsets count characters"):
        check_inside([Span(0, 6, "X")], "你好")
