"""Baselines of choices on questions where what they give is known."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from truetune.training.baselines import Columns, Part
from truetune.training.baselines_choices import chance, position, tfidf_choice


def accuracy(gold: Sequence[Any], said: Columns) -> float:
    return sum(one == other for one, other in zip(gold, said["answer"], strict=True)) / len(gold)


ASKED = [
    (("red apple", "green pear", "old shoe"), "she ate a green pear at noon", "what did she eat?"),
    (("a long walk", "tea", "a red boat"), "they sailed a red boat", "what did they sail?"),
    (("in May", "in June", "never"), "he came in May and stayed", "when did he come?"),
    (("salt", "green pear"), "the soup had salt in it", "what was in the soup?"),
]
GOLD = ["green pear", "a red boat", "in May", "salt"]
PART = Part(ASKED, GOLD)


def test_the_usual_place_is_that_of_training() -> None:
    train = Part([(("x", "y", "z"), "", "q")] * 3, ["z", "z", "x"])
    found = position(train, PART, ASKED[3:], accuracy)
    assert found.settings == {"place": 2}
    assert found.said == {"answer": ["old shoe", "a red boat", "never", "green pear"]}
    assert found.validation == 0.25
    assert found.predicted == {"answer": ["green pear"]}, "the last, where there are fewer"


def test_a_draw_is_right_as_often_as_chance_has_it() -> None:
    many = Part([(("a", "b", "c", "d"), "", "q")] * 4000, ["a"] * 4000)
    found = chance(many, ASKED, accuracy)
    assert abs(found.validation - 0.25) < 0.03
    assert found == chance(many, ASKED, accuracy), "the same every time"
    assert all(one in row[0] for one, row in zip(found.predicted["answer"], ASKED, strict=True))


def test_words_in_common_tell_where_they_do() -> None:
    found = tfidf_choice(PART, PART, ASKED, accuracy, lambda text: None)
    assert found.validation == 1.0
    assert found.predicted["answer"] == GOLD
    assert found.settings == {"compared": "context", "likest": "true"}
