"""A watched server over real sockets: labels, quality, a shadow that nobody waits for, sticky A/B, restarts."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import uvicorn

from truetune.live.features import Observed
from truetune.live.journal import read_journal
from truetune.live.quality import Quality, Watching
from truetune.live.reference import reference_of
from truetune.live.versus import versus
from truetune.serving import live as live_module
from truetune.serving.app import Guard, Source, application
from truetune.serving.batcher import Limits
from truetune.serving.live import Live, Other
from truetune.serving.telemetry import Telemetry

REFERENCE = reference_of(
    [{"label": "ab"[place % 2], "confidence": 0.8, "characters": 5.0} for place in range(200)],
    [place % 5 > 0 for place in range(200)],
)


@dataclass
class Letters:
    """A model that answers with the first letter of a text, or always with one label."""

    identity: str = "letters"
    always: str = ""
    seconds: float = 0.0
    reference: Any = REFERENCE
    width: int = 1
    tokens: int = 4096
    about: Mapping[str, Any] = field(
        default_factory=lambda: {"task": "letters", "inputs": ["text"], "labels": ["a", "b", "c"]}
    )

    def rows(self, texts: Sequence[Any]) -> list[list[Any]]:
        return [[text] for text in texts]

    def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        time.sleep(self.seconds)
        return [{"label": self.always or row[0][0], "scores": {"a": 0.8, "b": 0.8, "c": 0.8}} for row in rows]

    def observed(self, rows: Sequence[Sequence[Any]], answers: Sequence[Mapping[str, Any]]) -> list[Observed]:
        return [
            {"label": answer["label"], "confidence": 0.8, "characters": float(len(row[0]))}
            for row, answer in zip(rows, answers, strict=True)
        ]


@dataclass
class Running:
    port: int
    log: io.StringIO

    def asked(self, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            sent = None if body is None else json.dumps(body).encode()
            connection.request("GET" if body is None else "POST", path, sent, dict(headers or {}))
            found = connection.getresponse()
            text = found.read().decode()
            return found.status, text if path == "/metrics" else json.loads(text)
        finally:
            connection.close()

    def predict(self, texts: list[str], id: str, client: str = "") -> Any:
        status, found = self.asked("/v1/predict", {"texts": texts}, {"x-request-id": id, "x-client-id": client})
        assert status == 200
        return found

    def told(self) -> list[str]:
        return [one["told"] for one in map(json.loads, self.log.getvalue().splitlines()) if one["event"] == "quality"]


@contextmanager
def running(folder: Path, model: Letters | None = None, other: Other | None = None) -> Iterator[Running]:
    log = io.StringIO()
    telemetry = Telemetry(log)
    live = Live(Quality(folder, Watching(window=20, labelled=10)), telemetry, other)
    app = application(Source(lambda: model or Letters()), Limits(), Guard(), telemetry, live)
    server = uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5))
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.005)
    try:
        yield Running(listening.getsockname()[1], log)
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def test_drift_labels_and_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as at:
        for number in range(10):
            at.predict(["abcde", "bcdea"] * 2, f"quiet-{number}")
        status, quality = at.asked("/v1/quality")
        assert (status, quality["drift"]["examples"], quality["drift"]["alarm"]) == (200, 40, False)
        status, found = at.asked("/v1/labels", {"labels": {"quiet-0": "a", "quiet-0/1": "a", "nobody": "b"}})
        assert (status, found) == (200, {"taken": 2, "repeated": 0, "unknown": ["nobody"]})
        assert at.told() == ["starts anew: nothing was saved"]
    with running(tmp_path) as at:
        at.asked("/v1/quality")  # answered in its turn, after what is told at the beginning
        assert at.told() == ["goes on after 40 texts and 2 labels"]
        for number in range(10):
            at.predict(["a secret sentence that is longer"] * 12, f"long-{number}")
        quality = at.asked("/v1/quality")[1]
        assert quality["drift"]["alarm"]
        assert quality["labels"]["accuracy"]["value"] == 0.5
        page = at.asked("/metrics")[1]
        assert "truetune_drift_alarm 1.0" in page
        assert "truetune_live_labels 2.0" in page
    kept = "".join(file.read_text(encoding="utf-8") for file in tmp_path.iterdir())
    assert "secret" not in kept + at.log.getvalue()


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ({"labels": {"x": "a text that is no label"}}, "no label of the model"),
        ({"labels": {}}, "1 to 10,000"),
        ({"label": {}}, "one key"),
        ({"labels": {"x": 1}}, "no label of the model"),
    ],
)
def test_labels_that_cannot_be_are_refused(tmp_path: Path, body: Any, said: str) -> None:
    with running(tmp_path) as at:
        status, found = at.asked("/v1/labels", body)
    assert status == 422
    assert said in found["error"]


def test_a_shadow_is_kept_and_never_returned(tmp_path: Path) -> None:
    with running(tmp_path, other=Other(lambda: Letters("worse", always="a"), None)) as at:
        for number in range(12):
            assert at.predict(["b"], f"x-{number}") == {
                "model": "letters",
                "predictions": [{"label": "b", "scores": {"a": 0.8, "b": 0.8, "c": 0.8}}],
            }
        for _ in range(500):
            if at.asked("/v1/quality")[1]["shadow_waiting"] == 0:
                break
            time.sleep(0.01)
        at.asked("/v1/labels", {"labels": {f"x-{number}": "b" for number in range(12)}})
        time.sleep(0.2)
    found = versus(read_journal(tmp_path / "journal.jsonl"))
    assert found.models == ("letters", "worse")
    assert (found.texts, found.labelled, found.lost) == ((12, 12), (12, 12), 12)
    assert found.verdict == "worse"


def test_a_slow_shadow_slows_nobody_and_what_is_too_much_is_counted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "SHADOWED", 3)
    with running(tmp_path, other=Other(lambda: Letters("slow", seconds=0.5), None)) as at:
        begin = time.monotonic()
        for number in range(10):
            at.predict(["a"], f"x-{number}")
        assert time.monotonic() - begin < 4, "ten answers of the shadow would take five seconds"
        assert 5 <= at.asked("/v1/quality")[1]["dropped"]["shadow"] <= 7


def test_a_failing_shadow_harms_nobody(tmp_path: Path) -> None:
    class Broken(Letters):
        def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
            raise ValueError("a secret word")

    with running(tmp_path, other=Other(lambda: Broken("broken"), None)) as at:
        for number in range(3):
            at.predict(["a"], f"x-{number}")
        for _ in range(500):
            if at.asked("/v1/quality")[1]["dropped"]["shadow"] == 3:
                break
            time.sleep(0.01)
        assert at.asked("/v1/quality")[1]["dropped"]["shadow"] == 3
        assert "secret" not in at.log.getvalue()


def test_clients_stay_with_their_model(tmp_path: Path) -> None:
    with running(tmp_path, other=Other(lambda: Letters("second"), 0.3)) as at:
        given = {f"client-{one}": at.predict(["a"], f"x-{one}", f"client-{one}")["model"] for one in range(100)}
        again = {one: at.predict(["a"], f"y-{one}", one)["model"] for one in list(given)[:20]}
        assert all(given[one] == model for one, model in again.items())
        assert 15 <= sum(model == "second" for model in given.values()) <= 45
        assert at.asked("/v1/quality")[1]["drift"]["examples"] == 120 - sum(
            model == "second" for model in (*given.values(), *again.values())
        )


def test_without_a_reference_it_says_so(tmp_path: Path) -> None:
    with running(tmp_path, Letters(reference="has no reference.json")) as at:
        at.predict(["a"], "x")
        quality = at.asked("/v1/quality")[1]
    assert (quality["drift"], quality["reason"]) == (None, "has no reference.json")
