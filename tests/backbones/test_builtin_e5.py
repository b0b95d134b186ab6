from __future__ import annotations

import json
import struct
from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.builtin_e5 import convert_e5, dequantised, float_weights, read_e5, transformers_name
from truetune.backbones.builtin_e5_tokenizer import Tokens, unigram_tokenizer
from truetune.errors import ModelError

HIDDEN, FEED_FORWARD, POSITIONS = 32, 64, 8
PIECES = ["<s>", "<pad>", "</s>", "<unk>", "▁", "好", "▁好", "ab", "a", "b", "～", "1", "<mask>"]
SCORES = [0.0, 0.0, 0.0, 0.0, -2.0, -3.0, -3.5, -1.0, -4.0, -4.0, -5.0, -5.0, 0.0]
NORMALISER = {"\u0001": "", "\n": " ", "\u200b": " ", "ａ": "a", "①": "1"}


def silent(line: str) -> None:
    pass


def q4(rows: int, columns: int, rng: np.random.Generator) -> bytes:
    blocks = np.zeros(rows * columns // 32, dtype=[("scale", "<f2"), ("halves", "u1", 16)])
    blocks["scale"] = rng.normal(size=len(blocks))
    blocks["halves"] = rng.integers(0, 256, size=(len(blocks), 16))
    return blocks.tobytes()


def e5_bytes() -> bytes:
    """A whole file of the format with one layer, written as the module's docstring describes it."""
    rng = np.random.default_rng(5)
    shapes = {
        "emb.word": (len(PIECES) + 3, HIDDEN),
        "emb.pos": (POSITIONS, HIDDEN),
        "emb.type": (2, HIDDEN),
        "emb.ln.w": (HIDDEN,),
        "emb.ln.b": (HIDDEN,),
    }
    for part in ("q", "k", "v", "ao"):
        shapes |= {f"l0.{part}.w": (HIDDEN, HIDDEN), f"l0.{part}.b": (HIDDEN,)}
    shapes |= {"l0.fi.w": (FEED_FORWARD, HIDDEN), "l0.fi.b": (FEED_FORWARD,)}
    shapes |= {"l0.fo.w": (HIDDEN, FEED_FORWARD), "l0.fo.b": (HIDDEN,)}
    shapes |= {f"l0.{norm}.{kind}": (HIDDEN,) for norm in ("aln", "oln") for kind in "wb"}
    head = b"E5S1" + struct.pack("<I", 1)
    head += struct.pack("<7i", HIDDEN, 1, 4, FEED_FORWARD, len(PIECES) + 3, POSITIONS, 2)
    head += struct.pack("<fi", 1e-12, 32)
    head += struct.pack("<5i", len(PIECES), 0, 2, 1, 3)
    blob = "".join(PIECES).encode()
    offsets = np.cumsum([0, *(len(piece.encode()) for piece in PIECES)])
    head += struct.pack("<Q", len(blob)) + offsets.astype("<u4").tobytes()
    head += np.array(SCORES, dtype="<f4").tobytes() + blob
    entries = b"".join(
        struct.pack(f"<IB{len(text)}I", ord(character), len(text), *map(ord, text))
        for character, text in NORMALISER.items()
    )
    head += struct.pack("<iI", len(NORMALISER), len(entries)) + entries
    quantised = {name for name, shape in shapes.items() if len(shape) == 2} - {"emb.pos", "emb.type"}
    contents = [
        q4(*shape, rng) if name in quantised else rng.normal(size=shape).astype("<f4").tobytes()
        for name, shape in shapes.items()
    ]
    directory = struct.pack("<i", len(shapes))
    place = len(head) + 4 + sum(2 + len(name) + 21 for name in shapes)
    for (name, shape), content in zip(shapes.items(), contents, strict=True):
        directory += struct.pack("<H", len(name)) + name.encode()
        directory += struct.pack("<BIQQ", name in quantised, int(np.prod(shape)), place, len(content))
        place += len(content)
    return head + directory + b"".join(contents)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("e5") / "small.bin"
    path.write_bytes(e5_bytes())
    return path


def test_a_block_is_a_scale_and_sixteen_bytes_low_halves_first() -> None:
    halves = bytes([0x80 + place for place in range(16)])  # low half: its place, high half: 8
    raw = np.float16(0.5).tobytes() + halves
    values = dequantised(raw, 32)
    assert values.shape == (1, 32)
    assert values[0, :16].tolist() == [(place - 8) * 0.5 for place in range(16)]
    assert values[0, 16:].tolist() == [0.0] * 16


def test_rows_are_made_of_blocks_in_order() -> None:
    raw = b"".join(np.float16(scale).tobytes() + bytes([0x99] * 16) for scale in (1, 2, 3, 4))
    assert dequantised(raw, 64)[:, ::32].tolist() == [[1, 2], [3, 4]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("emb.word", "embeddings.word_embeddings.weight"),
        ("emb.ln.b", "embeddings.LayerNorm.bias"),
        ("l0.q.w", "encoder.layer.0.attention.self.query.weight"),
        ("l11.ao.b", "encoder.layer.11.attention.output.dense.bias"),
        ("l3.aln.w", "encoder.layer.3.attention.output.LayerNorm.weight"),
        ("l3.fi.w", "encoder.layer.3.intermediate.dense.weight"),
        ("l3.oln.b", "encoder.layer.3.output.LayerNorm.bias"),
    ],
)
def test_names_are_those_of_bert(name: str, expected: str) -> None:
    assert transformers_name(name) == expected


def test_a_file_of_another_format_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.bin"
    path.write_bytes(b"GGUF" + bytes(100))
    with pytest.raises(ModelError, match="begins with b'GGUF', expected b'E5S1'"):
        read_e5(path)


def test_the_converted_folder_loads_as_a_bert_with_the_weights_of_the_file(file: Path, tmp_path: Path) -> None:
    convert_e5(file, tmp_path, silent)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    assert "must not be reported" in config["truetune_note"]
    transformers = pytest.importorskip("transformers")
    model, info = transformers.BertModel.from_pretrained(tmp_path, add_pooling_layer=False, output_loading_info=True)
    assert not info["missing_keys"]
    assert not info["unexpected_keys"]
    state = model.state_dict()
    for name, values in float_weights(read_e5(file)).items():
        assert np.array_equal(state[name].numpy(), values), name
    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path)
    assert tokenizer.model_max_length == POSITIONS
    assert tokenizer("好ab")["input_ids"] == [0, 6, 7, 2]
    assert (tokenizer.pad_token_id, tokenizer.unk_token_id, tokenizer.mask_token_id) == (1, 3, 12)


def tokens() -> Tokens:
    return Tokens(PIECES, SCORES, 0, 2, 1, 3, NORMALISER)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("好", ["▁好"]),
        ("好好", ["▁好", "好"]),
        ("ab好", ["▁", "ab", "好"]),  # -2 - 1 - 3: better than a, b apart
        ("ａb", ["▁", "ab"]),  # full width
        ("好～", ["▁好", "～"]),  # NFKC alone would make it an unknown ASCII tilde
        ("好\u0001好", ["▁好", "好"]),  # a control character is deleted
        ("好\n好", ["▁好", "▁好"]),  # a line break is a space
        ("好 \u200b  好 ", ["▁好", "▁好"]),  # spaces are one, and none at the end
        ("①", ["▁", "1"]),
        ("好?", ["▁好", "<unk>"]),
    ],
)
def test_the_tokenizer_normalises_and_cuts_as_the_scores_say(text: str, pieces: list[str]) -> None:
    pytest.importorskip("tokenizers")
    ids = unigram_tokenizer(tokens()).encode(text, add_special_tokens=False).ids
    assert [PIECES[number] for number in ids] == pieces


def test_offsets_are_those_of_the_text_before_normalising() -> None:
    pytest.importorskip("tokenizers")
    text = "好\u0001～ ａb"
    found = unigram_tokenizer(tokens()).encode(text, add_special_tokens=False)
    cut = [(piece, text[low:high].strip()) for piece, (low, high) in zip(found.tokens, found.offsets, strict=True)]
    assert cut == [("▁好", "好"), ("～", "～"), ("▁", ""), ("ab", "ａb")]


def test_special_tokens_frame_one_text_and_two() -> None:
    pytest.importorskip("tokenizers")
    tokenizer = unigram_tokenizer(tokens())
    assert tokenizer.encode("好").tokens == ["<s>", "▁好", "</s>"]
    assert tokenizer.encode("好", "ab").tokens == ["<s>", "▁好", "</s>", "</s>", "▁", "ab", "</s>"]


def test_a_character_map_that_is_not_understood_is_refused() -> None:
    pytest.importorskip("tokenizers")
    odd = Tokens(PIECES, SCORES, 0, 2, 1, 3, {"ß": "ss"})
    with pytest.raises(ModelError, match="not NFKC"):
        unigram_tokenizer(odd)
