"""A written answer while it is written: lines of JSON, its pieces in their order, then the whole."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from fastapi import Response

from truetune.errors import TruetuneError
from truetune.serving.stream import Stream

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Done = Callable[[tuple[str, list[dict[str, Any]]]], None]
"""Takes the identity of the model and the whole answer."""
Failed = Callable[[str], None]
"""Takes the kind of an error of the model."""


class StreamResponse(Response):
    """Sends `{"piece": TEXT}` as pieces come, and last what the unstreamed answer would be, or `{"error": REASON}`.

    The stream is given up when the client goes away, or when the answer is not whole after `seconds`.
    """

    media_type = "application/x-ndjson"

    def __init__(self, stream: Stream, seconds: float, done: Done, failed: Failed) -> None:
        super().__init__()
        del self.headers["content-length"]
        self._stream, self._seconds, self._done, self._failed = stream, seconds, done, failed

    async def __call__(self, scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        writing = asyncio.create_task(self._written(send))
        leaving = asyncio.create_task(_gone(receive))
        try:
            await asyncio.wait((writing, leaving), return_when=asyncio.FIRST_COMPLETED)
            if not writing.done():
                scope["truetune"]["status"] = 499
                return
            await writing
        finally:
            self._stream.give_up()
            for task in (writing, leaving):
                task.cancel()
                with contextlib.suppress(asyncio.CancelledError, Exception):
                    await task

    async def _written(self, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        try:
            async with asyncio.timeout(self._seconds):
                async for piece in self._stream:
                    await _line(send, {"piece": piece})
                identity, (answer,) = await self._stream.answer()
            self._done((identity, [answer]))
            last: dict[str, Any] = {"model": identity, "predictions": [answer]}
        except TimeoutError:
            last = {"error": f"not written within {self._seconds:g} s; ask for less"}
        except TruetuneError as error:
            last = {"error": str(error)}
        except Exception as error:  # of the model; its words may hold texts
            self._failed(type(error).__name__)
            last = {"error": "the model failed on this text"}
        await _line(send, last)
        await send({"type": "http.response.body", "body": b"", "more_body": False})


async def _line(send: Send, value: Any) -> None:
    body = json.dumps(value, ensure_ascii=False).encode() + b"\n"
    await send({"type": "http.response.body", "body": body, "more_body": True})


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
