"""Texts and pairs to inputs, logits to labels with probabilities, worked by hand; nothing cut in silence."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from truetune.errors import ConfigError, DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.classify_encoding import decode, encode, shares, sigmoid, softmax
from truetune.tasks.windows import windows
from truetune.types import IGNORED, Ints, Pieces


class Letters:
    """Every character is a piece; 1 before, 2 between and after."""

    max_length = 8
    pad = 0

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        return [
            Pieces(np.array([ord(one) for one in text], dtype=np.int64), np.arange(len(text)), np.arange(len(text)) + 1)
            for text in texts
        ]

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        tail = [2] if second is None else [2, *second.tolist(), 2]
        ids = np.array([1, *first.tolist(), *tail], dtype=np.int64)
        segments = np.zeros(len(ids), dtype=np.int64)
        segments[len(first) + 2 :] = 1
        return ids, segments, 1


LABELS = Labels(("bad", "good"))
SEVERAL = Labels(("x", "y", "z"), multiple=True)


def test_one_text_one_target() -> None:
    encoding = encode([["ab", ""]], {"label": ["good", "bad"]}, LABELS, Letters(), Lengths(8))
    first, second = encoding.inputs
    assert first.ids.tolist() == [1, 97, 98, 2]
    assert (int(first.target), int(second.target)) == (1, 0)
    assert first.starts.tolist() == [-1, 0, 1, -1]
    assert second.ids.tolist() == [1, 2]
    assert encoding.findings == ()


def test_several_labels_are_a_row_of_zeros_and_ones() -> None:
    (one,) = encode([["a"]], {"labels": [["z", "x"]]}, SEVERAL, Letters(), Lengths(8)).inputs
    assert one.target.tolist() == [1.0, 0.0, 1.0]
    assert one.target.dtype.kind == "f"


def test_without_gold_nothing_is_a_target() -> None:
    assert int(encode([["a"]], None, LABELS, Letters(), Lengths(8)).inputs[0].target) == IGNORED
    assert encode([["a"]], None, SEVERAL, Letters(), Lengths(8)).inputs[0].target.tolist() == [IGNORED] * 3


def test_the_label_order_is_that_of_the_schema_not_of_the_data() -> None:
    swapped = Labels(("good", "bad"))
    (one,) = encode([["a"]], {"label": ["bad"]}, swapped, Letters(), Lengths(8)).inputs
    assert int(one.target) == 1
    assert decode(["a"], [one], [np.array([0.0, 3.0])], swapped, 0.5)["label"] == ["bad"]


def test_unknown_labels_are_listed_together() -> None:
    with pytest.raises(DataError) as caught:
        encode([["a", "b", "c"]], {"label": ["goood", "bad", "ugly"]}, LABELS, Letters(), Lengths(8))
    assert caught.value.problems[0] == "example 0: 'goood'; did you mean 'good'?"
    assert len(caught.value.problems) == 2


def test_a_long_text_is_read_in_windows_that_all_have_its_target() -> None:
    encoding = encode([["abcdefghij"]], {"label": ["good"]}, LABELS, Letters(), Lengths(8, overlap=2))
    assert ["".join(map(chr, one.ids[1:-1])) for one in encoding.inputs] == ["abcdef", "efghij"]
    assert [int(one.target) for one in encoding.inputs] == [1, 1]
    assert [one.example for one in encoding.inputs] == [0, 0]
    assert [(one.check, one.count) for one in encoding.findings] == [("windows", 1)]


def test_parts_of_the_data_are_numbered_on() -> None:
    whole = encode([["a", "abcdefghij"]], None, LABELS, Letters(), Lengths(8, overlap=2))
    part = encode([["abcdefghij"]], None, LABELS, Letters(), Lengths(8, overlap=2), 1)
    assert [one.example for one in part.inputs] == [1, 1] == [one.example for one in whole.inputs[1:]]
    assert part.findings == whole.findings
    with pytest.raises(DataError, match="example 7: 'ugly'"):
        encode([["a"]], {"label": ["ugly"]}, LABELS, Letters(), Lengths(8), 7)


def test_cutting_to_the_head_is_counted() -> None:
    encoding = encode([["abcdefghij", "ab"]], None, LABELS, Letters(), Lengths(8, long="head"))
    assert ["".join(map(chr, one.ids[1:-1])) for one in encoding.inputs] == ["abcdef", "ab"]
    assert [(one.check, one.severity, one.count) for one in encoding.findings] == [("truncated", "warning", 1)]


def test_of_a_pair_the_longer_text_is_cut_first() -> None:
    encoding = encode([["ab", "ab"], ["wxyz", "w"]], None, LABELS, Letters(), Lengths(8))
    first, second = encoding.inputs
    assert first.ids.tolist() == [1, 97, 98, 2, 119, 120, 121, 2]
    assert first.segments.tolist() == [0, 0, 0, 0, 1, 1, 1, 1]
    assert second.ids.tolist() == [1, 97, 98, 2, 119, 2]
    assert [(one.check, one.count) for one in encoding.findings] == [("truncated", 1)]


@given(st.integers(0, 50), st.integers(0, 50), st.integers(2, 60))
def test_shares_of_a_pair_fill_the_room_and_cut_no_more_than_needed(first: int, second: int, room: int) -> None:
    kept, other = shares(first, second, room)
    assert 0 <= kept <= first
    assert 0 <= other <= second
    assert kept + other == min(first + second, room)
    if kept < first and other < second:
        assert abs(kept - other) <= 1


@given(st.integers(0, 200), st.integers(2, 20), st.data())
def test_windows_cover_every_piece_and_overlap(size: int, room: int, data: st.DataObject) -> None:
    overlap = data.draw(st.integers(0, room - 1))
    allowed = np.array(data.draw(st.lists(st.booleans(), min_size=size, max_size=size)), dtype=np.bool_)
    for mask in (None, allowed):
        found = windows(size, room, Lengths(room + 2, overlap), mask)
        assert found[0][0] == 0
        assert found[-1][1] == size
        assert all(end - start <= room for start, end in found)
        for (_, end), (start, following) in itertools.pairwise(found):
            assert end - start >= overlap
            assert following > end


def test_an_input_without_room_for_text_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"raise model\.max_length"):
        windows(5, 0, Lengths(2))


def test_one_label_and_the_probabilities_of_a_softmax() -> None:
    encoded = encode([["a"]], None, LABELS, Letters(), Lengths(8)).inputs
    found = decode(["a"], encoded, [np.array([0.0, np.log(3.0)])], LABELS, 0.5)
    assert found["label"] == ["good"]
    assert found["scores"][0] == pytest.approx({"bad": 0.25, "good": 0.75}, abs=1e-15)


def test_several_labels_from_the_threshold_on() -> None:
    encoded = encode([["a"]], None, SEVERAL, Letters(), Lengths(8)).inputs
    found = decode(["a"], encoded, [np.array([0.0, -np.log(3.0), 5.0])], SEVERAL, 0.5)
    assert found["labels"] == [["x", "z"]]
    assert found["scores"][0]["y"] == pytest.approx(0.25)


def test_windows_are_joined_by_the_mean_of_their_probabilities() -> None:
    encoded = encode([["abcdefghij"]], None, LABELS, Letters(), Lengths(8, overlap=2)).inputs
    found = decode(["abcdefghij"], encoded, [np.array([np.log(9.0), 0.0]), np.array([0.0, 0.0])], LABELS, 0.5)
    assert found["scores"][0] == pytest.approx({"bad": 0.7, "good": 0.3})


def test_an_example_without_output_is_an_error() -> None:
    encoded = encode([["a", "b"]], None, LABELS, Letters(), Lengths(8)).inputs
    with pytest.raises(DataError, match="example 1 has no output"):
        decode(["a", "b"], encoded[:1], [np.zeros(2)], LABELS, 0.5)


@given(arrays.arrays(np.float32, (3, 7), elements=st.floats(-1e4, 1e4, width=32)))
def test_probabilities_sum_to_one_and_never_overflow(logits: np.ndarray) -> None:
    assert np.abs(softmax(logits).sum(axis=1) - 1).max() <= 1e-12
    each = sigmoid(logits)
    assert np.isfinite(each).all()
    assert np.abs(each + sigmoid(-logits) - 1).max() <= 1e-12
