"""XLM-R's SentencePiece Unigram tokenizer, built with `tokenizers` from pieces, scores and character map."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truetune.errors import ModelError
from truetune.files import write_json

FULLWIDTH_TILDE, HIDDEN_TILDE = "\uff5e", "\ufdd0"


@dataclass(frozen=True, slots=True)
class Tokens:
    """A Unigram vocabulary: the position of a piece is its id."""

    pieces: list[str]
    scores: list[float]
    bos: int
    eos: int
    pad: int
    unknown: int
    normaliser: dict[str, str]
    """Character -> replacement, as the model was trained with."""


def write_tokenizer(tokens: Tokens, folder: Path, max_length: int) -> None:
    """Write tokenizer.json and tokenizer_config.json for Transformers' fast tokenizer."""
    unigram_tokenizer(tokens).save(str(folder / "tokenizer.json"))
    pieces = tokens.pieces
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": max_length,
        "model_input_names": ["input_ids", "attention_mask"],
        "bos_token": pieces[tokens.bos],
        "cls_token": pieces[tokens.bos],
        "eos_token": pieces[tokens.eos],
        "sep_token": pieces[tokens.eos],
        "pad_token": pieces[tokens.pad],
        "unk_token": pieces[tokens.unknown],
        "mask_token": "<mask>",
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / "tokenizer_config.json", config)


def unigram_tokenizer(tokens: Tokens) -> Any:
    """Return the `tokenizers.Tokenizer`: normalise, metaspace, Unigram, `<s> A </s>` or `<s> A </s></s> B </s>`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers, processors

    vocabulary = list(zip(tokens.pieces, tokens.scores, strict=True))
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=tokens.unknown, byte_fallback=False))
    tokenizer.normalizer = _normalizer(tokens.normaliser)
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    bos, eos = tokens.pieces[tokens.bos], tokens.pieces[tokens.eos]
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, tokens.bos), (eos, tokens.eos)],
    )
    special = [bos, tokens.pieces[tokens.pad], eos, tokens.pieces[tokens.unknown]]
    tokenizer.add_special_tokens([AddedToken(piece, normalized=False, special=True) for piece in special])
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, normalized=False, special=True)])
    return tokenizer


def _normalizer(table: Mapping[str, str]) -> Any:
    """Return the table as few normalisers: it is NFKC, but for characters deleted and made spaces.

    NFKC would turn the full-width tilde, frequent in Chinese, into an ASCII one; the table leaves it, so it
    is hidden behind a noncharacter meanwhile. Raises ModelError where the table holds any other exception.
    """
    from tokenizers import Regex, normalizers

    exceptions = {
        character: replacement
        for character, replacement in table.items()
        if unicodedata.normalize("NFKC", character) != replacement
    }
    deleted = [character for character, replacement in exceptions.items() if replacement == ""]
    spaces = [character for character, replacement in exceptions.items() if replacement == " "]
    if len(deleted) + len(spaces) != len(exceptions) or FULLWIDTH_TILDE in table:
        raise ModelError("the tokenizer's character map is not NFKC with deleted characters and spaces")
    steps = [
        *([normalizers.Replace(Regex(_one_of(deleted)), "")] if deleted else []),
        *([normalizers.Replace(Regex(_one_of(spaces)), " ")] if spaces else []),
        normalizers.Replace(FULLWIDTH_TILDE, HIDDEN_TILDE),
        normalizers.NFKC(),
        normalizers.Replace(HIDDEN_TILDE, FULLWIDTH_TILDE),
        normalizers.Strip(left=False, right=True),
        normalizers.Replace(Regex(" {2,}"), " "),
    ]
    return normalizers.Sequence(steps)


def _one_of(characters: list[str]) -> str:
    return "[" + "".join(f"\\x{{{ord(character):x}}}" for character in characters) + "]"
