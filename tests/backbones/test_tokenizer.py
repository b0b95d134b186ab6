"""Pieces with offsets, special tokens around one text and two, and what a slow tokenizer is told."""

from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.onnx_model import saved_tokenizer
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch import load_backbone, load_tokenizer, saved_backbone
from truetune.errors import ModelError
from truetune.text import Fold


def tokenizer_of(
    folder: Path, head: str = "classify", max_length: int | None = None, fold: tuple[Fold, ...] = ()
) -> FastTokenizer:
    settings = ModelSettings(str(folder), head, ("a", "b"), max_length=max_length, fold=fold)  # type: ignore[arg-type]
    return load_tokenizer(settings)


def texts_of(text: str, tokenizer: FastTokenizer) -> list[str]:
    pieces = tokenizer.pieces([text])[0]
    return [text[start:end] for start, end in zip(pieces.starts, pieces.ends, strict=True)]


def test_pieces_cover_the_text_in_characters_also_outside_the_basic_plane(tiny_bert: Path, tiny_gpt2: Path) -> None:
    text = "Anna  visited 𠮷 Paris 🙂 naïve"
    for folder in (tiny_bert, tiny_gpt2):
        pieces = tokenizer_of(folder).pieces([text])[0]
        covered = set()
        for start, end in zip(pieces.starts, pieces.ends, strict=True):
            covered |= set(range(start, end))
        assert covered == {place for place, character in enumerate(text) if not character.isspace()}


def test_white_space_is_no_part_of_a_piece(tiny_gpt2: Path) -> None:
    found = texts_of("and the plot", tokenizer_of(tiny_gpt2))
    assert "".join(found) == "andtheplot"


def test_stored_truncation_and_padding_are_switched_off(tiny_bert: Path) -> None:
    tokenizer = tokenizer_of(tiny_bert)
    tokenizer.transformers.backend_tokenizer.enable_truncation(4)
    again = FastTokenizer(tokenizer.transformers, 64)
    assert len(again.pieces(["and " * 40])[0].ids) == 40


def test_special_tokens_around_one_text_and_two(tiny_bert: Path) -> None:
    tokenizer = tokenizer_of(tiny_bert)
    ids, segments, begin = tokenizer.wrapped(np.array([7, 8]), np.array([9]))
    assert ids.tolist() == [2, 7, 8, 3, 9, 3]
    assert segments.tolist() == [0, 0, 0, 0, 1, 1]
    assert begin == 1
    assert tokenizer.wrapped(np.array([7]))[0].tolist() == [2, 7, 3]


def test_a_tokenizer_without_special_tokens_separates_a_pair_and_never_gives_an_empty_input(tiny_gpt2: Path) -> None:
    tokenizer = tokenizer_of(tiny_gpt2)
    assert tokenizer.wrapped(np.array([7]))[0].tolist() == [7]
    assert tokenizer.wrapped(np.array([7]), np.array([9]))[0].tolist() == [7, 0, 9]
    assert tokenizer.wrapped(np.array([], dtype=np.int64))[0].tolist() == [0]


def test_han_is_cut_into_characters_for_tags_and_saved_so(tiny_gpt2: Path, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    text = "中国人民银行在上海"
    tokenizer = tokenizer_of(tiny_gpt2, "tag")
    assert set(texts_of(text, tokenizer)) == set(text)
    tokenizer.save(tmp_path)
    again = FastTokenizer(AutoTokenizer.from_pretrained(tmp_path), 64)
    assert again.pieces([text])[0].ids.tolist() == tokenizer.pieces([text])[0].ids.tolist()


def test_the_longest_input_is_the_models_unless_it_is_shortened(tiny_bert: Path) -> None:
    assert tokenizer_of(tiny_bert).max_length == 64
    assert tokenizer_of(tiny_bert, max_length=16).max_length == 16
    with pytest.raises(ModelError, match=r"model\.max_length: 65 is more than the 64 pieces"):
        tokenizer_of(tiny_bert, max_length=65)


def test_a_slow_tokenizer_is_refused() -> None:
    class Slow:
        is_fast = False
        name_or_path = "some-model"

    with pytest.raises(ModelError, match="some-model: its tokenizer is a slow one"):
        FastTokenizer(Slow())


def test_with_berts_tokenizer_the_separator_ends_a_text_and_chinese_is_written_without_spaces(
    tiny_chinese_gpt2: Path, tiny_gpt2: Path
) -> None:
    tokenizer = tokenizer_of(tiny_chinese_gpt2, "generate")
    text = "中国人民银行在上海。张三去了 paris and berlin，李四留在东京。"
    (pieces,) = tokenizer.pieces([text])
    assert tokenizer.closed(pieces.ids)[-1] == 3 == tokenizer.end
    assert tokenizer.opened(pieces.ids)[0] == 2
    assert tokenizer.text(tokenizer.closed(pieces.ids)) == text.replace("了 ", "了")
    other = tokenizer_of(tiny_gpt2, "generate")
    assert other.text(other.pieces([text])[0].ids) == text, "what keeps spaces gets none taken away"


def test_a_text_is_opened_once_and_parted_from_its_answer(
    tiny_chinese_gpt2: Path, tiny_gpt2: Path, tiny_t5: Path
) -> None:
    tokenizer = tokenizer_of(tiny_chinese_gpt2, "generate")
    assert tokenizer.template("{source}") == "{source}[SEP]", "ends of lines are lost on it"
    (pieces,) = tokenizer.pieces(["[CLS]上海[SEP]"])
    assert tokenizer.opened(pieces.ids).tolist() == pieces.ids.tolist(), "a template may begin the text itself"
    assert tokenizer.opened(pieces.ids[1:]).tolist() == pieces.ids.tolist()
    assert tokenizer_of(tiny_gpt2, "generate").template("{source}") == ""
    assert tokenizer_of(tiny_t5, "generate").template("{source}") == ""


def test_a_model_that_is_not_there_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"cannot be loaded .*; expected a name on the Hub"):
        tokenizer_of(tmp_path / "nothing")


def test_folded_characters_are_other_pieces_at_the_same_places(tiny_bert: Path) -> None:
    plain, folding = tokenizer_of(tiny_bert), tokenizer_of(tiny_bert, fold=("width", "simplified"))
    (written,) = plain.pieces(["中国 film 2024"])
    (found,) = folding.pieces(["中國 ｆｉｌｍ ２０２４"])
    assert found.ids.tolist() == written.ids.tolist()
    assert found.starts.tolist() == written.starts.tolist()
    assert plain.pieces(["中國 ｆｉｌｍ"])[0].ids.tolist() != written.ids[: len(written.ids) - 1].tolist()


def test_a_saved_model_folds_as_it_learnt(tiny_bert: Path, tmp_path: Path) -> None:
    settings = ModelSettings(str(tiny_bert), "classify", ("a", "b"), fold=("width",))
    load_backbone(settings, Recipe(), load_tokenizer(settings)).save(tmp_path / "model")
    again = saved_backbone(tmp_path / "model", "cpu")
    assert again.settings.fold == again.tokenizer.fold == ("width",)
    assert saved_tokenizer(tmp_path / "model", again.settings).fold == ("width",)
