"""Baselines of written texts: the source, its beginning, the answer to the likest source."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from truetune.training.baselines import Columns, Part
from truetune.training.baselines_writing import beginning, copied, lead, nearest


def same(gold: Sequence[Any], predicted: Columns) -> float:
    return float(np.mean([text in each for each, text in zip(gold, predicted["text"], strict=True)]))


def silent(line: str) -> None:
    pass


def test_the_source_is_copied() -> None:
    found = copied(Part(["a", "b"], [("a",), ("x",)]), ["c"], same)
    assert found.predicted == {"text": ["c"]}
    assert found.validation == 0.5


def test_the_lead_has_as_many_sentences_as_validate() -> None:
    text = "One came. Two went! Three stayed?"
    assert beginning(text, 2) == "One came. Two went!"
    assert beginning("一。二！三", 1) == "一。"
    found = lead(Part([text], [("One came. Two went!",)]), ["Ay. Bee. See."], same)
    assert (found.settings, found.predicted) == ({"sentences": 2}, {"text": ["Ay. Bee."]})


def test_the_answer_to_the_likest_source_is_given() -> None:
    train = Part(["red apple", "green pear", "blue sky"], [("R", "r"), ("G",), ("B",)])
    found = nearest(train, Part(["a pear"], [("G",)]), ["the red apple", "sky"], same, silent)
    assert found.predicted == {"text": ["R", "B"]}
    assert found.validation == 1.0
