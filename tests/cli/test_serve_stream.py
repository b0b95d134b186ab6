"""`truetune serve` with a model that writes: what is streamed is the answer, piece by piece."""

from __future__ import annotations

import http.client
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.bundle.format import Bundle, write_bundle
from truetune.parity.http import serving_at
from truetune.workflows.served import BundlePlace

TEXTS = ["Anna visited Paris", "a lovely film", "中国人民银行"]


def writer(folder: Path, base: Path, **writing: Any) -> Path:
    """Save a bundle that writes, with weights that are drawn: what it says means nothing."""
    settings = ModelSettings(str(base), "generate", (), max_length=48, device="cpu")
    load_backbone(settings, Recipe(), load_tokenizer(settings)).save(folder)
    told = {"prompt": "Say: {source} =", "pieces": 12, **writing}
    write_bundle(folder, Bundle("translation", (), False, 48, "tiny", writing=told))
    return folder


@pytest.mark.parametrize("base", ["tiny_gpt2", "tiny_t5"])
@pytest.mark.parametrize("writing", [{}, {"temperature": 1.0, "seed": 3}, {"beams": 2}])
def test_pieces_are_the_text_and_the_last_line_is_the_answer(
    request: pytest.FixtureRequest, tmp_path: Path, base: str, writing: dict[str, Any]
) -> None:
    model = truetune.load(writer(tmp_path / "m", request.getfixturevalue(base), **writing), "cpu")
    for text in TEXTS:
        (expected,) = model.predict([text])
        (row,) = model.rows([text])
        told: list[str] = []
        assert model.written(row, lambda so_far, told=told: told.append(so_far) or True) == expected  # type: ignore[misc]
        assert 1 <= len(told) <= 12
        if not writing.get("beams"):
            assert told[-1] == expected["text"]
            assert all(expected["text"].startswith(one.rstrip("\ufffd")) for one in told)
    calls: list[str] = []
    model.written(row, lambda so_far: bool(calls.append(so_far)))
    assert len(calls) == 1, "who is told to stop writes no further piece"


@contextmanager
def asked(port: int, text: str) -> Iterator[list[dict[str, Any]]]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("POST", "/v1/stream", json.dumps({"texts": [text]}).encode())
    yield [json.loads(line) for line in connection.getresponse().read().splitlines()]
    connection.close()


def test_what_is_streamed_over_http_is_the_offline_answer(tmp_path: Path, tiny_gpt2: Path) -> None:
    folder = writer(tmp_path / "m", tiny_gpt2)
    offline = truetune.load(folder, "cpu").predict(TEXTS[:1])
    assert BundlePlace(folder, "cpu").load().about["streams"]
    with serving_at(folder) as port, asked(port, TEXTS[0]) as (*pieces, last):
        assert last["predictions"] == offline
        assert "".join(one["piece"] for one in pieces) == offline[0]["text"]
