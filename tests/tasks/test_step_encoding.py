"""Steps on a scale to targets and back, worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.step_encoding import decode_steps, encode_steps, step_schema, steps_of
from truetune.types import IGNORED

LABELS = Labels(("-1|2", "2|3", "3|5"), multiple=True)


def test_an_output_stands_between_each_two_steps() -> None:
    assert step_schema({"value": [3.0, 2.0, 5.0, -1.0, 3.0]}) == LABELS
    assert steps_of(LABELS).tolist() == [-1, 2, 3, 5]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ([1.0, 2.5, 3.0], "whole numbers, .* 2.5; use the task regression"),
        ([1.0, 2.0], "has 2 steps; .* Use the task classification"),
        ([], "has 0 steps"),
        (list(map(float, range(60))), "has 60 steps; .* Use the task regression"),
    ],
)
def test_what_is_no_scale_is_refused(values: list[float], told: str) -> None:
    with pytest.raises(DataError, match=told):
        step_schema({"value": values})


def test_a_target_is_one_for_each_step_that_is_passed(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "classify", LABELS.names))
    texts, gold = ["bad", "dull", "warm", "great"], {"value": [-1.0, 2.0, 3.0, 5.0]}
    inputs = encode_steps([texts], gold, LABELS, tokenizer, Lengths(16)).inputs
    assert [one.target.tolist() for one in inputs] == [[0, 0, 0], [1, 0, 0], [1, 1, 0], [1, 1, 1]]
    (unknown,) = encode_steps([["bad"]], None, LABELS, tokenizer, Lengths(16)).inputs
    assert unknown.target.tolist() == [float(IGNORED)] * 3


def test_the_median_step_is_told_and_windows_are_averaged(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "classify", LABELS.names))
    texts = ["bad", "a dull film , a dull plot"]
    inputs = encode_steps([texts], None, LABELS, tokenizer, Lengths(7)).inputs
    assert len(inputs) > 2, "the second text is read in windows"
    others = len(inputs) - 2
    outputs = [np.array([3.0, 0.1, -2.0]), np.array([9.0, 9.0, 9.0]), *[np.array([9.0, 9.0, -1.0])] * others]
    # sigmoid(9) = 0.9999 and sigmoid(-1) = 0.2689, so that their mean is not near the half for any number of windows.
    high = 5.0 if (0.9999 + 0.2689 * others) / (1 + others) >= 0.5 else 3.0
    assert decode_steps(texts, inputs, outputs, LABELS, 0.5) == {"value": [3.0, high]}
    assert decode_steps(texts[:1], inputs[:1], outputs[:1], LABELS, 0.6) == {"value": [2.0]}
    with pytest.raises(DataError, match="example 1 has no output"):
        decode_steps(texts, inputs[:1], outputs[:1], LABELS, 0.5)
