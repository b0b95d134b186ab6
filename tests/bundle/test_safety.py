"""A bundle from elsewhere: whatever could run code, lead out of it, or fill the memory is refused and named."""

from __future__ import annotations

import json
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import save_file

from truetune.bundle.format import Bundle, read_bundle, write_bundle
from truetune.bundle.safety import refuse_unsafe
from truetune.bundle.tensors import tensor_sizes
from truetune.errors import ModelError

CONFIG = {"model_type": "bert", "hidden_size": 4, "num_hidden_layers": 1, "vocab_size": 10}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A bundle as it should be."""
    found = tmp_path / "bundle"
    found.mkdir()
    write_bundle(found, Bundle("classification", ("a", "b"), False, 8, "base"))
    save_file({"words": np.zeros((10, 4), np.float32), "out": np.zeros((2, 4), np.float16)}, found / "m.safetensors")
    write(found / "config.json", CONFIG)
    write(found / "tokenizer_config.json", {"tokenizer_file": "tokenizer.json", "chat_template": "{{ messages[0].x }}"})
    write(found / "tokenizer.json", {"vocab": {"/etc/passwd": 0, "..": 1, "__class__": 2}})
    (found / "chat_template.jinja").write_text("{% for m in messages %}{{ m['content'] }}{% endfor %}", "utf-8")
    return found


def write(file: Path, value: Any) -> None:
    file.write_text(json.dumps(value), encoding="utf-8")


def header(file: Path, tensors: Any, data: bytes = b"", length: int | None = None) -> None:
    text = tensors if isinstance(tensors, bytes) else json.dumps(tensors).encode()
    file.write_bytes(struct.pack("<Q", len(text) if length is None else length) + text + data)


def refused(folder: Path, why: str) -> None:
    with pytest.raises(ModelError, match=why):
        read_bundle(folder)


def test_a_good_one_is_read(folder: Path) -> None:
    assert read_bundle(folder).labels == ("a", "b")
    assert tensor_sizes(folder / "m.safetensors") == {"words": 40, "out": 8}


@pytest.mark.parametrize("name", ["a.model", "b.txt", "c.md", "d.json", "e.jinja", "f.onnx", "g.spm"])
@pytest.mark.parametrize("content", [pickle.dumps([1]), b"PK\x03\x04 archive/data.pkl", b"\x1f\x8b packed"])
def test_a_pickle_under_an_allowed_name_is_refused(folder: Path, name: str, content: bytes) -> None:
    (folder / name).write_bytes(content)
    refused(folder, "under another name")


@pytest.mark.parametrize("name", ["weights.bin", "x.PT", "model.py", "run.sh", "a/b.pkl", "data.npy", "module.so", "x"])
def test_a_file_that_is_no_text_or_table_of_numbers_is_refused(folder: Path, name: str) -> None:
    (folder / name).parent.mkdir(exist_ok=True)
    (folder / name).write_bytes(pickle.dumps([1]))
    refused(folder, "may hold code")


@pytest.mark.parametrize("name", ["m.safetensors", "config.json", "truetune.json"])
def test_a_pickle_under_a_good_name_is_refused(folder: Path, name: str) -> None:
    (folder / name).write_bytes(pickle.dumps({"weights": [1.0] * 100}))
    refused(folder, "is no whole safetensors file|under another name")


@pytest.mark.parametrize(
    ("tensors", "data", "length", "why"),
    [
        ({}, b"", 2**40, "claims 1,099,511,627,776 bytes"),
        ({}, b"", 2**64 - 1, "claims"),
        ({"w": {"dtype": "F32", "shape": [2**40], "data_offsets": [0, 4]}}, b"1234", None, "claims shape"),
        ({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 2**50]}}, b"1234", None, "claims shape"),
        ({"w": {"dtype": "F32", "shape": [-1, -1], "data_offsets": [0, 4]}}, b"1234", None, "no proper shape"),
        ({"w": {"dtype": "F32", "shape": [1.0], "data_offsets": [0, 4]}}, b"1234", None, "no proper shape"),
        ({"w": {"dtype": "object", "shape": [1], "data_offsets": [0, 4]}}, b"1234", None, "unknown kind"),
        ({"w": []}, b"", None, "no table of tensors"),
        (b"[" * 100_000, b"", None, "no table of tensors"),
        (b"[]", b"", None, "no table of tensors"),
        (b"\xff\xfe", b"", None, "no table of tensors"),
    ],
)
def test_a_tensor_header_that_the_file_does_not_bear_out(
    folder: Path, tensors: Any, data: bytes, length: int | None, why: str
) -> None:
    header(folder / "m.safetensors", tensors, data, length)
    refused(folder, why)


@pytest.mark.parametrize("content", [b"", b"1234567"])
def test_a_file_without_a_header(folder: Path, content: bytes) -> None:
    (folder / "m.safetensors").write_bytes(content)
    refused(folder, "is no whole safetensors file")


@pytest.mark.parametrize(
    ("file", "value", "why"),
    [
        ("config.json", {"auto_map": {"AutoModel": "evil.Model"}}, "names code to run"),
        ("tokenizer_config.json", {"auto_map": {"AutoTokenizer": ["evil--x.T", None]}}, "names code to run"),
        ("adapter_config.json", {"base_model_name_or_path": "someone/else"}, "another model"),
        ("tokenizer_config.json", {"vocab_file": "../../secret.txt"}, "outside of the bundle"),
        ("tokenizer_config.json", {"vocab_file": "/etc/passwd"}, "outside of the bundle"),
        ("tokenizer_config.json", {"vocab_file": "C:\\secret.txt"}, "outside of the bundle"),
        ("tokenizer_config.json", {"deep": [{"merges_file": "..\\x"}]}, "outside of the bundle"),
        ("tokenizer_config.json", {"tokenizer_file": "https://host/t.json"}, "outside of the bundle"),
        ("m.safetensors.index.json", {"weight_map": {"w": "../other.safetensors"}}, "outside of the bundle"),
        ("tokenizer_config.json", {"chat_template": "{{ ''.__class__.__mro__ }}"}, "reaches for __"),
        ("tokenizer_config.json", {"chat_template": "{{ x|attr('__globals__') }}"}, "reaches for __globals__"),
        ("tokenizer_config.json", {"chat_template": "{{ x['__builtins__'] }}"}, "reaches for __builtins__"),
        ("tokenizer_config.json", {"chat_template": [{"name": "a", "template": "{% include '/etc/x' %}"}]}, "takes in"),
        ("config.json", {**CONFIG, "num_hidden_layers": 10**9}, "num_hidden_layers 1,000,000,000 is more"),
        ("config.json", {**CONFIG, "vocab_size": 10**12}, "vocab_size"),
        ("config.json", {"text_config": {**CONFIG, "hidden_size": 10**9}}, "is more than the 2 tensors"),
    ],
)
def test_json_that_names_code_or_other_files_or_impossible_sizes(folder: Path, file: str, value: Any, why: str) -> None:
    write(folder / file, value)
    refused(folder, why)


def test_a_template_in_a_file_of_its_own(folder: Path) -> None:
    (folder / "chat_template.jinja").write_text("{{ cycler.__init__.__globals__.os.popen('id').read() }}", "utf-8")
    refused(folder, r"chat_template.jinja: its chat template reaches for __")


def test_json_that_is_too_deep_is_no_crash(folder: Path) -> None:
    (folder / "config.json").write_text("[" * 200_000, encoding="utf-8")
    refused(folder, "is damaged")


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.json").write_text("{}", encoding="utf-8")
    (folder / "generation_config.json").symlink_to(tmp_path / "secret.json")
    refused(folder, "leads out of the bundle")


def test_links_of_the_hub_cache_are_read(folder: Path, tmp_path: Path) -> None:
    blobs, snapshot = tmp_path / "cache" / "blobs", tmp_path / "cache" / "snapshots" / "main"
    blobs.mkdir(parents=True)
    snapshot.mkdir(parents=True)
    for number, file in enumerate(sorted(folder.iterdir())):
        (blobs / str(number)).write_bytes(file.read_bytes())
        (snapshot / file.name).symlink_to(Path("..") / ".." / "blobs" / str(number))
    refuse_unsafe(snapshot)
    assert read_bundle(snapshot) == read_bundle(folder)
