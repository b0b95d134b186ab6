"""The application over real sockets, with a model that answers without weights."""

from __future__ import annotations

import http.client
import io
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from prometheus_client.parser import text_string_to_metric_families

from truetune.errors import DataError
from truetune.serving.app import Source, application
from truetune.serving.batcher import Limits
from truetune.serving.guarded import Guard
from truetune.serving.telemetry import Telemetry

KEY = "k" * 20


@dataclass
class Lengths:
    """A model that says how long texts are; it may be told to be slow, or to be replaced."""

    identity: str = "first"
    seconds: float = 0.0
    about: Mapping[str, Any] = field(default_factory=lambda: {"task": "lengths", "inputs": ["text"]})
    given_up: list[int] = field(default_factory=list)
    """After how many characters texts were given up."""
    width: int = 1
    tokens: int = 4096

    def rows(self, texts: Sequence[Any]) -> list[list[Any]]:
        wrong = [text for text in texts if not isinstance(text, str)]
        if wrong:
            raise DataError(f"expected a text, found {wrong[0]!r}")
        return [[text] for text in texts]

    def written(self, row: Sequence[Any], told: Callable[[str], bool]) -> dict[str, Any]:
        """Write the text again, a character after the other."""
        for place in range(1, len(row[0]) + 1):
            time.sleep(self.seconds)
            if not told(row[0][:place]):
                self.given_up.append(place)
                break
            if row[0] == "break":
                raise ValueError("a secret word")
        return {"text": row[0], "finished": True}

    def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        time.sleep(self.seconds)
        if ["break"] in rows:
            raise ValueError("a secret word")
        return [{"label": str(len(row[0]))} for row in rows]


@dataclass
class Running:
    port: int
    log: io.StringIO
    server: uvicorn.Server
    next: list[Any]
    """Models, or errors, that are swapped in."""

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log.getvalue().splitlines()]


def started(guard: Guard, model: Lengths | None = None, limits: Limits | None = None) -> Iterator[Running]:
    log, models, following = io.StringIO(), [model or Lengths()], []

    def load() -> Any:
        found = following.pop(0) if following else models[0]
        if isinstance(found, Exception):
            raise found
        return found

    source = Source(load, lambda: bool(following))
    app = application(source, limits or Limits(), guard, Telemetry(log))
    server = uvicorn.Server(
        uvicorn.Config(app, log_config=None, log_level="warning", access_log=False, timeout_graceful_shutdown=5)
    )
    listening = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    while not server.started:
        time.sleep(0.005)
    yield Running(listening.getsockname()[1], log, server, following)
    server.should_exit = True
    thread.join(20)
    listening.close()


@pytest.fixture
def plain() -> Iterator[Running]:
    yield from started(Guard(largest=2000, texts=5, seconds=0.5))


@pytest.fixture
def guarded() -> Iterator[Running]:
    yield from started(Guard(keys=(KEY,), rate=0.5))


@pytest.fixture
def slow() -> Iterator[Running]:
    yield from started(Guard(seconds=0.2), Lengths(seconds=0.6))


@dataclass
class Response:
    status: int
    headers: Mapping[str, str]
    text: str

    def json(self) -> Any:
        return json.loads(self.text)


def fetched(at: Running, path: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Response:
    connection = http.client.HTTPConnection("127.0.0.1", at.port, timeout=20)
    try:
        connection.request("GET" if body is None else "POST", path, body, dict(headers or {}))
        found = connection.getresponse()
        lowered = {key.lower(): value for key, value in found.getheaders()}
        return Response(found.status, lowered, found.read().decode())
    finally:
        connection.close()


def ask(at: Running, body: Any, headers: Mapping[str, str] | None = None) -> Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return fetched(at, "/v1/predict", content, headers)


def test_texts_are_answered_in_their_order(plain: Running) -> None:
    found = ask(plain, {"texts": ["a", "", "中国"]})
    assert found.status == 200
    assert found.json() == {"model": "first", "predictions": [{"label": "1"}, {"label": "0"}, {"label": "2"}]}


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "is no JSON"),
        (b"\xff\xfe", "is no JSON"),
        ({}, "one key"),
        ([], "one key"),
        ({"texts": "a"}, "a list"),
        ({"texts": ["a"], "more": 1}, "one key"),
        ({"texts": []}, "1 to 5 texts"),
        ({"texts": ["a"] * 6}, "found 6"),
        ({"texts": [1]}, "texts[0]: expected a text"),
        ({"texts": [["a"]]}, "expected a text, found"),
        (b'{"texts": ["\\ud800"]}', "surrogate"),
    ],
)
def test_malformed_requests_are_told_what_was_expected(plain: Running, body: Any, said: str) -> None:
    found = ask(plain, body)
    assert found.status == 422
    assert said in found.json()["error"]


def test_a_failure_of_the_model_tells_no_texts(plain: Running) -> None:
    assert ask(plain, {"texts": ["break"]}).status == 500
    assert ask(plain, {"texts": ["a"]}).status == 200
    assert [one["kind"] for one in plain.lines() if one["event"] == "error"] == ["ValueError"]
    assert "secret" not in plain.log.getvalue()


def test_large_requests_are_refused(plain: Running) -> None:
    assert ask(plain, {"texts": ["x" * 3000]}).status == 413


def test_a_slow_request_is_ended(plain: Running) -> None:
    with socket.create_connection(("127.0.0.1", plain.port), timeout=10) as client:
        client.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
        assert b" 408 " in client.recv(1000)


def test_an_aborted_request_does_no_harm(plain: Running) -> None:
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", plain.port), timeout=10) as client:
            client.sendall(b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{")
    assert ask(plain, {"texts": ["ab"]}).json()["predictions"] == [{"label": "2"}]
    assert [one["status"] for one in plain.lines() if one["event"] == "request"][:3].count(499) >= 1


def test_health_readiness_and_what_is_served(plain: Running) -> None:
    assert fetched(plain, "/health").json() == {"status": "alive"}
    assert fetched(plain, "/ready").json() == {"status": "ready"}
    found = fetched(plain, "/v1/model").json()
    assert (found["model"], found["task"]) == ("first", "lengths")


def test_it_describes_itself(plain: Running) -> None:
    found = fetched(plain, "/openapi.json").json()
    predict = found["paths"]["/v1/predict"]["post"]
    schema = predict["requestBody"]["content"]["application/json"]["schema"]
    assert schema["required"] == ["texts"]
    assert {"200", "401", "413", "422", "429", "503"} <= set(predict["responses"])


def test_only_the_right_key_is_let_in(guarded: Running) -> None:
    assert ask(guarded, {"texts": ["a"]}).status == 401
    assert fetched(guarded, "/metrics").status == 401
    assert fetched(guarded, "/ready").status == 200
    found = [ask(guarded, {"texts": ["a"]}, {"authorization": f"Bearer {KEY}"}).status for _ in range(2)]
    assert found == [200, 429]


def test_an_answer_that_takes_too_long_is_given_up(slow: Running) -> None:
    found = ask(slow, {"texts": ["a"]})
    assert found.status == 504


def test_prometheus_reads_the_metrics(plain: Running) -> None:
    ask(plain, {"texts": ["a", "b"]})
    ask(plain, b"{")
    fetched(plain, f"/secret/../{'x' * 50}")
    families = text_string_to_metric_families(fetched(plain, "/metrics").text)
    found = {
        (sample.name, sample.labels.get("path"), sample.labels.get("status")): sample.value
        for family in families
        for sample in family.samples
    }
    assert found["truetune_requests_total", "/v1/predict", "200"] == 1
    assert found["truetune_requests_total", "/v1/predict", "422"] == 1
    assert found["truetune_requests_total", "other", "404"] == 1
    assert found["truetune_texts_total", None, None] == 2
    assert found["truetune_batch_texts_count", None, None] == 1


def test_the_log_has_lines_of_json_without_texts(plain: Running) -> None:
    found = ask(plain, {"texts": ["a secret word"]}, {"x-request-id": "abc-1"})
    assert found.headers["x-request-id"] == "abc-1"
    ask(plain, {"texts": ["a"]}, {"x-request-id": "a b\tc"})
    (line, other) = [one for one in plain.lines() if one["event"] == "request"]
    assert (line["id"], line["status"], line["texts"]) == ("abc-1", 200, 1)
    assert line["seconds"] > 0
    assert len(other["id"]) == 32
    assert "secret" not in plain.log.getvalue()


def test_texts_are_logged_where_that_is_asked_for() -> None:
    for at in started(Guard(log_texts=True)):
        ask(at, {"texts": ["a word"]})
        assert any(one.get("inputs") == ["a word"] for one in at.lines())


def wait_for(at: Running, event: str) -> dict[str, Any]:
    for _ in range(1000):
        for one in at.lines():
            if one["event"] == event:
                return one
        time.sleep(0.01)
    raise AssertionError(event)


def test_a_replaced_bundle_is_swapped_in(plain: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    plain.next += [Lengths("second")]
    assert wait_for(plain, "swapped")["model"] == "second"
    assert ask(plain, {"texts": ["a"]}).json()["model"] == "second"
    plain.next += [DataError("is damaged")]
    assert "damaged" in wait_for(plain, "swap failed")["reason"]
    assert ask(plain, {"texts": ["a"]}).json()["model"] == "second", "one that cannot be loaded changes nothing"


def test_a_model_with_other_inputs_is_not_swapped_in(plain: Running) -> None:
    plain.next += [Lengths("pairs", about={"inputs": ["first", "second"]})]
    assert "other inputs" in wait_for(plain, "swap failed")["reason"]
    assert ask(plain, {"texts": ["a"]}).json()["model"] == "first"


def test_a_server_that_is_stopped_answers_what_it_accepted() -> None:
    body = b'{"texts": ["abc"]}'
    request = b"POST /v1/predict HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body)
    for at in started(Guard(), Lengths(seconds=0.2), Limits(tokens=1)):
        clients = [socket.create_connection(("127.0.0.1", at.port), timeout=20) for _ in range(6)]
        for client in clients:
            client.sendall(request)
        wait_for(at, "request")
        at.server.should_exit = True
        answers = [client.recv(10_000) for client in clients]
        for client in clients:
            client.close()
    assert [b"200 OK" in answer for answer in answers] == [True] * 6
