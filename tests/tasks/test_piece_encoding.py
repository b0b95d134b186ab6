"""Documents as windows of language models: each piece once, with its word, or with those before it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.tasks.piece_encoding import causal_inputs, masked_inputs
from truetune.text import words
from truetune.types import IGNORED

TEXT = "Anna visited Paris and Berlin with Bob."


def test_pieces_of_masked_inputs_are_words_by_themselves(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "mask", ()))
    (one,) = masked_inputs([TEXT], tokenizer, first=5)
    assert one.example == 5
    assert one.target.tolist() == [IGNORED, *range(len(one.ids) - 2), IGNORED]


def test_with_words_the_pieces_of_a_word_have_one_number(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "mask", ()))
    (one,) = masked_inputs(["unbelievable tokenization"], tokenizer, words=words)
    inner = one.target[1:-1].tolist()
    (pieces,) = tokenizer.pieces(["unbelievable tokenization"])
    assert len(inner) > 2  # more pieces than words
    assert inner == [0 if start < 12 else 1 for start in pieces.starts.tolist()]


@pytest.mark.parametrize("length", [8, 11, 62])
def test_windows_hold_every_piece_once(tiny_bert: Path, length: int) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "mask", (), max_length=length))
    text = " ".join([TEXT] * 9)
    found = masked_inputs([text], tokenizer)
    (pieces,) = tokenizer.pieces([text])
    assert np.concatenate([one.ids[1:-1] for one in found]).tolist() == pieces.ids.tolist()
    sizes = [len(one.ids) for one in found]
    assert max(sizes) <= length
    assert max(sizes) - min(sizes) <= 1


def test_causal_inputs_begin_and_end_with_the_end_token(tiny_gpt2: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_gpt2), "generate", ()))
    (learnt,) = causal_inputs([TEXT], tokenizer)
    (asked,) = causal_inputs([TEXT], tokenizer, ended=False)
    (pieces,) = tokenizer.pieces([TEXT])
    end = tokenizer.end
    assert learnt.ids.tolist() == [end, *pieces.ids.tolist(), end]
    assert learnt.target.tolist() == [IGNORED, *pieces.ids.tolist(), end]
    assert learnt.segments.tolist() == [0] + [1] * (len(pieces.ids) + 1)
    # The end of a document is learnt; what is measured are the pieces of its text.
    assert asked.target.tolist() == [IGNORED, *pieces.ids.tolist()]


def test_only_the_last_window_of_a_document_is_ended(tiny_gpt2: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_gpt2), "generate", (), max_length=16))
    found = causal_inputs([" ".join([TEXT] * 3)], tokenizer)
    assert len(found) > 2
    assert all(len(one.ids) <= 16 for one in found)
    assert [int(one.ids[-1] == tokenizer.end) for one in found] == [0] * (len(found) - 1) + [1]


def test_a_document_without_a_piece_has_no_input(tiny_bert: Path) -> None:
    tokenizer = load_tokenizer(ModelSettings(str(tiny_bert), "mask", ()))
    assert masked_inputs([" "], tokenizer) == []
