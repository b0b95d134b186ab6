"""What is certain is put right, with the places of spans; what is not stays as it is."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.audit.repair import found_again, repaired, trimmed
from truetune.audit.texts import damage
from truetune.types import Span


@pytest.mark.parametrize(
    ("text", "after", "done"),
    [
        ("CafÃ© in MÃ¼nchen", "Café in München", ("text decoded as UTF-8",)),
        ("ä¸\xadæ–‡", "中文", ("text decoded as UTF-8",)),
        ("donâ€™t", "don’t", ("text decoded as UTF-8",)),
        ("a\x07b\x92s", "ab’s", ("control characters taken out",)),
        ("zero\u200bwidth\ufeff", "zerowidth", ("invisible characters taken out",)),
        ("e\u0301te\u0301", "été", ("characters composed",)),
        ("\u1100\u1161\u11a8", "각", ("characters composed",)),
        ("CafÃ©\u200b", "Café", ("text decoded as UTF-8", "invisible characters taken out")),
        ("Café, 中文 and 👩\u200d👩", "Café, 中文 and 👩\u200d👩", ()),
        ("lost \ufffd", "lost \ufffd", ()),
        ("\u200b", "\u200b", ()),
        ("one\ttwo\nthree", "one\ttwo\nthree", ()),
    ],
)
def test_by_hand(text: str, after: str, done: tuple[str, ...]) -> None:
    found = repaired(text)
    assert (found.text, found.done) == (after, done)


def test_spans_go_along() -> None:
    text = "\u200bCafÃ© Ã la e\u0301te\u0301"
    found = repaired(text)
    for said, meant in (("CafÃ©", "Café"), ("Ã la", "Ã la"), ("e\u0301te\u0301", "été")):
        start = text.index(said)
        span = found.span(Span(start, start + len(said), "X"))
        assert found.text[span.start : span.end] == meant
        assert found.place(start) == span.start
    assert found.span(Span(90, 99, "X")) == Span(90, 99, "X")
    assert found.place(-1) == -1


@given(st.text(st.sampled_from("aé \u0301\u200b\x07中Ã©\u00adö"), max_size=30))
def test_laws(text: str) -> None:
    found = repaired(text)
    assert len(found.starts) == len(found.ends) == len(text) + 1
    assert (found.starts <= found.ends).all()
    assert (found.starts[1:] >= found.starts[:-1]).all()
    assert found.ends[-1] == len(found.text)
    # What stands together only once something between it was taken out is not read as bytes again.
    if found.text.strip("\u200b\x07\u00ad \u0301") and not set(text) & set("\u200b\x07\u00ad"):
        assert damage(found.text) is None or "Ã" in found.text
    if found.text.strip("\u200b\x07\u00ad \u0301"):
        assert unicodedata.is_normalized("NFC", found.text)
    for place, one in enumerate(text):
        if one in "a中ö" and "\u0301" not in text:
            assert found.text[found.starts[place]] == one


def test_spans_lose_white_space_and_copies() -> None:
    text = "in  Rome now"
    assert trimmed(text, [Span(3, 9, "LOC"), Span(4, 8, "LOC")]) == [Span(4, 8, "LOC")]
    assert trimmed(text, [Span(2, 4, "LOC"), Span(0, 99, "LOC")]) == [Span(2, 4, "LOC"), Span(0, 99, "LOC")]


def test_answers_are_put_where_they_alone_can_be() -> None:
    text = "tea in 1610, in 1610 tea"
    assert found_again(text, [(0, "tea"), (3, "tea"), (5, "in 1610,"), (9, "coffee"), (-1, "")]) == [0, 3, 4, 9, -1]
