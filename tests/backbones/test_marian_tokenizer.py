"""Marian's tokenizer against SentencePiece and Transformers' own, which truetune does without."""

from __future__ import annotations

import io
import json
import random
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sentencepiece import SentencePieceProcessor, SentencePieceTrainer
from transformers import AutoTokenizer, MarianConfig

from truetune.backbones.base import ModelSettings
from truetune.backbones.marian_tokenizer import MarianTokenizer
from truetune.backbones.pretrained import load_tokenizer
from truetune.errors import ModelError

TEXTS = [
    "",
    " ",
    "Anna visited Paris and Berlin with Bob.",
    "  a lovely   story,\twarm\nand great  ",
    "unbelievable tokenization of 2024!!!",
    "中国人民银行在上海。张三去了北京，李四留在东京。",
    "很棒的 电影！（２０２４）　Ａｎｎａ ｶﾞ",
    "A\u0301 e\u0301 Ａ\u0301 ﬁlm ① ℃ …",
    "good 🙂👨‍👩‍👧 film 𠮷 中",
    "▁a ▁ b",
    "a\u200bb\u00adc\ufeffd\x01",
    ">>cmn_Hans<< a great film",
    ">>cmn_Hans<<film",
    "film >>cmn_Hans<<",
    "ßðþ the ßß中国",
]


def tokenizer_of(folder: Path, **settings: Any) -> MarianTokenizer:
    found = load_tokenizer(ModelSettings(str(folder), "generate", (), **settings))
    assert isinstance(found, MarianTokenizer)
    return found


@pytest.mark.filterwarnings("ignore:Recommended. pip install sacremoses")
def test_ids_and_texts_are_those_of_transformers(tiny_marian: Path) -> None:
    ours, theirs = tokenizer_of(tiny_marian), AutoTokenizer.from_pretrained(tiny_marian)
    rng = random.Random(0)
    characters = "".join(TEXTS) * 2 + " " * 40
    drawn = ["".join(rng.choices(characters, k=rng.randrange(30))) for _ in range(300)]
    texts = [*TEXTS, *(text.replace(">>", "") for text in drawn)]
    for text in texts:
        (source,), (answer,) = ours.pieces([text]), ours.answer_pieces([text])
        assert ours.opened(source.ids).tolist() == theirs(text).input_ids, text
        expected = theirs(text_target=text).input_ids
        assert ours.closed(answer.ids).tolist() == expected, text
        decoded = theirs.decode(expected, skip_special_tokens=True, use_source_tokenizer=False)
        assert ours.text(answer.ids) == decoded, text
    (some,) = ours.pieces(["Anna and Bob"])
    assert 0 < (some.ids == ours.unknown).sum() < len(some.ids) / 2, "some pieces are in no vocabulary, most are"


def test_both_sides_cut_by_their_own_model_and_share_ids(tiny_marian: Path) -> None:
    tokenizer = tokenizer_of(tiny_marian)
    text = "Anna visited Berlin. 很棒的电影"
    (source,), (answer,) = tokenizer.pieces([text]), tokenizer.answer_pieces([text])
    assert source.ids.tolist() != answer.ids.tolist()
    assert tokenizer.text(answer.ids) == text
    assert tokenizer.text(tokenizer.closed(answer.ids)) == text, "the end is no part of the text"
    vocabulary = json.loads((tiny_marian / "vocab.json").read_text(encoding="utf-8"))
    assert tokenizer.text(np.array([vocabulary[">>cmn_Hans<<"], *answer.ids])).startswith(">>cmn_Hans<<")
    assert tokenizer.end == vocabulary["</s>"]
    assert tokenizer.pad == vocabulary["<pad>"]


def test_a_text_cannot_name_a_special_token(tiny_marian: Path) -> None:
    tokenizer = tokenizer_of(tiny_marian)
    special = {tokenizer.end, tokenizer.pad}
    for text in ("</s>", "a <pad> b </s>", "<s>"):
        for (pieces,) in (tokenizer.pieces([text]), tokenizer.answer_pieces([text])):
            assert not special & set(pieces.ids.tolist())


def test_offsets_are_those_of_the_text_as_it_was_given(tiny_marian: Path) -> None:
    tokenizer = tokenizer_of(tiny_marian)
    text = "  Ａnna   visited ﬁlm ｶﾞ… 🙂 Bob. "
    (pieces,) = tokenizer.pieces([text])
    covered = {place for start, end in zip(pieces.starts, pieces.ends, strict=True) for place in range(start, end)}
    assert covered == {place for place, character in enumerate(text) if not character.isspace()}
    (coded,) = tokenizer.pieces([">>cmn_Hans<< Bob."])
    assert (coded.starts[0], coded.ends[0]) == (0, 12)
    assert (coded.starts[1], coded.ends[-1]) == (13, 17)


def test_folded_sources_are_cut_as_what_they_are_read_for(tiny_marian: Path) -> None:
    folding = tokenizer_of(tiny_marian, fold=("simplified",))
    (found,), (plain,) = folding.answer_pieces(["很棒的電影"]), folding.answer_pieces(["很棒的电影"])
    assert found.ids.tolist() == plain.ids.tolist()


def test_characters_that_are_written_as_bytes_come_back(tiny_marian: Path, tmp_path: Path) -> None:
    folder, written = shutil.copytree(tiny_marian, tmp_path / "bytes"), io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(TEXTS[2:7]),
        model_writer=written,
        vocab_size=350,
        byte_fallback=True,
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    (folder / "target.spm").write_bytes(written.getvalue())
    package = SentencePieceProcessor(model_proto=written.getvalue())
    pieces = [package.id_to_piece(place) for place in range(3, package.vocab_size())]
    names = ["</s>", "<unk>", *pieces, "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: place for place, piece in enumerate(names)}))
    sizes = {"vocab_size": len(names), "decoder_vocab_size": len(names), "pad_token_id": len(names) - 1}
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    (folder / "config.json").write_text(json.dumps({**config, **sizes}), encoding="utf-8")
    tokenizer = tokenizer_of(folder)
    (pieces_of_it,) = tokenizer.answer_pieces(["中国 🙂ß 上海"])
    assert tokenizer.unknown not in pieces_of_it.ids
    assert tokenizer.text(pieces_of_it.ids) == "中国 🙂ß 上海"
    cut = pieces_of_it.ids[: pieces_of_it.ids.tolist().index(names.index("<0x9F>"))]
    assert tokenizer.text(cut) == "中国 \ufffd", "half a character is said to be one"


def test_it_is_saved_as_files_that_transformers_reads_and_loaded_the_same(tiny_marian: Path, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(tiny_marian)
    tokenizer.save(tmp_path)
    shutil.copy(tiny_marian / "config.json", tmp_path)
    for name in ("source.spm", "target.spm", "vocab.json"):
        assert (tmp_path / name).read_bytes() == (tiny_marian / name).read_bytes()
    stored = json.loads((tmp_path / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert stored["tokenizer_class"] == "MarianTokenizer"
    assert (stored["source_lang"], stored["target_lang"]) == ("eng", "zho")
    again = tokenizer_of(tmp_path)
    for first, second in zip(tokenizer.pieces(TEXTS), again.pieces(TEXTS), strict=True):
        assert first.ids.tolist() == second.ids.tolist()


def test_the_longest_input_is_that_of_positions_and_files(tiny_marian: Path, tmp_path: Path) -> None:
    assert tokenizer_of(tiny_marian).max_length == 64
    assert tokenizer_of(tiny_marian).longest_answer == 64
    assert tokenizer_of(tiny_marian, max_length=16).max_length == 16
    assert tokenizer_of(tiny_marian, max_length=16).longest_answer == 64
    assert MarianTokenizer(str(tiny_marian), MarianConfig.from_pretrained(tiny_marian), None).max_length == 512


@pytest.mark.parametrize(
    ("file", "change", "message"),
    [
        ("tokenizer_config.json", {"separate_vocabs": True}, "have a vocabulary each"),
        ("config.json", {"share_encoder_decoder_embeddings": False}, "have a vocabulary each"),
        ("config.json", {"eos_token_id": 5}, r"are of different models: .* end 0 and padding"),
        ("config.json", {"vocab_size": 50, "pad_token_id": 49}, "are of different models"),
        ("vocab.json", {"</s>": None}, "vocab.json lacks </s>"),
    ],
)
def test_what_does_not_fit_together_is_refused(
    tiny_marian: Path, tmp_path: Path, file: str, change: dict[str, Any], message: str
) -> None:
    folder = shutil.copytree(tiny_marian, tmp_path / "other")
    stored = {**json.loads((folder / file).read_text(encoding="utf-8")), **change}
    stored = {name: value for name, value in stored.items() if value is not None}
    (folder / file).write_text(json.dumps(stored), encoding="utf-8")
    with pytest.raises(ModelError, match=message):
        tokenizer_of(folder)


def test_a_folder_without_its_files_is_a_clear_error(tiny_marian: Path, tmp_path: Path) -> None:
    shutil.copy(tiny_marian / "config.json", tmp_path)
    with pytest.raises(ModelError, match=r"cannot be loaded .*source\.spm"):
        tokenizer_of(tmp_path)
    shutil.copytree(tiny_marian, tmp_path, dirs_exist_ok=True)
    (tmp_path / "target.spm").write_bytes((tiny_marian / "target.spm").read_bytes()[:3000])
    with pytest.raises(
        ModelError, match=r"target\.spm: is no SentencePiece model, or damaged \(it ends within a field"
    ):
        tokenizer_of(tmp_path)
