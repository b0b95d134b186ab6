"""`truetune serve --scale ray`: the same answers from replicas of Ray Serve, and a stop that loses none."""

from __future__ import annotations

import http.client
import json
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import truetune
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.bundle.format import Bundle, write_bundle
from truetune.cli.main import main

TEXTS = ["a lovely film", "dull", "中国人民银行", "Anna visited Paris and Berlin"]


@pytest.fixture
def place(tmp_path: Path, tiny_bert: Path) -> Path:
    settings = ModelSettings(str(tiny_bert), "classify", ("neg", "pos"), max_length=24)
    load_backbone(settings, Recipe(), load_tokenizer(settings)).save(tmp_path / "model")
    write_bundle(tmp_path / "model", Bundle("classification", ("neg", "pos"), False, 24, "tiny"))
    return tmp_path / "model"


def asked(port: int, path: str, body: bytes | None = None) -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    try:
        connection.request("GET" if body is None else "POST", path, body)
        answer = connection.getresponse()
        content = answer.read()
        return answer.status, json.loads(content) if content.startswith(b"{") else content.decode()
    finally:
        connection.close()


def ready(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(3000):
        assert process.poll() is None, log.read_text(encoding="utf-8")[-3000:]
        try:
            if asked(port, "/ready")[0] == 200:
                return
        except (OSError, http.client.HTTPException):
            pass
        time.sleep(0.1)
    raise AssertionError(log.read_text(encoding="utf-8")[-3000:])


@pytest.mark.slow
def test_replicas_of_ray_give_the_offline_answers_and_lose_none_when_stopped(place: Path, tmp_path: Path) -> None:
    pytest.importorskip("ray.serve")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    words = ["serve", str(place), "--port", str(port), "--scale", "ray", "--workers", "2", "--texts", "5"]
    log = tmp_path / "ray.log"
    with log.open("wb") as file:
        process = subprocess.Popen([sys.executable, "-m", "truetune", *words], stdout=file, stderr=file)
    try:
        ready(process, port, log)
        offline = truetune.load(place).predict(TEXTS)
        found: list[tuple[int, Any]] = []

        def client() -> None:
            for _ in range(10):
                found.append(asked(port, "/v1/predict", json.dumps({"texts": TEXTS}).encode()))

        threads = [threading.Thread(target=client) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [status for status, _ in found] == [200] * 40
        for _, answer in found:
            for one, other in zip(answer["predictions"], offline, strict=True):
                assert one["label"] == other["label"]
                assert one["scores"] == pytest.approx(other["scores"], abs=1e-4)
        assert asked(port, "/v1/predict", b"{")[0] == 422
        assert asked(port, "/v1/predict", json.dumps({"texts": ["a"] * 6}).encode())[0] == 422
        _, page = asked(port, "/metrics")
        assert 'truetune_requests_total{path="/v1/predict",status="200"} 40.0' in page, "replicas are added up"
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
        said = log.read_text(encoding="utf-8")
        assert said.count('"event": "stopped"') == 2, said[-3000:]
        assert "lovely" not in said, "no text stands in the log"
    finally:
        process.kill()
        process.wait()


def test_without_ray_it_is_told_what_to_install(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["serve", str(place), "--scale", "ray"]) == 2
    assert "truetune[ray]" in capsys.readouterr().err
