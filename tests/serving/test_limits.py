"""Keys, rates and bodies of requests."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from truetune.errors import ConfigError
from truetune.serving.limits import GoneError, Rates, RefusedError, body_of, client_of, read_keys

KEYS = ("k" * 20, "q" * 20)


@pytest.mark.parametrize(
    ("headers", "client"),
    [({"x-api-key": KEYS[0]}, "key 1"), ({"authorization": f"Bearer {KEYS[1]}"}, "key 2")],
)
def test_a_right_key_names_its_client(headers: dict[str, str], client: str) -> None:
    assert client_of(headers, "10.0.0.1", KEYS) == client


WRONG: list[dict[str, str]] = [
    {},
    {"x-api-key": "k" * 19},
    {"authorization": f"Basic {KEYS[0]}"},
    {"x-api-key": "ü"},
]


@pytest.mark.parametrize("headers", WRONG)
def test_without_a_right_key_nobody_is_let_in(headers: dict[str, str]) -> None:
    with pytest.raises(RefusedError) as error:
        client_of(headers, "10.0.0.1", KEYS)
    assert error.value.status == 401


def test_without_keys_the_address_is_the_client() -> None:
    assert client_of({}, "10.0.0.1", ()) == "10.0.0.1"


def test_keys_are_read_one_a_line(tmp_path: Path) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# of the shop\n{KEYS[0]}\n\n{KEYS[1]}\n", encoding="utf-8")
    assert read_keys(str(file)) == KEYS
    assert read_keys(None) == ()


@pytest.mark.parametrize("text", ["", "# nothing\n", "short\n"])
def test_short_or_missing_keys_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "keys").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match="16 characters"):
        read_keys(str(tmp_path / "keys"))


def test_a_rate_lets_a_burst_through_and_then_its_share() -> None:
    clock = [0.0]
    rates = Rates(2.0, now=lambda: clock[0])

    def taken(client: str) -> bool:
        try:
            rates.take(client)
        except RefusedError as error:
            return (error.status, error.headers["Retry-After"]) != (429, "1")
        return True

    assert [taken("a") for _ in range(3)] == [True, True, False]
    assert taken("b"), "each client has its own"
    clock[0] = 0.5
    assert [taken("a"), taken("a")] == [True, False]
    clock[0] = 100.0
    assert [taken("a") for _ in range(3)] == [True, True, False], "no more than the burst gathers"


def test_rates_of_many_clients_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("truetune.serving.limits.KNOWN", 10)
    rates = Rates(1.0)
    for number in range(100):
        rates.take(str(number))
    assert len(rates._buckets) == 10


def body(messages: list[dict[str, Any]], headers: dict[str, str] | None = None, largest: int = 10) -> bytes:
    rest = iter(messages)

    async def receive() -> dict[str, Any]:
        try:
            return next(rest)
        except StopIteration:
            await asyncio.sleep(60)
            raise AssertionError from None

    return asyncio.run(body_of(receive, headers or {}, largest, 0.05))


def part(text: bytes, more: bool = False) -> dict[str, Any]:
    return {"type": "http.request", "body": text, "more_body": more}


def test_a_body_comes_in_parts() -> None:
    assert body([part(b"01234", True), part(b"56789")]) == b"0123456789"


@pytest.mark.parametrize(
    ("messages", "headers", "status"),
    [
        ([part(b"0" * 11)], {}, 413),
        ([part(b"0" * 6, True), part(b"0" * 6, True)], {}, 413),
        ([part(b"0")], {"content-length": "11"}, 413),
        ([part(b"0")], {"content-length": "-1"}, 413),
        ([part(b"0", True)], {}, 408),
        ([], {}, 408),
    ],
)
def test_large_and_slow_bodies_are_refused(
    messages: list[dict[str, Any]], headers: dict[str, str], status: int
) -> None:
    with pytest.raises(RefusedError) as error:
        body(messages, headers)
    assert error.value.status == status


def test_a_client_that_goes_away_is_told_apart() -> None:
    with pytest.raises(GoneError):
        body([part(b"0", True), {"type": "http.disconnect"}])
