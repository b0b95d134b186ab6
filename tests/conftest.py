"""Settings of all tests, and tiny pretrained models that they build themselves."""

from __future__ import annotations

import io
import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

# One thread a process: the tests run side by side, and threads of tiny models that wait for each other on taken cores
# make a suite of ten minutes one of an hour.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# How long one example takes says something about the machine, not about the code. Where CI is set the examples are
# the same every time, so that what landed cannot fail by chance; elsewhere they are new every time, to find more.
settings.register_profile("truetune", deadline=None, derandomize=bool(os.environ.get("CI")))
settings.load_profile("truetune")

FIXTURES = Path(__file__).parent / "fixtures"
CORPUS = [
    "Anna visited Paris and Berlin with Bob.",
    "A dull, tedious film; the plot is bad and boring!",
    "What a lovely and brilliant story: warm, funny, great.",
    "中国人民银行在上海。张三去了北京，李四留在东京。",
    "unbelievable tokenization of antidisestablishmentarianism 2024",
]


@pytest.fixture(scope="session")
def tiny_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BERT of 2 layers and a WordPiece tokenizer."""
    return _bert(tmp_path_factory.mktemp("tiny-bert"), ())


@pytest.fixture(scope="session")
def tiny_marking_bert(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with such a BERT whose vocabulary has the signs that mark a pair of entities."""
    return _bert(tmp_path_factory.mktemp("tiny-marking-bert"), ("@", "#", "*", "^"))


@pytest.fixture(scope="session")
def tiny_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random GPT-2 of 2 layers and a byte-level BPE tokenizer without special tokens around texts."""
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(vocab_size=300, n_embd=32, n_layer=2, n_head=4, n_positions=64, eos_token_id=0, bos_token_id=0)
    folder = tmp_path_factory.mktemp("tiny-gpt2")
    return _saved(folder, GPT2Model, config, _byte_level(), {"eos_token": "<|end|>", "bos_token": "<|end|>"})


@pytest.fixture(scope="session")
def tiny_chinese_gpt2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random GPT-2 and BERT's tokenizer, as most models that write Chinese have it."""
    from transformers import GPT2Config, GPT2LMHeadModel

    tokenizer, names = _wordpieces()
    config = GPT2Config(vocab_size=tokenizer.get_vocab_size(), n_embd=32, n_layer=2, n_head=4, n_positions=64)
    return _saved(tmp_path_factory.mktemp("tiny-chinese-gpt2"), GPT2LMHeadModel, config, tokenizer, names)


@pytest.fixture(scope="session")
def tiny_roberta(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random XLM-RoBERTa of 2 layers, whose positions are counted from behind the padding id."""
    from transformers import XLMRobertaConfig, XLMRobertaModel

    config = XLMRobertaConfig(
        vocab_size=300,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=66,
        type_vocab_size=1,
        pad_token_id=1,
        eos_token_id=0,
        bos_token_id=0,
    )
    tokenizer = _byte_level()
    names = {"eos_token": "<|end|>", "pad_token": tokenizer.id_to_token(1)}
    return _saved(tmp_path_factory.mktemp("tiny-roberta"), XLMRobertaModel, config, tokenizer, names)


@pytest.fixture(scope="session")
def tiny_llama(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Llama of 2 layers (grouped queries, rotary positions) and a byte-level BPE tokenizer."""
    from transformers import LlamaConfig, LlamaModel

    config = LlamaConfig(
        vocab_size=300,
        hidden_size=32,
        intermediate_size=64,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        max_position_embeddings=64,
        eos_token_id=0,
        bos_token_id=0,
    )
    folder = tmp_path_factory.mktemp("tiny-llama")
    return _saved(folder, LlamaModel, config, _byte_level(), {"eos_token": "<|end|>", "pad_token": "<|end|>"})


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random T5 of 2 layers whose tokenizer ends every text."""
    from tokenizers import processors
    from transformers import T5Config, T5ForConditionalGeneration

    tokenizer = _byte_level()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <|end|>", special_tokens=[("<|end|>", 0)])
    config = T5Config(
        vocab_size=300,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        eos_token_id=0,
        pad_token_id=1,
        decoder_start_token_id=1,
        max_position_embeddings=64,
    )
    names = {"eos_token": "<|end|>", "pad_token": tokenizer.id_to_token(1)}
    return _saved(tmp_path_factory.mktemp("tiny-t5"), T5ForConditionalGeneration, config, tokenizer, names)


@pytest.fixture(scope="session")
def tiny_bart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random BART of 2 layers, whose files force an end at the last piece, as BART's do."""
    from tokenizers import processors
    from transformers import BartConfig, BartForConditionalGeneration

    tokenizer = _byte_level()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <|end|>", special_tokens=[("<|end|>", 0)])
    sizes = {f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in _BART_SIZES.items()}
    config = BartConfig(
        vocab_size=300,
        d_model=32,
        **sizes,
        bos_token_id=0,
        eos_token_id=0,
        pad_token_id=1,
        decoder_start_token_id=0,
        forced_eos_token_id=0,
        max_position_embeddings=64,
    )
    names = {"eos_token": "<|end|>", "pad_token": tokenizer.id_to_token(1)}
    return _saved(tmp_path_factory.mktemp("tiny-bart"), BartForConditionalGeneration, config, tokenizer, names)


@pytest.fixture(scope="session")
def tiny_marian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a random Marian of 2 layers for English and Chinese, with the files that those of opus-mt have."""
    from transformers import MarianConfig, MarianMTModel

    folder = tmp_path_factory.mktemp("tiny-marian")
    for name, texts in (("source.spm", ENGLISH), ("target.spm", CHINESE)):
        (folder / name).write_bytes(sentencepiece_model(texts))
    pieces = ["</s>", "<unk>", *marian_pieces(folder), ">>cmn_Hans<<", "<pad>"]
    (folder / "vocab.json").write_text(json.dumps({piece: place for place, piece in enumerate(pieces)}))
    (folder / "tokenizer_config.json").write_text(json.dumps({"source_lang": "eng", "target_lang": "zho"}))
    sizes = {f"{side}_{name}": size for side in ("encoder", "decoder") for name, size in _BART_SIZES.items()}
    end, pad = 0, len(pieces) - 1
    config = MarianConfig(
        vocab_size=len(pieces),
        d_model=32,
        **sizes,
        activation_function="swish",
        scale_embedding=True,
        eos_token_id=end,
        pad_token_id=pad,
        decoder_start_token_id=pad,
        forced_eos_token_id=end,
        max_position_embeddings=64,
    )
    _model_saved(folder, MarianMTModel, config)
    writing = {"bad_words_ids": [[pad]], "bos_token_id": end, "max_length": 64, "num_beams": 4}
    older = {"normalize_embedding": False, "static_position_embeddings": True, "num_hidden_layers": 2}
    _add(folder / "config.json", {**writing, **older})
    _add(folder / "generation_config.json", {**writing, "renormalize_logits": True})
    return folder


def _add(file: Path, values: dict[str, Any]) -> None:
    file.write_text(json.dumps({**json.loads(file.read_text(encoding="utf-8")), **values}), encoding="utf-8")


def sentencepiece_model(texts: list[str], **settings: Any) -> bytes:
    """Return the file of a SentencePiece model of about 120 pieces, always the same for the same texts."""
    from sentencepiece import SentencePieceTrainer

    written = io.BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(texts),
        model_writer=written,
        **{"vocab_size": 120, "character_coverage": 1.0, **settings},
        hard_vocab_limit=False,
        num_threads=1,
        minloglevel=2,
    )
    return written.getvalue()


def marian_pieces(folder: Path) -> list[str]:
    """Return the pieces of both sides but for a few, which are unknown then, as it is in the files of opus-mt."""
    from sentencepiece import SentencePieceProcessor

    found: dict[str, None] = {}
    for name in ("source.spm", "target.spm"):
        side = SentencePieceProcessor(model_file=str(folder / name))
        found |= dict.fromkeys(side.id_to_piece(place) for place in range(3, side.vocab_size()) if place % 17 != 9)
    return list(found)


ENGLISH = [text for text in CORPUS if text.isascii()]
CHINESE = [
    "中国人民银行在上海。张三去了北京，李四留在东京。",
    "很棒的电影！情节沉闷，故事（2024）温暖又有趣。",
    *ENGLISH[:1],
]
_BART_SIZES = {"layers": 2, "attention_heads": 4, "ffn_dim": 64}


def _bert(folder: Path, more: tuple[str, ...]) -> Path:
    from transformers import BertConfig, BertModel

    tokenizer, names = _wordpieces(more)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    return _saved(folder, BertModel, config, tokenizer, names)


def _wordpieces(more: tuple[str, ...] = ()) -> tuple[Any, dict[str, str]]:
    """Make a tokenizer of fixed pieces: those that training on `CORPUS` found once, for it finds others each time."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

    pieces = [*(FIXTURES / "tiny_wordpieces.txt").read_text(encoding="utf-8").split("\n")[:-1], *more]
    vocabulary = {piece: place for place, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    tokenizer.add_special_tokens(special)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    return tokenizer, {**names, "mask_token": "[MASK]"}


def _byte_level() -> Any:
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<|end|>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    return tokenizer


def _saved(folder: Path, model_class: Any, config: Any, tokenizer: Any, names: dict[str, str]) -> Path:
    from transformers import PreTrainedTokenizerFast

    _model_saved(folder, model_class, config)
    length = config.max_position_embeddings
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_max_length=length, **names).save_pretrained(folder)
    return folder


def _model_saved(folder: Path, model_class: Any, config: Any) -> None:
    import torch
    from transformers.utils import logging

    logging.disable_progress_bar()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model_class(config).save_pretrained(folder)
