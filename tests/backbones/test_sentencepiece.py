"""SentencePiece files and texts, against the package itself: every way of reading spaces, characters and bytes."""

from __future__ import annotations

import io
import random
from typing import Any

import numpy as np
import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer

from truetune.backbones.marian_tokenizer import Side
from truetune.backbones.sentencepiece_file import read_sentencepiece
from truetune.backbones.sentencepiece_text import SentencePieceReader
from truetune.errors import ModelError

TRAINED_ON = ["Anna visited Paris and Berlin, 2024 times!", "a lovely and brilliant story: warm, funny, great"]
ODD = [
    *"ab e\u0301ＡａＥ１　ｶか\u3099각ᄀ\u1161 \t\n\r\u200b\u200d\ufeff\x01▁é①ﬁ🙂中ſᾈ𝒜℃～…\u00a0\u00ad",
    "  ",
    "ｶﾞ",
    "\r\n",
    "ch",
    "</s>",
]
WAYS: dict[str, dict[str, Any]] = {
    "as opus-mt": {},
    "nothing replaced": {"normalization_rule_name": "identity"},
    "small letters": {"normalization_rule_name": "nmt_nfkc_cf"},
    "all spaces": {"remove_extra_whitespaces": False},
    "no space before": {"add_dummy_prefix": False},
    "own symbols": {"user_defined_symbols": ["ch", "Ａ", " e"]},
    "bytes": {"byte_fallback": True, "vocab_size": 320},
}


def trained(**settings: Any) -> bytes:
    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TRAINED_ON),
        model_writer=written,
        **{"vocab_size": 80, "character_coverage": 1.0, **settings},
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue()


@pytest.mark.parametrize("way", WAYS)
def test_texts_are_cut_as_by_the_package(way: str) -> None:
    content = trained(**WAYS[way])
    package = SentencePieceProcessor(model_proto=content)
    vocabulary = {package.id_to_piece(place): place for place in range(package.vocab_size())}
    reader, side = SentencePieceReader(read_sentencepiece(content, "here"), "here"), Side(content, "here", vocabulary)
    rng = random.Random(0)
    texts = ["".join(rng.choice(ODD) for _ in range(rng.randrange(14))) for _ in range(400)] + TRAINED_ON
    for text, pieces in zip(texts, side.pieces(texts), strict=True):
        read = reader.read(text)
        assert read.text == "".join(package.encode(text, out_type=str)) or way == "bytes", repr(text)
        assert pieces.ids.tolist() == package.encode(text), repr(text)
        assert (read.starts <= read.ends).all()
        assert (np.diff(pieces.starts) >= 0).all()


@pytest.mark.parametrize("kind", [{"model_type": "bpe"}, {"model_type": "char"}, {"treat_whitespace_as_suffix": True}])
def test_models_of_another_kind_are_refused(kind: dict[str, Any]) -> None:
    with pytest.raises(ModelError, match=r"here: is a SentencePiece model of another kind .*; expected a Unigram"):
        read_sentencepiece(trained(**kind), "here")


@pytest.mark.parametrize(
    "content", [b"", b"\x00", b"version https://git-lfs.github.com/spec/v1\n", b"\x0a\xff\xff\xff", b"\x0a\x02\x18\x02"]
)
def test_other_files_are_a_clear_error(content: bytes) -> None:
    with pytest.raises(ModelError, match=r"here: is no SentencePiece model"):
        read_sentencepiece(content, "here")


def test_a_damaged_map_of_characters_is_a_clear_error() -> None:
    model = read_sentencepiece(trained(), "here")
    damaged = type(model)(model.pieces, False, True, True, model.character_map[:100])
    with pytest.raises(ModelError, match="here: its map of characters is damaged"):
        SentencePieceReader(damaged, "here")
