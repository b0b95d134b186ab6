"""What is read of sources and references that are too long, and what is told of it."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch import load_tokenizer
from truetune.errors import ConfigError, DataError
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.text_encoding import decode_texts, longest_written, prompt_of, source_encoder
from truetune.types import IGNORED, Encoded, Writing, Written


@pytest.fixture
def tokenizer(tiny_gpt2: Path) -> FastTokenizer:
    return load_tokenizer(ModelSettings(str(tiny_gpt2), "generate", ()))


@pytest.mark.parametrize(("keep", "read"), [("beginning", "ZQXJ"), ("end", "VKYW")])
def test_of_what_is_too_long_one_side_is_read_and_both_are_counted(
    tokenizer: FastTokenizer, keep: Literal["beginning", "end"], read: str
) -> None:
    # Letters that no merge joins: prompt 2 pieces, source 4, answer 3.
    labels = Labels((), writing=Writing("q{source}=", pieces=3))
    columns, gold = [["ZQXJVKYW", "z"]], {"references": [("ZQXJ",), ("Z", "Q")]}
    found = source_encoder(keep)(columns, gold, labels, tokenizer, Lengths(9), first=5)
    first, second, third = found.inputs
    assert tokenizer.text(first.ids[first.segments == 0]) == f"q{read}="
    assert tokenizer.text(first.ids[first.segments == 1]) == "ZQX", "what is cut off has no end to be learnt"
    assert (first.target == IGNORED).sum() == 6
    assert [one.example for one in (first, second, third)] == [5, 6, 6]
    assert [(one.check, one.count, one.examples) for one in found.findings] == [
        ("sources cut", 1, ("example 5",)),
        ("references cut", 1, ("example 5",)),
    ]
    with pytest.raises(ConfigError, match="inputs of 5 pieces leave no room for a source beside the prompt"):
        source_encoder(keep)(columns, gold, labels, tokenizer, Lengths(5))


def test_a_prompt_has_its_source_once(tokenizer: FastTokenizer) -> None:
    for template in ("no source", "{source} {source}"):
        with pytest.raises(ConfigError, match=r"generate.prompt: expected \{source\} once"):
            prompt_of(template, tokenizer)


def test_the_longest_text_is_that_of_most_references_with_a_margin(tokenizer: FastTokenizer) -> None:
    references = [("z",)] * 199 + [("zqxj" * 5,)]
    assert longest_written(references, tokenizer) == 3, "a piece and the end, times 1.2"
    assert longest_written([("zqxj" * 5,)], tokenizer) == 26
    with pytest.raises(DataError, match="no example of the training part has a reference"):
        longest_written([], tokenizer)


def test_what_was_written_goes_to_its_example() -> None:
    nothing = np.zeros(0, dtype=np.int64)
    encoded = [Encoded(one, nothing, nothing, nothing, nothing, nothing) for one in (1, 0)]
    outputs = [Written("b", True, 2), Written("a", False, 3)]
    found = decode_texts(["x", "y"], encoded, outputs, Labels(()), 0.5)
    assert found == {"text": ["a", "b"], "finished": [False, True]}
    with pytest.raises(DataError, match="example 2 has no output"):
        decode_texts(["x", "y", "z"], encoded, outputs, Labels(()), 0.5)
