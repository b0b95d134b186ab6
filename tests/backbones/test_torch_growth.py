"""New words in a pretrained tokenizer: one piece each, begun as the mean of the old ones; old texts are as before."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch import load_tokenizer
from truetune.backbones.torch_growth import shortened_words, write_grown_model

OLD = ["Anna visited Paris and Berlin with Bob.", "antidisestablishmentarian film", "中国人民银行在上海。"]
WORDS = ["antidisestablishmentarianism", "parisberlin"]


@pytest.fixture(scope="module")
def grown(tiny_bert: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("grown") / "model"
    write_grown_model(str(tiny_bert), folder, "mask", tokenizer_of(tiny_bert), WORDS)
    return folder


def tokenizer_of(place: Path):
    return load_tokenizer(ModelSettings(str(place), "mask", ()))


def outputs(place: Path, texts: list[str]) -> torch.Tensor:
    from transformers import AutoModel, AutoTokenizer

    inputs = AutoTokenizer.from_pretrained(place)(texts, padding=True, return_tensors="pt")
    with torch.inference_mode():
        hidden = AutoModel.from_pretrained(place).eval()(**inputs).last_hidden_state
    return hidden * inputs["attention_mask"][..., None]


def test_texts_without_new_words_are_read_and_answered_as_before(tiny_bert: Path, grown: Path) -> None:
    before, after = tokenizer_of(tiny_bert).pieces(OLD), tokenizer_of(grown).pieces(OLD)
    assert [one.ids.tolist() for one in before] == [one.ids.tolist() for one in after]
    torch.testing.assert_close(outputs(grown, OLD), outputs(tiny_bert, OLD), atol=1e-6, rtol=0)


def test_a_new_word_is_one_piece_with_the_mean_of_its_old_ones(tiny_bert: Path, grown: Path) -> None:
    from transformers import AutoModel

    old, new = tokenizer_of(tiny_bert), tokenizer_of(grown)
    table = AutoModel.from_pretrained(tiny_bert).get_input_embeddings().weight
    grown_table = AutoModel.from_pretrained(grown).get_input_embeddings().weight
    assert len(grown_table) == len(table) + 2
    for word in WORDS:
        (pieces,) = old.pieces([word])
        (one,) = new.pieces([word.upper()])  # the model folds case
        assert len(pieces.ids) > 1
        assert len(one.ids) == 1
        assert (one.starts.tolist(), one.ends.tolist()) == ([0], [len(word)])
        torch.testing.assert_close(grown_table[int(one.ids[0])], table[torch.from_numpy(pieces.ids)].mean(dim=0))


def test_only_words_that_are_cut_and_then_one_piece_are_taken(tiny_bert: Path, tiny_gpt2: Path) -> None:
    tokenizer = tokenizer_of(tiny_bert)
    assert shortened_words(tokenizer, ["anna", *WORDS]) == WORDS
    assert len(tokenizer.pieces([WORDS[1]])[0].ids) > 1  # looking changes nothing
    # A byte-level tokenizer joins a word with the space before it, which would be left alone.
    assert shortened_words(load_tokenizer(ModelSettings(str(tiny_gpt2), "generate", ())), WORDS) == []


def test_chinese_words_are_found_in_a_row_of_characters(tiny_bert: Path, tmp_path: Path) -> None:
    tokenizer = tokenizer_of(tiny_bert)
    assert shortened_words(tokenizer, ["银行", "人民", "人"]) == ["银行", "人民"]
    write_grown_model(str(tiny_bert), tmp_path / "model", "mask", tokenizer, ["银行", "人民"])
    old, new = tokenizer_of(tiny_bert), tokenizer_of(tmp_path / "model")
    (before,), (after,) = old.pieces(["中国人民银行在上海"]), new.pieces(["中国人民银行在上海"])
    assert len(after.ids) == len(before.ids) - 2
    assert [(start, end) for start, end in zip(after.starts, after.ends, strict=True) if end - start == 2] == [
        (2, 4),
        (4, 6),
    ]
