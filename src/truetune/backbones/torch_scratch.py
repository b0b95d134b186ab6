"""New models by size, with random weights: what pretraining from scratch begins with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from truetune.backbones.pretrained import quiet
from truetune.backbones.tokenizer import FastTokenizer
from truetune.errors import ModelError, nearest
from truetune.files import whole_folder

SIZES = {"tiny": (2, 128), "mini": (4, 256), "small": (4, 512)}
"""Layers and hidden size, those of [Turc et al. 2019]; a head of attention per 64, inner layers four times as wide."""
NEW = "new:"
LONGEST = 128
"""The longest input in pieces, unless `model.max_length` says otherwise."""
KINDS = ("bert", "gpt")
NAMES = tuple(f"{NEW}{kind}-{size}" for kind in KINDS for size in SIZES)


def kind_of(name: str) -> str:
    """Return `bert` or `gpt` of `new:KIND-SIZE`; raises ModelError for a name that is not known."""
    if name not in NAMES:
        raise ModelError(f"model.name: unknown new model {name!r}; {nearest(name, NAMES)}")
    return name.removeprefix(NEW).partition("-")[0]


def write_new_model(folder: Path, name: str, tokenizer: FastTokenizer, longest: int, seed: int) -> None:
    """Write a model with random weights and its tokenizer, as Transformers loads them; whole or not at all."""
    layers, hidden = SIZES[name.rpartition("-")[2]]
    with quiet(), torch.random.fork_rng(devices=[]), whole_folder(folder) as temporary:
        torch.manual_seed(seed)
        make = _bert if kind_of(name) == "bert" else _gpt
        make(layers, hidden, longest, tokenizer).save_pretrained(temporary)
        tokenizer.transformers.model_max_length = longest
        tokenizer.save(temporary)


def _bert(layers: int, hidden: int, longest: int, tokenizer: FastTokenizer) -> Any:
    from transformers import BertConfig, BertForMaskedLM

    config = BertConfig(
        vocab_size=tokenizer.size,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=hidden // 64,
        intermediate_size=4 * hidden,
        max_position_embeddings=longest,
        pad_token_id=tokenizer.pad,
    )
    return BertForMaskedLM(config)


def _gpt(layers: int, hidden: int, longest: int, tokenizer: FastTokenizer) -> Any:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(
        vocab_size=tokenizer.size,
        n_embd=hidden,
        n_layer=layers,
        n_head=hidden // 64,
        n_positions=longest,
        bos_token_id=tokenizer.end,
        eos_token_id=tokenizer.end,
        pad_token_id=tokenizer.pad,
    )
    return GPT2LMHeadModel(config)
