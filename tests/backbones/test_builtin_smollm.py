from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from truetune.backbones.builtin_smollm import convert_smollm, halves, transformers_name
from truetune.errors import MissingPackageError

HIDDEN, HEADS, KEY_HEADS, LAYERS, FEED_FORWARD = 64, 4, 2, 2, 96
TEMPLATE = "{% for m in messages %}<|im_start|>{{ m['content'] }}<|im_end|>{% endfor %}"


def silent(line: str) -> None:
    pass


def interleaved(rows: np.ndarray, heads: int) -> np.ndarray:
    """What llama.cpp's converter does to query and key rows: the reverse of `halves`."""
    return rows.reshape(heads, 2, -1, rows.shape[1]).swapaxes(1, 2).reshape(rows.shape)


def test_rows_of_pairs_become_first_and_second_halves() -> None:
    rows = np.arange(8, dtype=np.float32)[:, None]  # two heads of two pairs
    assert halves(rows, 2).ravel().tolist() == [0, 2, 1, 3, 4, 6, 5, 7]
    some = np.random.default_rng(0).normal(size=(48, 5)).astype(np.float32)
    assert np.array_equal(halves(interleaved(some, 3), 3), some)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("token_embd.weight", "model.embed_tokens.weight"),
        ("output_norm.weight", "model.norm.weight"),
        ("blk.0.attn_q.weight", "model.layers.0.self_attn.q_proj.weight"),
        ("blk.29.ffn_down.weight", "model.layers.29.mlp.down_proj.weight"),
        ("blk.7.ffn_norm.weight", "model.layers.7.post_attention_layernorm.weight"),
    ],
)
def test_names_are_those_of_llama(name: str, expected: str) -> None:
    assert transformers_name(name) == expected


def pieces() -> tuple[list[str], list[str]]:
    """A byte-level vocabulary with three control tokens and two merges."""
    from tokenizers.pre_tokenizers import ByteLevel

    control = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
    merges = ["h i", "Ġ hi"]
    return control + sorted(ByteLevel.alphabet()) + ["hi", "Ġhi"], merges


def write_gguf(path: Path, weights: dict[str, np.ndarray]) -> None:
    import gguf

    tokens, merges = pieces()
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_block_count(LAYERS)
    writer.add_context_length(128)
    writer.add_embedding_length(HIDDEN)
    writer.add_feed_forward_length(FEED_FORWARD)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KEY_HEADS)
    writer.add_rope_freq_base(100_000.0)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_vocab_size(len(tokens))
    writer.add_tokenizer_model("gpt2")
    writer.add_tokenizer_pre("smollm")
    writer.add_token_list(tokens)
    writer.add_token_types([3, 3, 3] + [1] * (len(tokens) - 3))
    writer.add_token_merges(merges)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    writer.add_unk_token_id(0)
    writer.add_pad_token_id(2)
    writer.add_chat_template(TEMPLATE)
    for name, values in weights.items():
        kind = gguf.GGMLQuantizationType.Q8_0 if values.ndim == 2 else gguf.GGMLQuantizationType.F32
        writer.add_tensor(name, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def random_model() -> Any:
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(3)
    config = LlamaConfig(
        vocab_size=len(pieces()[0]),
        hidden_size=HIDDEN,
        intermediate_size=FEED_FORWARD,
        num_hidden_layers=LAYERS,
        num_attention_heads=HEADS,
        num_key_value_heads=KEY_HEADS,
        max_position_embeddings=128,
        rms_norm_eps=1e-5,
        rope_theta=100_000.0,
        tie_word_embeddings=True,
        initializer_range=0.3,
    )
    return LlamaForCausalLM(config).eval()


@pytest.fixture(scope="module")
def converted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A random Llama, written as GGUF as llama.cpp does, and the folder converted from it."""
    for package in ("gguf", "torch", "transformers"):
        pytest.importorskip(package)
    model = random_model()
    ours = {transformers_name(name): name for name in gguf_names()}
    weights = {}
    for name, tensor in model.state_dict().items():
        if name in ours:
            values = tensor.numpy()
            heads = HEADS if "q_proj" in name else KEY_HEADS if "k_proj" in name else 0
            weights[ours[name]] = np.ascontiguousarray(interleaved(values, heads) if heads else values)
    folder = tmp_path_factory.mktemp("smollm")
    write_gguf(folder / "model.gguf", weights)
    (folder / "out").mkdir()
    convert_smollm(folder / "model.gguf", folder / "out", silent)
    return model, folder / "out"


def gguf_names() -> list[str]:
    parts = ["attn_norm", "attn_q", "attn_k", "attn_v", "attn_output", "ffn_norm", "ffn_gate", "ffn_up", "ffn_down"]
    blocks = [f"blk.{block}.{part}.weight" for block in range(LAYERS) for part in parts]
    return ["token_embd.weight", "output_norm.weight", *blocks]


def test_the_converted_model_computes_what_the_original_does(converted: tuple[Any, Path]) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    model, folder = converted
    again, info = AutoModelForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not info["unexpected_keys"]
    assert set(info["missing_keys"]) <= {"lm_head.weight"}  # tied to the embeddings
    ids = torch.arange(20)[None]
    with torch.no_grad():
        before, after = model(ids).logits, again.eval()(ids).logits
    # Eight bits a weight: close, while rows left interleaved or another rotary base would be far off.
    assert float((before - after).abs().mean() / before.abs().mean()) < 0.05
    assert not hasattr(again.config, "quantization_config")
    assert again.dtype == torch.float32


def test_the_tokenizer_merges_bytes_and_keeps_digits_apart(converted: tuple[Any, Path]) -> None:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(converted[1])
    assert tokenizer.tokenize("hi hi 42") == ["hi", "Ġhi", "Ġ", "4", "2"]
    assert tokenizer.decode(tokenizer("hi 好 hi")["input_ids"]) == "hi 好 hi"
    chat = [{"role": "user", "content": "hi"}]
    found = tokenizer.apply_chat_template(chat, return_dict=True)["input_ids"]
    assert found == [1, tokenizer.convert_tokens_to_ids("hi"), 2]
    assert tokenizer.eos_token == tokenizer.pad_token == "<|im_end|>"


def test_the_config_says_that_it_is_rounded(converted: tuple[Any, Path]) -> None:
    config = json.loads((converted[1] / "config.json").read_text(encoding="utf-8"))
    assert "must not be reported" in config["truetune_note"]


def test_without_gguf_the_package_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.backbones.builtin_smollm.find_spec", lambda name: None)
    with pytest.raises(MissingPackageError, match="pip install gguf"):
        convert_smollm(tmp_path / "model.gguf", tmp_path, silent)
