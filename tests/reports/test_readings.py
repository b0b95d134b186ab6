from __future__ import annotations

import hypothesis.strategies as st
from hypothesis import given

from truetune.reports.readings import ROOM, cut, excerpt, marked
from truetune.types import Span

TEXT = "李明从上海到北京"


def test_spans_are_marked_in_place() -> None:
    spans = [Span(6, 8, "LOC"), Span(0, 2, "PER")]
    pieces, left_out = marked(TEXT, spans, {Span(0, 2, "PER")}, (0, len(TEXT)))
    assert [(piece.text, piece.type, piece.css) for piece in pieces] == [
        ("李明", "PER", "right"),
        ("从上海到", "", ""),
        ("北京", "LOC", "wrong"),
    ]
    assert left_out == ()


def test_spans_that_overlap_or_lie_outside_are_told_not_lost() -> None:
    inside, outside, empty = Span(1, 4, "LOC"), Span(7, 9, "ORG"), Span(5, 5, "X")
    pieces, left_out = marked(TEXT, [Span(0, 2, "PER"), inside, outside, empty], (), (0, len(TEXT)))
    assert [piece.type for piece in pieces if piece.type] == ["PER"]
    assert set(left_out) == {inside, outside, empty}


def test_a_long_text_is_cut_to_where_it_goes_wrong() -> None:
    text = "x" * 1000 + "北京" + "y" * 1000
    part = excerpt(text, [Span(1000, 1002, "LOC")])
    assert part[0] < 1000 < part[1]
    assert part[1] - part[0] == ROOM
    pieces, _ = marked(text, [Span(1000, 1002, "LOC")], (), part)
    assert (pieces[0].text, pieces[-1].text) == ("… ", " …")
    assert excerpt("short", [Span(0, 1, "X")]) == (0, 5)
    assert excerpt("z" * 500, [Span(499, 500, "X")]) == (500 - ROOM, 500)
    assert excerpt("z" * 500, []) == (0, ROOM)


@given(
    st.text(st.characters(exclude_categories=("C",)), min_size=1, max_size=40),
    st.lists(st.tuples(st.integers(0, 40), st.integers(1, 10)), max_size=6),
)
def test_marking_never_changes_the_text(text: str, places: list[tuple[int, int]]) -> None:
    spans = [Span(start, start + length, "T") for start, length in places]
    pieces, left_out = marked(text, spans, (), (0, len(text)))
    assert "".join(piece.text for piece in pieces) == text.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    assert len([piece for piece in pieces if piece.type]) + len(left_out) == len(set(spans))


def test_cut_counts_what_it_leaves_out() -> None:
    assert cut("abc\x00", 3) == ("abc", 1)
    assert cut("a\x00", 5) == ("a\\x00", 0)
