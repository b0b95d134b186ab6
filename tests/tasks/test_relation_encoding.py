"""A marked pair to one model input, worked by hand: where the markers stand, and which window is read."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from truetune.errors import ConfigError, DataError, ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.relation_encoding import MarkedPair, encode_pairs, marked_pair, pair_sign, window_of_pair
from truetune.tasks.relations import MARKED_PAIR
from truetune.types import IGNORED, Ints, Pieces, Span

LABELS = Labels(("Other", "works(e1,e2)"))


class Words:
    """Every word between spaces is a piece, its id the number of its first letter; 1 before and 2 after."""

    max_length = 20
    pad = 0

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        return [self._cut(text) for text in texts]

    def _cut(self, text: str) -> Pieces:
        ids, starts, ends = [], [], []
        for word in text.split():
            starts.append(text.index(word, ends[-1] if ends else 0))
            ends.append(starts[-1] + len(word))
            ids.append(ord(word[0]))
        return Pieces(np.array(ids, dtype=np.int64), np.array(starts), np.array(ends))

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        assert second is None
        ids = np.array([1, *first.tolist(), 2], dtype=np.int64)
        return ids, np.zeros(len(ids), dtype=np.int64), 1


class NoSigns(Words):
    """Signs are all the same unknown piece."""

    def _cut(self, text: str) -> Pieces:
        found = super()._cut(text)
        return found._replace(ids=np.where(found.ids < ord("A"), 3, found.ids))


def read(ids: Ints) -> str:
    return "".join(map(chr, ids[1:-1]))


@pytest.mark.parametrize(
    ("text", "head", "tail", "expected"),
    [
        (
            "Ann works for Acme.",
            Span(0, 3, "person"),
            Span(14, 18, "firm"),
            MarkedPair("@ * person * Ann @ works for # ^ firm ^ Acme # .", 0, 46, 0, 29),
        ),
        (
            "Ann works for Acme",
            Span(14, 18, ""),
            Span(0, 3, ""),
            MarkedPair("# Ann # works for @ Acme @", 0, 26, 18, 0),
        ),
        ("在张三李四家", Span(3, 5, ""), Span(1, 3, ""), MarkedPair("在 # 张三 # @ 李四 @ 家", 2, 15, 9, 2)),
        (
            "at New York University",
            Span(3, 11, ""),
            Span(3, 22, ""),
            MarkedPair("at # @ New York @ University #", 3, 30, 5, 3),
        ),
        (
            "University of Ohio",
            Span(0, 18, ""),
            Span(14, 18, ""),
            MarkedPair("@ University of # Ohio # @", 0, 26, 0, 16),
        ),
    ],
)
def test_markers_stand_around_head_and_tail(text: str, head: Span, tail: Span, expected: MarkedPair) -> None:
    assert marked_pair(text, head, tail) == expected


@given(st.text(min_size=2, max_size=30), st.data())
def test_marking_adds_signs_and_spaces_only(text: str, data: st.DataObject) -> None:
    places = st.integers(0, len(text))
    bounds = [sorted(data.draw(st.lists(places, min_size=2, max_size=2, unique=True))) for _ in range(2)]
    if bounds[0] == bounds[1]:
        bounds[1] = [0, len(text)] if bounds[0] != [0, len(text)] else [0, 1]
    head, tail = (Span(start, end, "") for start, end in bounds)
    whole, start, end, *signs = marked_pair(text, head, tail)
    plain = "".join(text.split())
    kept = whole
    for sign in "@#":
        assert whole.count(sign) == text.count(sign) + 2
        kept = kept.replace(sign, "")
        plain = plain.replace(sign, "")
    assert "".join(kept.split()) == plain
    assert whole[start] in "@#"
    assert whole[end - 1] in "@#"
    assert [whole[place] for place in signs] == ["@", "#"]


def test_a_pair_that_is_none_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`tail` \[3, 9\] ends beyond the text, which has 5 characters"):
        marked_pair("a bcd", Span(0, 1, ""), Span(3, 9, ""))
    with pytest.raises(ValueError, match=r"both \[0, 1\]; expected two entities"):
        marked_pair("a bcd", Span(0, 1, "x"), Span(0, 1, "y"))


def test_a_text_that_fits_is_read_whole() -> None:
    columns = [["x Bob y"] * 2, [Span(2, 5, "p"), Span(6, 7, "")], [Span(6, 7, ""), Span(2, 5, "p")]]
    encoding = encode_pairs(columns, {"label": ["works(e1,e2)", "Other"]}, LABELS, Words(), Lengths(20))
    first, second = encoding.inputs
    assert read(first.ids) == "x@*p*B@#y#"
    assert read(second.ids) == "x#^p^B#@y@"
    assert (int(first.target), int(second.target)) == (1, 0)
    assert first.starts.tolist()[:4] == [-1, 0, 2, 4]
    # The states at the first `@` and the first `#` stand for head and tail.
    assert first.segments.tolist() == [0, 0, 2, 0, 0, 0, 0, 0, 3, 0, 0, 0]
    assert second.segments.tolist() == [0, 0, 3, 0, 0, 0, 0, 0, 2, 0, 0, 0]
    assert encoding.findings == ()


def test_without_gold_nothing_is_a_target_and_unknown_labels_are_told() -> None:
    columns = [["a b"], [Span(0, 1, "")], [Span(2, 3, "")]]
    assert int(encode_pairs(columns, None, LABELS, Words(), Lengths(20)).inputs[0].target) == IGNORED
    with pytest.raises(DataError, match="1 labels are not among"):
        encode_pairs(columns, {"label": ["works"]}, LABELS, Words(), Lengths(20))


def test_the_window_that_is_read_holds_the_pair() -> None:
    text = "a b c d e f g h i j k l"
    head, tail = Span(14, 15, ""), Span(18, 19, "")
    assert (text[14], text[18]) == ("h", "j")
    encoding = encode_pairs([[text], [head], [tail]], None, LABELS, Words(), Lengths(12))
    # @ h @ i # j # takes seven of ten pieces: of the other three one stands before, two behind.
    assert [read(one.ids) for one in encoding.inputs] == ["g@h@i#j#kl"]
    assert [(one.check, one.severity, one.count) for one in encoding.findings] == [("pair window", "note", 1)]


def test_a_pair_too_far_apart_keeps_both_and_is_counted() -> None:
    text = "a b c d e f g h i j k l"
    columns = [["b a", text], [Span(0, 1, "")] * 2, [Span(2, 3, ""), Span(22, 23, "")]]
    encoding = encode_pairs(columns, None, LABELS, Words(), Lengths(10), first=4)
    assert [read(one.ids) for one in encoding.inputs] == ["@b@#a#", "@a@bk#l#"]
    (found,) = encoding.findings
    assert (found.check, found.severity, found.count) == ("pair too far apart", "warning", 1)
    assert found.examples == ("example 5",)


def test_a_sign_of_the_text_is_no_mark() -> None:
    encoding = encode_pairs([["@ b # d"], [Span(2, 3, "")], [Span(6, 7, "")]], None, LABELS, Words(), Lengths(20))
    (one,) = encoding.inputs
    assert read(one.ids) == "@@b@##d#"
    assert one.segments.tolist() == [0, 0, 2, 0, 0, 0, 3, 0, 0, 0]


def test_the_signs_are_read_however_long_the_entities() -> None:
    text = "a b c d e f g h i j k l"
    encoding = encode_pairs([[text], [Span(0, 1, "")], [Span(4, 23, "")]], None, LABELS, Words(), Lengths(10))
    # Eight pieces fit, `@ a @ b` and `j k l #`; the sign before the tail takes the place of the one in the middle.
    (one,) = encoding.inputs
    assert [read(one.ids), encoding.findings[0].check] == ["@a@b#kl#", "pair too far apart"]
    assert one.segments.tolist() == [0, 2, 0, 0, 0, 3, 0, 0, 0, 0]


class Thirds(Words):
    """What stands before a text is of a third segment, as in Funnel Transformers."""

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        ids, segments, begin = super().wrapped(first, second)
        segments[0] = 2
        return ids, segments, begin


def test_no_special_token_is_a_mark() -> None:
    encoding = encode_pairs([["a b"], [Span(0, 1, "")], [Span(2, 3, "")]], None, LABELS, Thirds(), Lengths(20))
    assert encoding.inputs[0].segments.tolist() == [0, 2, 0, 0, 3, 0, 0, 0]


@given(st.integers(2, 40), st.data())
def test_windows_never_lose_an_edge_of_the_pair(size: int, data: st.DataObject) -> None:
    begin = data.draw(st.integers(0, size - 2))
    end = data.draw(st.integers(begin + 2, size))
    room = data.draw(st.integers(2, 45))
    kept = window_of_pair(size, begin, end, room).tolist()
    assert len(kept) == min(room, size) if end - begin <= room else len(kept) == room
    assert kept == sorted(set(kept))
    assert {begin, end - 1} <= set(kept)
    if end - begin <= room:
        assert set(range(begin, end)) <= set(kept)


def test_a_tokenizer_that_cannot_tell_head_from_tail_is_refused() -> None:
    with pytest.raises(ModelError, match="does not tell @ and # apart"):
        encode_pairs([["a b"], [Span(0, 1, "")], [Span(2, 3, "")]], None, LABELS, NoSigns(), Lengths(20))
    with pytest.raises(ConfigError, match=r"raise model\.max_length"):
        encode_pairs([["a b"], [Span(0, 1, "")], [Span(2, 3, "")]], None, LABELS, Words(), Lengths(3))


def test_the_sign_of_a_pair_knows_places_but_no_spaces() -> None:
    text, spaced = "Ann met Ann.", "Ann  met,  Ann."
    one = pair_sign(text, Span(0, 3, ""), Span(8, 11, ""))
    assert one == pair_sign(spaced, Span(0, 3, ""), Span(11, 14, ""))
    assert one != pair_sign(text, Span(8, 11, ""), Span(0, 3, ""))


def test_fields_of_a_file_become_the_values_that_are_read() -> None:
    values = MARKED_PAIR.values({"text": "Ann met Bob", "head": "[0, 3]", "tail": [8, 11, "person"]})
    assert values == ["Ann met Bob", Span(0, 3, ""), Span(8, 11, "person"), "@ Ann @ met # ^ person ^ Bob #"]
    assert MARKED_PAIR.whole(*values) == values[3]
    assert MARKED_PAIR.given == ("text", "head", "tail")
    with pytest.raises(ValueError, match="expected a span"):
        MARKED_PAIR.values({"text": "Ann", "head": [0], "tail": [1, 2]})
