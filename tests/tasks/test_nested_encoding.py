"""Spans within spans to stretches of pieces and back, worked by hand; windows; gold that cannot be learnt."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.nested_encoding import decode, encode, stretch_scores, type_labels
from truetune.types import Encoded, Floats, Ints, Pieces, Span

LABELS = Labels(("org", "place"))


class Chunks:
    """Cuts words into chunks of three characters; `[` and `]` around a text."""

    max_length = 12
    pad = 0

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        found = []
        for text in texts:
            bounds = [
                (place, min(place + 3, match.end()))
                for match in re.finditer(r"\w+", text)
                for place in range(match.start(), match.end(), 3)
            ]
            starts, ends = (np.array([bound[side] for bound in bounds], dtype=np.int64) for side in (0, 1))
            found.append(Pieces(np.arange(10, 10 + len(bounds)), starts, ends))
        return found

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        ids = np.concatenate([[1], first, [2]]).astype(np.int64)
        return ids, np.zeros(len(ids), dtype=np.int64), 1


LENGTHS = Lengths(12, overlap=4)
TEXT = "bank of London said"
"""Pieces: [ ban k | of | Lon don | sai d ]"""
BANK, LONDON = Span(0, 14, "org"), Span(8, 14, "place")


def told(one: Encoded, score: float = 5.0) -> Floats:
    """Return outputs whose scores are `score` for the targets of an input, and -`score` for all else.

    q of a piece is a row of the table of all stretches of one type, k says which piece it is.
    """
    size, width = len(one.ids), 2 * len(one.ids)
    table = np.full((2, size, size), -score)
    for begin, end, kind in one.target.tolist():
        table[kind, begin, end] = score
    q, k = np.zeros((2, size, width))
    q[:, :size], k[:, :size] = table[0] * np.sqrt(width), np.eye(size)
    # The type `place` is told by what begins and ends there alone.
    begin, end = np.zeros((2, size, 2))
    begin[:, 1], end[:, 1] = -6 * score, -6 * score
    for first, last, kind in one.target.tolist():
        if kind == 1:
            begin[first, 1], end[last, 1] = 4 * score, 4 * score
    return np.concatenate([q, k, begin, end], axis=1)


def test_types_are_sorted() -> None:
    assert type_labels({"spans": [[LONDON, BANK], [BANK]]}) == LABELS


def test_targets_are_the_first_pieces_of_first_and_last_words() -> None:
    (one,) = encode([[TEXT]], {"spans": [[BANK, LONDON]]}, LABELS, Chunks(), LENGTHS).inputs
    assert one.target.tolist() == [[1, 4, 0], [4, 4, 1]]
    assert one.starts.tolist() == [-1, 0, 3, 5, 8, 11, 15, 18, -1]


def test_a_score_is_what_both_ends_say_together() -> None:
    # d = 2, two pieces, one type: q . k / sqrt(2) + begin + end.
    output = np.array([[1.0, 2.0, 3.0, 0.0, 0.5, 0.0], [0.0, 1.0, 0.0, 4.0, -1.0, 2.0]])
    scores = stretch_scores(output, 1)[:, :, 0]
    expected = [[3 / 2**0.5 + 0.5, 8 / 2**0.5 + 2.5], [-1.0, 4 / 2**0.5 + 1.0]]
    assert scores.tolist() == [pytest.approx(row) for row in expected]


def test_what_is_learnt_is_what_is_decoded() -> None:
    encoding = encode([[TEXT]], {"spans": [[LONDON]]}, LABELS, Chunks(), LENGTHS)
    (one,) = encoding.inputs
    assert encoding.findings == ()
    assert decode([TEXT], [one], [told(one)], LABELS, 0.5) == {"spans": [[LONDON]]}
    (one,) = encode([[TEXT]], {"spans": [[BANK, LONDON]]}, LABELS, Chunks(), LENGTHS).inputs
    assert decode([TEXT], [one], [told(one)], LABELS, 0.5) == {"spans": [[BANK, LONDON]]}


def test_nothing_ends_before_it_begins() -> None:
    (one,) = encode([["one two"]], None, LABELS, Chunks(), LENGTHS).inputs
    assert one.target.shape == (0, 3)
    everything = np.zeros((len(one.ids), 4 + 4))
    everything[:, -4:] = 1.0
    spans = decode(["one two"], [one], [everything], Labels(("a", "b")), 0.5)["spans"][0]
    assert [(span.start, span.end) for span in spans if span.type == "a"] == [(0, 7), (0, 3), (4, 7)]


def test_of_two_windows_the_one_with_more_context_decides() -> None:
    text = "a b c d e f g h i j k l m n"
    spans = [Span(2, 5, "org"), Span(12, 15, "org"), Span(24, 27, "place")]
    encoding = encode([[text]], {"spans": [spans]}, LABELS, Chunks(), LENGTHS)
    first, second = encoding.inputs
    # Windows of 10 pieces: a to j, g to n; g and h (12 to 15) have three pieces before them in the first, two behind.
    assert first.target.tolist() == [[2, 3, 0], [7, 8, 0]]
    assert second.target.tolist() == [[1, 2, 0], [7, 8, 1]]
    assert decode([text], encoding.inputs, [told(first), told(second)], LABELS, 0.5)["spans"] == [spans]
    # Where the second window alone says no, the first has more context for g and h, and decides.
    second = Encoded(0, second.ids, second.segments, second.target[1:], second.starts, second.ends)
    assert decode([text], encoding.inputs, [told(first), told(second)], LABELS, 0.5)["spans"] == [spans]
    first = Encoded(0, first.ids, first.segments, first.target[:1], first.starts, first.ends)
    said = decode([text], encoding.inputs, [told(first), told(encoding.inputs[1])], LABELS, 0.5)["spans"]
    assert said == [[spans[0], spans[2]]]


def test_gold_that_cannot_be_learnt_is_counted() -> None:
    text = "a b c d e f g h i j k l m n"
    gold = {"spans": [[Span(0, 27, "org"), Span(1, 3, "org")]]}
    found = {one.check: one for one in encode([[text]], gold, LABELS, Chunks(), LENGTHS).findings}
    assert set(found) == {"windows", "spans-apart", "spans-inexact"}
    assert found["spans-apart"].examples == (f"example 0: {text!r} [0, 27, org]",)
    with pytest.raises(DataError, match="span type 'plaec' is not among those that the model learns; did you mean"):
        encode([["a"]], {"spans": [[Span(0, 1, "plaec")]]}, LABELS, Chunks(), LENGTHS)
