"""What stands around an application: keys, rates, sizes, timeouts, request ids, counting and logging."""

from __future__ import annotations

import asyncio
import json
import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from fastapi import Response

from truetune.serving.limits import GoneError, Rates, RefusedError, body_of, client_of
from truetune.serving.telemetry import Telemetry

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
STREAM = "/v1/stream"
"""Its answers keep the time themselves: once they have begun, no other status can be sent."""
OPEN = ("/health", "/ready")
"""Paths that need no key: what starts and stops servers asks for them."""


@dataclass(frozen=True)
class Guard:
    """What a request may be."""

    keys: tuple[str, ...] = ()
    """Empty: anybody on an address that is served."""
    rate: float = 0.0
    """Requests of a client a second; 0: any number."""
    largest: int = 1_000_000
    """Bytes of a request."""
    texts: int = 256
    """Of one request."""
    seconds: float = 30.0
    """Until a request must have arrived, and again until it must be answered."""
    log_texts: bool = False


class Guarded:
    """Keys, rates, sizes, timeouts, request ids, counting and logging, around an application."""

    def __init__(self, app: Callable[..., Awaitable[None]], guard: Guard, telemetry: Telemetry) -> None:
        self._app, self._guard, self._telemetry = app, guard, telemetry
        self._rates = Rates(guard.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begin = time.monotonic()
        headers = {key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]}
        told: dict[str, Any] = {"id": _id(headers), "method": scope["method"], "path": scope["path"], "status": 499}
        scope["truetune"] = told
        known = True

        async def answer(message: Message) -> None:
            nonlocal known
            if message["type"] == "http.response.start":
                told["status"] = message["status"]
                known = message["status"] != 404
                message = {**message, "headers": [*message.get("headers", ()), (b"x-request-id", told["id"].encode())]}
            await send(message)

        try:
            await self._guarded(scope, headers, receive, answer)
        except GoneError:
            pass  # nobody is there to be answered: status 499 in the log
        except RefusedError as error:
            await json_response(error.status, {"error": error.reason}, error.headers)(scope, receive, answer)
        finally:
            told["seconds"] = round(time.monotonic() - begin, 6)
            self._telemetry.answered(told, known)

    async def _guarded(self, scope: Scope, headers: Mapping[str, str], receive: Receive, answer: Send) -> None:
        guard = self._guard
        address = scope["client"][0] if scope.get("client") else ""
        if scope["path"] not in OPEN:
            self._rates.take(client_of(headers, address, guard.keys))
        body = await body_of(receive, headers, guard.largest, guard.seconds)
        given = False

        async def replayed() -> Message:
            nonlocal given
            if given:
                return await receive()
            given = True
            return {"type": "http.request", "body": body, "more_body": False}

        try:
            async with asyncio.timeout(None if scope["path"] == STREAM else guard.seconds):
                await self._app(scope, replayed, answer)
        except TimeoutError:
            raise RefusedError(504, f"no answer within {guard.seconds:g} s; send fewer texts") from None


def json_response(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    """Return a response with a value as JSON."""
    return Response(json.dumps(value, ensure_ascii=False).encode(), status, dict(headers or {}), "application/json")


def _id(headers: Mapping[str, str]) -> str:
    """Return the id of a request: the client's, where it is a plain word, else a new one."""
    given = headers.get("x-request-id", "")
    return given if 0 < len(given) <= 64 and given.replace("-", "").isalnum() and given.isascii() else uuid.uuid4().hex
