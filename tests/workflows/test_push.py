"""`truetune push` against a Hub of our own on this machine: what arrives is the bundle, byte for byte."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from truetune.bundle.format import Bundle, write_bundle
from truetune.cli.main import main


class Hub(BaseHTTPRequestHandler):
    """As much of the Hub as takes a repository and a commit of small files."""

    repositories: list[dict[str, Any]]
    files: dict[str, bytes]
    tokens: list[str]
    refuse = False

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.tokens.append(self.headers.get("Authorization", ""))
        if self.refuse:
            self.answered(403, {"error": "You may not write here"})
        elif self.path == "/api/repos/create":
            self.repositories.append(json.loads(body))
            self.answered(200, {"url": f"http://{self.headers['Host']}/me/reviews", "name": "me/reviews"})
        elif self.path == "/api/validate-yaml":
            self.answered(200, {"errors": [], "warnings": []})
        elif "/preupload/" in self.path:
            modes = {"uploadMode": "regular", "shouldIgnore": False}
            self.answered(200, {"files": [{"path": one["path"], **modes} for one in json.loads(body)["files"]]})
        elif "/commit/" in self.path:
            for line in map(json.loads, body.splitlines()):
                if line["key"] == "file":
                    self.files[line["value"]["path"]] = base64.b64decode(line["value"]["content"])
            address = f"http://{self.headers['Host']}/me/reviews/commit/abc"
            self.answered(200, {"commitUrl": address, "commitOid": "abc", "pullRequestUrl": None})
        else:
            self.answered(404, {"error": self.path})

    def do_GET(self) -> None:
        if self.refuse:
            self.answered(403, {"error": "You may not look here"})
            return
        self.answered(200, {"id": "me/reviews", "sha": "0" * 40, "siblings": [], "private": True})

    def answered(self, status: int, value: Any) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *words: Any) -> None:
        pass


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name, value in {"repositories": [], "files": {}, "tokens": [], "refuse": False}.items():
        monkeypatch.setattr(Hub, name, value, raising=False)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def run(tmp_path: Path) -> Path:
    model = tmp_path / "run" / "model"
    model.mkdir(parents=True)
    write_bundle(model, Bundle("classification", ("a", "好"), False, 8, "base"))
    (model / "README.md").write_text("卡", encoding="utf-8")
    return tmp_path / "run"


def test_the_bundle_arrives_whole(hub: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", str(run), "me/reviews", "--endpoint", hub]) == 0
    assert capsys.readouterr().out.strip().endswith("/commit/abc")
    assert Hub.files == {file.name: file.read_bytes() for file in (run / "model").iterdir()}
    assert Hub.repositories[0]["name"] == "reviews"
    assert Hub.repositories[0].get("private", Hub.repositories[0].get("visibility") == "private") is True
    assert set(Hub.tokens) == {"Bearer hf_secret"}


def test_what_may_hold_code_is_not_sent(hub: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (run / "model" / "weights.bin").touch()
    assert main(["push", str(run), "me/reviews", "--endpoint", hub]) == 2
    assert "may hold code" in capsys.readouterr().err
    assert Hub.repositories == []


def test_a_hub_that_refuses_is_told_of(
    hub: str, run: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hub, "refuse", True)
    assert main(["push", str(run), "me/reviews", "--endpoint", hub]) == 2
    said = capsys.readouterr().err
    assert "the Hub did not take it" in said
    assert "hf_secret" not in said


def test_a_name_that_is_none_is_told_of(hub: str, run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["push", str(run), "me/re views/x", "--endpoint", hub]) == 2
    assert "expected USER/NAME" in capsys.readouterr().err
