"""Numbers on the standard scale of the training part and back, worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.errors import DataError
from truetune.tasks.base import Labels, Lengths, Scale
from truetune.tasks.number_encoding import decode_numbers, encode_numbers, number_scale
from truetune.types import IGNORED


def test_the_scale_is_that_of_the_training_part() -> None:
    # Mean (1 + 3 + 5 + 7) / 4 = 4; the squares of -3, -1, 1, 3 have the mean 5.
    assert number_scale({"value": [1.0, 3.0, 5.0, 7.0]}) == Labels(("value",), scale=Scale(4.0, 5**0.5))


@pytest.mark.parametrize(("values", "told"), [([2.0, 2.0], "all 2 numbers .* are 2"), ([], "no number")])
def test_nothing_to_learn_is_refused(values: list[float], told: str) -> None:
    with pytest.raises(DataError, match=told):
        number_scale({"value": values})


def test_targets_and_outputs_change_scale_and_windows_are_averaged(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "regress", ("value",)))
    labels = Labels(("value",), scale=Scale(10.0, 2.0))
    texts = ["great", "a dull film , a dull plot"]
    inputs = encode_numbers([texts], {"value": [13.0, 10.0]}, labels, tokenizer, Lengths(7)).inputs
    assert inputs[0].target.tolist() == [1.5]
    assert len(inputs) > 2, "the second text is read in windows"
    assert all(one.example == 1 and one.target.tolist() == [0.0] for one in inputs[1:])
    outputs = [np.array([-0.5]), *(np.array([float(place)]) for place in range(len(inputs) - 1))]
    middle = (len(inputs) - 2) / 2
    assert decode_numbers(texts, inputs, outputs, labels, 0.5) == {"value": [9.0, 10.0 + 2.0 * middle]}


def test_without_gold_there_is_no_target(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "regress", ("value",)))
    pairs = [["great"], ["dull"]]
    (one,) = encode_numbers(pairs, None, Labels(()), tokenizer, Lengths(16)).inputs
    assert one.target.tolist() == [float(IGNORED)]
    with pytest.raises(DataError, match="without the scale"):
        decode_numbers(pairs[0], [one], [np.array([1.0])], Labels(("value",)), 0.5)
