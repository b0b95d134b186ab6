"""Who may ask, how often and how much: API keys, a rate for each of them, the size and the pace of requests."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from truetune.errors import ConfigError

Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
KNOWN = 10_000
"""Clients whose rate is remembered."""


class RefusedError(Exception):
    """A request that is answered with a status and a reason."""

    def __init__(self, status: int, reason: str, headers: Mapping[str, str] | None = None) -> None:
        self.status, self.reason, self.headers = status, reason, dict(headers or {})
        super().__init__(reason)


class GoneError(Exception):
    """The client went away while it sent its request."""


def read_keys(file: str | None) -> tuple[str, ...]:
    """Return the API keys of a file, one a line; lines that begin with # are left out."""
    if file is None:
        return ()
    try:
        lines = Path(file).read_text(encoding="utf-8").split("\n")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); expected one API key a line") from None
    keys = tuple(line.strip() for line in lines if line.strip() and not line.startswith("#"))
    short = [number for number, key in enumerate(keys, start=1) if len(key) < 16]
    if short or not keys:
        raise ConfigError(f"{file}: key {short[0] if short else 1} is shorter than 16 characters; write long ones")
    return keys


def client_of(headers: Mapping[str, str], address: str, keys: Sequence[str]) -> str:
    """Return who asks: the place of its key, else its address; raises `RefusedError` (401) without a right key."""
    if not keys:
        return address
    given = headers.get("x-api-key") or headers.get("authorization", "").removeprefix("Bearer ")
    right = [number for number, key in enumerate(keys) if hmac.compare_digest(key.encode(), given.encode())]
    if not right:
        raise RefusedError(
            401, "expected an API key: Authorization: Bearer KEY, or X-API-Key: KEY", {"WWW-Authenticate": "Bearer"}
        )
    return f"key {right[0] + 1}"


@dataclass
class Rates:
    """A bucket of requests for each client: `rate` of them flow in a second, `burst` fit in; 0: no limit."""

    rate: float
    burst: float = 0.0
    now: Callable[[], float] = time.monotonic
    _buckets: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict)

    def take(self, client: str) -> None:
        """Take a request out; raises `RefusedError` (429) where there is none."""
        if not self.rate:
            return
        burst, now = self.burst or max(self.rate, 1.0), self.now()
        left, then = self._buckets.pop(client, (burst, now))
        left = min(burst, left + (now - then) * self.rate)
        enough = left >= 1
        self._buckets[client] = (left - enough, now)
        if len(self._buckets) > KNOWN:
            self._buckets.popitem(last=False)
        if not enough:
            wait = f"{max(1, round((1 - left) / self.rate))}"
            raise RefusedError(429, f"more than {self.rate:g} requests a second; come again", {"Retry-After": wait})


async def body_of(receive: Receive, headers: Mapping[str, str], largest: int, seconds: float) -> bytes:
    """Return a request's body; raises `RefusedError` for one that is too large (413) or too slow (408)."""
    claimed = headers.get("content-length", "0")
    if not claimed.isdecimal() or int(claimed) > largest:
        raise _too_large(largest)
    parts: list[bytes] = []
    size = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise GoneError
                parts.append(message.get("body", b""))
                size += len(parts[-1])
                if size > largest:
                    raise _too_large(largest)
                if not message.get("more_body", False):
                    return b"".join(parts)
    except TimeoutError:
        raise RefusedError(408, f"the request did not arrive within {seconds:g} s", {"Connection": "close"}) from None


def _too_large(largest: int) -> RefusedError:
    return RefusedError(413, f"the request is larger than {largest:,} bytes; send fewer texts", {"Connection": "close"})
