"""Questions with choices to inputs and back, worked by hand; what an answer may be; what is refused."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import truetune
from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.choice_encoding import choice_labels, decode_choices, encode_choices
from truetune.tasks.multiple_choice import as_choices, chosen_of
from truetune.types import IGNORED, Ints, Pieces

LABELS = Labels(("1", "2", "3"))
CHOICES = ("x y", "z")


class Letters:
    """A letter is a piece; 1 before a pair, 2 behind each of its texts."""

    max_length = 10
    pad = 0

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        found = []
        for text in texts:
            places = np.array([place for place, sign in enumerate(text) if sign != " "], dtype=np.int64)
            found.append(Pieces(np.array([ord(text[place]) for place in places], dtype=np.int64), places, places + 1))
        return found

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        assert second is not None
        ids = np.concatenate([[1], first, [2], second, [2]]).astype(np.int64)
        return ids, np.repeat([0, 1], [len(first) + 2, len(second) + 1]), 1


def told(ids: Ints) -> str:
    return "".join({1: "[", 2: "]"}.get(one, chr(one)) for one in ids.tolist())


def test_choices_stand_in_a_row_behind_context_and_question() -> None:
    assert choice_labels({"options": [2, 3, 2]}) == LABELS
    encoding = encode_choices([[CHOICES], ["abc"], ["q"]], {"choice": ["z"]}, LABELS, Letters(), Lengths(10))
    (one,) = encoding.inputs
    assert told(one.ids) == "[abc]qxy][abc]qz]"
    assert one.segments.tolist() == [0] * 5 + [1] * 4 + [2] * 5 + [3] * 3
    assert one.target.item() == 1
    assert encoding.findings == ()
    (plain,) = encode_choices([[CHOICES], ["abc"], ["q"]], None, LABELS, Letters(), Lengths(10)).inputs
    assert plain.target.item() == IGNORED


def test_the_longer_side_is_cut_and_counted() -> None:
    encoding = encode_choices([[CHOICES], ["abcdefgh"], ["q"]], None, LABELS, Letters(), Lengths(10), first=7)
    assert told(encoding.inputs[0].ids) == "[abcd]qxy][abcde]qz]"
    assert encoding.inputs[0].example == 7
    assert [(one.check, one.count, one.examples) for one in encoding.findings] == [("truncated", 1, ("example 7",))]


def test_the_most_probable_choice_is_the_answer() -> None:
    encoded = encode_choices([[CHOICES], ["abc"], ["q"]], None, LABELS, Letters(), Lengths(10)).inputs
    said = decode_choices([CHOICES], encoded, [np.array([0.0, np.log(3.0), -1e4])], LABELS, 0.5)
    assert said == {"answer": ["z"], "probabilities": [pytest.approx([0.25, 0.75])]}


def test_an_answer_is_a_text_a_letter_or_a_place() -> None:
    assert as_choices('["red", 2, "blue"]') == ("red", "2", "blue")
    assert [chosen_of(one, ("red", "2", "blue")) for one in ("red", "2", "A", "C", "0", "1")] == [
        "red",
        "2",
        "red",
        "blue",
        "red",
        "2",
    ]
    for wrong in ("3", "D", "green"):
        with pytest.raises(ValueError, match=r"none of the 3 choices; expected the text of one, its letter \(A to C\)"):
            chosen_of(wrong, ("red", "2", "blue"))
    for few in (["red"], ["red", "red"]):
        with pytest.raises(ValueError, match="expected"):
            as_choices(few)


def test_more_choices_than_were_learnt_are_refused() -> None:
    with pytest.raises(DataError, match="has 2 choices, but the model learns at most 1"):
        encode_choices([[CHOICES], ["abc"], ["q"]], None, Labels(("1",)), Letters(), Lengths(10))


def test_accuracy_by_hand() -> None:
    gold = [{"choices": ["a", "b"], "answer": "B"}, {"choices": ["a", "b"], "answer": "a"}]
    result = truetune.evaluate(task="multiple-choice", gold=gold, predicted=["b", "b"])
    assert result.score("accuracy").value == 0.5
    assert truetune.evaluate(task="multiple-choice", gold=["x", "y"], predicted=["x", "y"]).score("accuracy").value == 1
