"""Texts over real sockets while they are written: pieces in order, the whole behind them, and work that stops."""

from __future__ import annotations

import http.client
import importlib.util
import json
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from truetune.serving.batcher import Limits
from truetune.serving.guarded import Guard


def stand_in() -> Any:
    """Return the tests of the application, for their server and its model."""
    if "test_app_of_streams" not in sys.modules:
        spec = importlib.util.spec_from_file_location("test_app_of_streams", Path(__file__).with_name("test_app.py"))
        assert spec is not None
        assert spec.loader is not None
        sys.modules["test_app_of_streams"] = module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return sys.modules["test_app_of_streams"]


def writer(seconds: float = 0.0, identity: str = "first") -> Any:
    return stand_in().Lengths(identity, seconds, {"task": "copy", "inputs": ["text"], "streams": True})


@pytest.fixture
def plain() -> Iterator[Any]:
    yield from stand_in().started(Guard(texts=5), writer())


def lines(at: Any, text: str, **headers: str) -> list[dict[str, Any]]:
    found = stand_in().fetched(at, "/v1/stream", json.dumps({"texts": [text]}).encode(), headers)
    assert found.status == 200, found.text
    assert found.headers["content-type"] == "application/x-ndjson"
    return [json.loads(line) for line in found.text.splitlines()]


def statuses(at: Any) -> list[int]:
    return [one["status"] for one in at.lines() if one["event"] == "request"]


def left(at: Any) -> bool:
    return statuses(at) == [499]


def test_pieces_come_in_order_and_the_whole_is_the_last(plain: Any) -> None:
    *pieces, last = lines(plain, "中国 abc")
    assert [one["piece"] for one in pieces] == list("中国 abc")
    assert last == {"model": "first", "predictions": [{"text": "中国 abc", "finished": True}]}
    until(lambda: statuses(plain) == [200])


def test_half_a_character_waits_for_its_other_half(plain: Any) -> None:
    *pieces, last = lines(plain, "a\ufffdb\ufffd")
    assert [one["piece"] for one in pieces] == ["a", "\ufffdb", "\ufffd"]
    assert last["predictions"][0]["text"] == "a\ufffdb\ufffd"


def test_pieces_are_sent_while_the_text_is_written() -> None:
    for at in stand_in().started(Guard(), writer(0.1)):
        connection = http.client.HTTPConnection("127.0.0.1", at.port, timeout=20)
        connection.request("POST", "/v1/stream", b'{"texts": ["abcdefghij"]}')
        answer = connection.getresponse()
        begin = time.monotonic()
        assert json.loads(answer.readline()) == {"piece": "a"}
        first = time.monotonic() - begin
        assert len(answer.read().splitlines()) == 10
        assert first < (time.monotonic() - begin) / 2, "the first piece does not wait for the last"
        connection.close()


def test_what_cannot_be_streamed_is_refused(plain: Any) -> None:
    ask = stand_in().fetched
    assert "1 to 1 texts" in ask(plain, "/v1/stream", b'{"texts": ["a", "b"]}').json()["error"]
    assert ask(plain, "/v1/stream", b"{").status == 422
    for at in stand_in().started(Guard()):
        found = ask(at, "/v1/stream", b'{"texts": ["a"]}')
        assert (found.status, "writes no texts" in found.json()["error"]) == (422, True)


def test_a_failure_of_the_model_is_the_last_line_and_tells_no_texts(plain: Any) -> None:
    assert lines(plain, "break")[-1] == {"error": "the model failed on this text"}
    assert lines(plain, "ab")[-1]["predictions"] == [{"text": "ab", "finished": True}]
    assert [one["kind"] for one in plain.lines() if one["event"] == "error"] == ["ValueError"]
    assert "secret" not in plain.log.getvalue()


def until(true: Any) -> None:
    for _ in range(1000):
        if true():
            return
        time.sleep(0.01)
    raise AssertionError


def test_when_the_client_goes_away_the_work_stops() -> None:
    model = writer(0.05)
    for at in stand_in().started(Guard(), model):
        body = json.dumps({"texts": ["x" * 200]}).encode()
        with socket.create_connection(("127.0.0.1", at.port), timeout=10) as client:
            client.sendall(b"POST /v1/stream HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
            assert b"200" in client.recv(1000)
        until(lambda: model.given_up)
        assert model.given_up[0] < 100
        until(partial(left, at))
        assert lines(at, "ab")[-1]["model"] == "first", "the next one is answered"


def test_a_text_that_takes_too_long_is_given_up() -> None:
    model = writer(0.05)
    for at in stand_in().started(Guard(seconds=0.5), model):
        *pieces, last = lines(at, "x" * 200)
        assert "not written within 0.5 s" in last["error"]
        assert 0 < len(pieces) < 50
        until(lambda: model.given_up)


def test_keys_rates_and_sizes_hold_for_streams() -> None:
    for at in stand_in().started(Guard(keys=("k" * 20,), rate=0.5, largest=100), writer()):
        ask = stand_in().fetched
        assert ask(at, "/v1/stream", b'{"texts": ["a"]}').status == 401
        assert lines(at, "a", **{"x-api-key": "k" * 20})[-1]["model"] == "first"
        assert ask(at, "/v1/stream", b'{"texts": ["a"]}', {"x-api-key": "k" * 20}).status == 429
    for at in stand_in().started(Guard(largest=100), writer()):
        assert ask(at, "/v1/stream", b"x" * 200).status == 413


def test_a_crowd_of_streams_and_a_stop_lose_nothing() -> None:
    request = b'POST /v1/stream HTTP/1.1\r\nHost: x\r\nContent-Length: 19\r\n\r\n{"texts": ["abc%d"]}'
    for at in stand_in().started(Guard(), writer(0.05), Limits(tokens=1)):
        clients = [socket.create_connection(("127.0.0.1", at.port), timeout=20) for _ in range(5)]
        for number, client in enumerate(clients):
            client.sendall(request % number)
        until(at.lines)
        time.sleep(0.1)
        at.server.should_exit = True
        for number, client in enumerate(clients):
            found = b""
            while b"predictions" not in found:
                found += client.recv(10_000) or pytest.fail(f"client {number}: {found!r}")
            assert b'"text": "abc%d"' % number in found, "no answer to the wrong client"
            client.close()
