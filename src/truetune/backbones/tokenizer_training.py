"""Tokenizers trained on a corpus: WordPiece, byte-level BPE and Unigram, through `tokenizers`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from truetune.backbones.tokenizer import FastTokenizer

BERT_TOKENS = {
    "pad_token": "[PAD]",
    "unk_token": "[UNK]",
    "cls_token": "[CLS]",
    "sep_token": "[SEP]",
    "mask_token": "[MASK]",
}
UNKNOWN = BERT_TOKENS["unk_token"]
END = "<|endoftext|>"
KINDS = ("wordpiece", "bpe", "unigram")
Text = Iterable[str]


def trained_tokenizer(kind: str, texts: Text, vocabulary: int, longest: int, model: str) -> FastTokenizer:
    """Return a tokenizer of one of `KINDS` with at most `vocabulary` pieces, learnt of texts.

    `model`, `bert` or `gpt`, decides the special tokens. WordPiece puts texts into lower case and takes Chinese
    characters apart, as BERT does; BPE is byte-level, so no text has an unknown piece; what the others do not know is
    a piece of its own, never the end of a text. Which of equally frequent pieces come first differs from one training
    to the next.
    """
    from transformers import PreTrainedTokenizerFast

    names = dict(BERT_TOKENS) if model == "bert" else {"eos_token": END, "bos_token": END, "pad_token": END}
    if kind != "bpe":
        names["unk_token"] = UNKNOWN
    special = list(dict.fromkeys(names.values()))
    tokenizer, trainer = {"wordpiece": _wordpiece, "bpe": _bpe, "unigram": _unigram}[kind](vocabulary, special)
    tokenizer.train_from_iterator(texts, trainer)
    if model == "bert":
        _wrap(tokenizer)
    made = PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer, model_max_length=longest, **names
    )
    return FastTokenizer(made)


def _wordpiece(vocabulary: int, special: list[str]) -> tuple[Any, Any]:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.WordPiece({}, unk_token=UNKNOWN))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return tokenizer, trainers.WordPieceTrainer(vocab_size=vocabulary, special_tokens=special, show_progress=False)


def _bpe(vocabulary: int, special: list[str]) -> tuple[Any, Any]:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer, trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


def _unigram(vocabulary: int, special: list[str]) -> tuple[Any, Any]:
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.NFKC()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    trainer = trainers.UnigramTrainer(
        vocab_size=vocabulary, special_tokens=special, unk_token=UNKNOWN, show_progress=False
    )
    return tokenizer, trainer


def _wrap(tokenizer: Any) -> None:
    """Put [CLS] before and [SEP] behind a text, as BERT has them."""
    from tokenizers import processors

    start, end = tokenizer.token_to_id("[CLS]"), tokenizer.token_to_id("[SEP]")
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]",
        pair="[CLS] $A [SEP] $B:1 [SEP]:1",
        special_tokens=[("[CLS]", start), ("[SEP]", end)],
    )
