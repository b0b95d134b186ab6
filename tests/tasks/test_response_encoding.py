"""Replies ranked among candidates, worked by hand: what is an input, what is ranked, what is read of a long history."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from truetune.tasks.base import Labels, Lengths
from truetune.tasks.response_encoding import decode_responses, encode_responses
from truetune.tasks.response_ranking import RESPONSE_RANKING, as_candidates
from truetune.tasks.retrieval_encoding import item_of
from truetune.types import Encoded, Floats, Ints, Pieces

LABELS = Labels((), documents=("no", "yes"))


class Letters:
    """A letter is a piece; 1 before a text, 2 behind it."""

    max_length = 6
    pad = 0

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        return [
            Pieces(
                np.array([ord(sign) for sign in text], dtype=np.int64), np.arange(len(text)), np.arange(len(text)) + 1
            )
            for text in texts
        ]

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        ids = np.concatenate([[1], first, [2]]).astype(np.int64)
        return ids, np.zeros(len(ids), dtype=np.int64), 1


def told(one: Encoded) -> str:
    return "".join({1: "[", 2: "]"}.get(piece, chr(piece)) for piece in one.ids.tolist())


def test_of_a_long_history_the_end_is_read_and_of_a_long_reply_the_beginning() -> None:
    encoding = encode_responses([[()], ["abcdef"]], {"documents": [("uvwxyz",)]}, LABELS, Letters(), Lengths(6))
    assert [told(one) for one in encoding.inputs] == ["[cdef][uvwx]"]
    assert [finding.check for finding in encoding.findings] == ["truncated"]
    assert told(encode_responses([[()], ["abcdef"]], None, LABELS, Letters(), Lengths(6)).inputs[0]) == "[cdef]"


def test_candidates_that_are_not_stored_are_inputs_once() -> None:
    pools = [("yes", "well", "oh"), (), ("oh", "no")]
    inputs = encode_responses([pools, ["a", "b", "c"]], None, LABELS, Letters(), Lengths(6)).inputs
    assert [(one.example, told(one)) for one in inputs] == [
        (0, "[a]"),
        (1, "[b]"),
        (2, "[c]"),
        (-1, "[no]"),
        (-2, "[yes]"),
        (-3, "[well]"),
        (-4, "[oh]"),
    ]


def test_each_example_ranks_its_own_candidates_or_all_that_are_stored() -> None:
    pools = [("yes", "well", "oh"), (), ("oh", "no")]
    encoded = encode_responses([pools, ["a", "b", "c"]], None, LABELS, Letters(), Lengths(6)).inputs
    east, north = np.array([1.0, 0.0]), np.array([0.0, 1.0])
    vectors: dict[str, Floats] = {
        "[a]": east,
        "[b]": north,
        "[c]": north,
        "[no]": np.array([0.6, 0.8]),
        "[yes]": np.array([0.8, 0.6]),
        "[well]": east,
        "[oh]": north,
    }
    said = decode_responses(pools, encoded, [vectors[told(one)] for one in encoded], LABELS, 0.5)
    assert said["response"] == ["well", "no", "oh"]
    assert said["similarity"] == pytest.approx([1.0, 0.8, 1.0])
    expected = [["well", "yes", "oh"], ["no", "yes"], ["oh", "no"]]
    assert said["ranking"] == [[item_of(one) for one in ranking] for ranking in expected]


def test_candidates_may_be_left_out_and_are_checked_where_they_are_there() -> None:
    assert RESPONSE_RANKING.training is not None
    inputs = RESPONSE_RANKING.training.inputs
    assert (inputs.names, inputs.given) == (("pool", "history", "source"), ("history",))
    assert inputs.values({"history": ["hi", "yes?"]}) == [(), ("hi", "yes?"), "A: hi\nB: yes?"]
    assert inputs.values({"history": "hi", "candidates": ["a", "b"]})[0] == ("a", "b")
    with pytest.raises(ValueError, match="two or more different candidates, found 1"):
        as_candidates(["a", "a"])
