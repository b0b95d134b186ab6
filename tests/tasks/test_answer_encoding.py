"""Answers to places of pieces and back, worked by hand: windows, offsets, no answer, answers that stand nowhere."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.errors import DataError, ModelError
from truetune.tasks.answer_encoding import (
    answer_schema,
    decode_answers,
    encode_answers,
    place_of,
)
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.types import IGNORED, Encoded, Floats

LABELS = Labels(("start", "end"), longest=20)
TEXT = "Anna visited Paris and Berlin with Bob."


def encoded(tiny_bert: Path, answers: list[str], starts: list[int] | None, longest: int = 64) -> Encoding:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "span", ("start", "end")))
    gold: dict[str, Any] = {"answers": [answers]} | ({} if starts is None else {"answer_starts": [starts]})
    return encode_answers([[TEXT], ["great plot"]], gold, LABELS, tokenizer, Lengths(longest, longest // 4))


def told(one: Encoded) -> str:
    first, last = one.target.astype(int).tolist()
    return TEXT[one.starts[first] : one.ends[last]] if first else ""


def test_the_schema_says_whether_answers_may_lack_and_how_long_they_are() -> None:
    assert answer_schema({"answers": [("ab", "abc"), ()]}) == Labels(("start", "end"), optional=True, longest=6)
    assert not answer_schema({"answers": [("a",)]}).optional
    with pytest.raises(DataError, match="nothing to learn"):
        answer_schema({"answers": [(), ()]})


@pytest.mark.parametrize(
    ("answer", "start", "place"),
    [("an", -1, (3, 5)), ("an", 9, (9, 11)), ("an", 40, (9, 11)), (" an ", 8, (9, 11)), ("x", 0, None), ("", 0, None)],
)
def test_an_answer_is_where_it_stands_next_to_what_is_said(answer: str, start: int, place: Any) -> None:
    assert place_of("ab an or an", answer, start) == place


def test_target_is_first_and_last_piece_of_the_answer(tiny_bert: Path) -> None:
    (one,) = encoded(tiny_bert, ["Paris and Berlin"], [13]).inputs
    assert told(one) == "Paris and Berlin"
    assert (one.starts[: int(one.target[0])] < 13).all()
    (none,) = encoded(tiny_bert, [], []).inputs
    assert none.target.tolist() == [0.0, 0.0]
    (without,) = encoded(tiny_bert, ["Bob"], None).inputs
    assert told(without) == "Bob"


def test_an_answer_that_stands_nowhere_is_not_learnt_and_counted(tiny_bert: Path) -> None:
    encoding = encoded(tiny_bert, ["London"], [3])
    assert encoding.inputs[0].target.tolist() == [float(IGNORED)] * 2
    assert [finding.check for finding in encoding.findings] == ["answers not learnt"]
    assert told(encoded(tiny_bert, ["London", "Berlin"], [3, 23]).inputs[0]) == "Berlin"


def test_windows_share_pieces_and_only_those_with_the_answer_have_it(tiny_bert: Path) -> None:
    encoding = encoded(tiny_bert, ["Bob"], [35], longest=11)
    assert len(encoding.inputs) > 1
    assert [finding.check for finding in encoding.findings] == ["text windows"]
    assert [told(one) for one in encoding.inputs][-1] == "Bob"
    assert "" in [told(one) for one in encoding.inputs]
    for one in encoding.inputs:
        assert len(one.ids) <= 11
        inside = one.starts >= 0
        assert inside.sum() == len(set(one.starts[inside].tolist()))
    seen = {int(start) for one in encoding.inputs for start in one.starts if start >= 0}
    (whole,) = encoded(tiny_bert, ["Bob"], [35]).inputs
    assert seen == {int(start) for start in whole.starts if start >= 0}, "every piece of the text is read"


def scores(one: Encoded, first: tuple[int, float], last: tuple[int, float], none: float) -> Floats:
    """Logits that are 0 but at a piece that begins, and one that ends, at these characters; and for no answer."""
    logits = np.zeros((len(one.ids), 2))
    logits[np.flatnonzero(one.starts == first[0]), 0] = first[1]
    logits[np.flatnonzero(one.ends == last[0]), 1] = last[1]
    logits[0] = none / 2
    return logits


def test_the_best_stretch_is_answered_with_its_offset(tiny_bert: Path) -> None:
    (one,) = encoded(tiny_bert, [], []).inputs
    found = decode_answers([TEXT], [one], [scores(one, (13, 4.0), (29, 3.0), 1.0)], LABELS, 0.5)
    assert found == {"answer": ["Paris and Berlin"], "start": [13]}
    # An end before the beginning makes no stretch: the best is the beginning or the end alone.
    turned = decode_answers([TEXT], [one], [scores(one, (23, 4.0), (18, 3.0), 1.0)], LABELS, 0.5)
    assert turned["start"] == [23]
    short = Labels(("start", "end"), longest=5)
    assert decode_answers([TEXT], [one], [scores(one, (13, 4.0), (29, 3.0), 1.0)], short, 0.5)["start"] == [13]
    assert decode_answers([TEXT], [one], [scores(one, (13, 4.0), (29, 3.0), 1.0)], short, 0.5)["answer"] != [
        "Paris and Berlin"
    ]


def test_no_answer_is_given_above_the_threshold(tiny_bert: Path) -> None:
    (one,) = encoded(tiny_bert, [], []).inputs
    labels = Labels(("start", "end"), optional=True, longest=20)
    logits = scores(one, (13, 4.0), (18, 3.0), 8.0)
    chance = 1 / (1 + np.exp(-(8.0 - 7.0)))
    given = decode_answers([TEXT], [one], [logits], labels, 0.8)
    assert given["no_answer_probability"] == pytest.approx([chance])
    assert (given["answer"], given["start"]) == (["Paris"], [13])
    assert decode_answers([TEXT], [one], [logits], labels, 0.7)["answer"] == [""]
    assert decode_answers([TEXT], [one], [logits], labels, 0.7)["start"] == [-1]
    # Of two windows the best answer counts, and the one that is least sure that there is none.
    two = decode_answers([TEXT], [one, one], [logits, scores(one, (23, 1.0), (29, 1.0), 6.0)], labels, 0.5)
    assert two["no_answer_probability"] == pytest.approx([1 / (1 + np.exp(1.0))])
    assert two["answer"] == ["Paris"]


def test_a_decoder_is_refused(tiny_gpt2: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_gpt2), "span", ("start", "end")))
    with pytest.raises(ModelError, match="no special token before a text"):
        encode_answers([["a"], ["b"]], None, LABELS, tokenizer, Lengths(32))
