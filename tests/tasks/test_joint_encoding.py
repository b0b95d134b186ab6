"""A label before the tags and back, worked by hand; frames."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

import truetune
from truetune.errors import DataError, ModelError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.intent_slots import frame_of
from truetune.tasks.joint_encoding import decode, encode, joint_labels
from truetune.types import IGNORED, Ints, Pieces, Span

GOLD = {"label": ["play", "call"], "spans": [[Span(5, 13, "song")], []]}
LABELS = Labels(("call", "play"), tags=("O", "B-song", "I-song"))


class Words:
    """Cuts at spaces; `[` and `]` around a text, or nothing before it."""

    max_length = 6
    pad = 0

    def __init__(self, opens: bool = True) -> None:
        self.opens = opens

    def pieces(self, texts: Sequence[str]) -> list[Pieces]:
        found = []
        for text in texts:
            starts = np.array([0, *(place + 1 for place, sign in enumerate(text) if sign == " ")])
            ends = np.array([*(starts[1:] - 1), len(text)])
            found.append(Pieces(starts + 10, starts, ends))
        return found

    def wrapped(self, first: Ints, second: Ints | None = None) -> tuple[Ints, Ints, int]:
        ids = np.concatenate([[1], first, [2]] if self.opens else [first, [2]]).astype(np.int64)
        return ids, np.zeros(len(ids), dtype=np.int64), int(self.opens)


LENGTHS = Lengths(6, overlap=1)


def test_the_label_stands_before_the_tags() -> None:
    assert joint_labels(GOLD) == LABELS
    first, second = encode([["play old song", "call"]], GOLD, LABELS, Words(), LENGTHS).inputs
    assert first.target.tolist() == [1, 0, 1, 2, IGNORED]
    assert second.target.tolist() == [0, 0, IGNORED]
    (plain, _) = encode([["play old song", "call"]], None, LABELS, Words(), LENGTHS).inputs
    assert set(plain.target.tolist()) == {IGNORED}


def test_windows_are_averaged_for_the_label_and_joined_for_the_tags() -> None:
    text = "a b c d e f"
    gold = {"label": ["play"], "spans": [[Span(6, 11, "song")]]}
    encoded = encode([[text]], gold, LABELS, Words(), LENGTHS).inputs
    assert [one.target[0] for one in encoded] == [1, 1]
    outputs = []
    for one, chances in zip(encoded, ((0.9, 0.1), (0.2, 0.8)), strict=True):
        tags = np.zeros((len(one.ids), 3))
        tags[np.arange(len(one.ids)), np.where(one.target == IGNORED, 0, one.target)] = 9.0
        outputs.append(np.concatenate([np.tile(np.log(chances), (len(one.ids), 1)), tags], axis=1))
    said = decode([text], encoded, outputs, LABELS, 0.5)
    assert said["label"] == ["call"]
    assert said["scores"] == [{"call": pytest.approx(0.55), "play": pytest.approx(0.45)}]
    assert said["spans"] == [[Span(6, 11, "song")]]


def test_what_cannot_be_learnt_is_refused() -> None:
    with pytest.raises(ModelError, match="no special token before a text"):
        encode([["play"]], {"label": ["play"], "spans": [[]]}, LABELS, Words(opens=False), LENGTHS)
    with pytest.raises(DataError, match="'plya'"):
        encode([["play"]], {"label": ["plya"], "spans": [[]]}, LABELS, Words(), LENGTHS)


def test_a_frame_is_right_as_a_whole() -> None:
    one, two = Span(0, 4, "x"), Span(5, 6, "y")
    assert frame_of("play", [two, one, one]) == frame_of("play", (one, two)) == "play [0, 4, x] [5, 6, y]"
    gold = [{"label": "a", "spans": [[0, 1, "x"]]}, {"label": "a", "spans": []}, {"label": "b", "spans": [[0, 1, "x"]]}]
    said = [{"label": "a", "spans": [[0, 1, "x"]]}, {"label": "b", "spans": []}, {"label": "b", "spans": [[0, 2, "x"]]}]
    result = truetune.evaluate(task="intent-slots", gold=gold, predicted=said)
    # By hand: one of three frames, two of three labels, one of two spans on both sides.
    assert result.primary == "frame_accuracy"
    assert [result.score(name).value for name in ("frame_accuracy", "accuracy", "span_f1")] == pytest.approx(
        [1 / 3, 2 / 3, 1 / 2]
    )
    assert result.score("slot_f1/x").value == pytest.approx(1 / 2)
    assert result.score("f1/b").value == pytest.approx(2 / 3)
    # Wilson's interval of one in three.
    assert (result.score("frame_accuracy").low, result.score("frame_accuracy").high) == pytest.approx(
        (0.0615, 0.7923), abs=1e-3
    )
