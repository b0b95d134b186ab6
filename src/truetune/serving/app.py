"""The HTTP application: predictions, what is served, health, metrics; its limits stand around all of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response

from truetune import __version__
from truetune.errors import TruetuneError
from truetune.serving.batcher import Batcher, BusyError, Limits, Served
from truetune.serving.limits import GoneError, Rates, RefusedError, body_of, client_of
from truetune.serving.live import Live
from truetune.serving.schema import PREDICT, PREDICTED, texts_of
from truetune.serving.telemetry import Telemetry

Message = MutableMapping[str, Any]
Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
OPEN = ("/health", "/ready")
"""Paths that need no key: what starts and stops servers asks for them."""
EVERY = 1.0
"""Seconds between two looks at whether the bundle was replaced."""


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


@dataclass(frozen=True)
class Source:
    """Where the model comes from."""

    load: Callable[[], Served]
    changed: Callable[[], bool] = lambda: False
    """Whether there is another one since `load` was called last."""


def application(
    source: Source, limits: Limits, guard: Guard, telemetry: Telemetry, live: Live | None = None
) -> Callable[..., Awaitable[None]]:
    """Return the ASGI application; with `live`, what it answers is watched."""
    state = _State(source, limits, telemetry, live)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with state.running():
            yield

    app = FastAPI(title="truetune", version=__version__, lifespan=lifespan)
    app.add_exception_handler(RefusedError, _refused)
    app.add_exception_handler(BusyError, _busy)

    @app.post("/v1/predict", openapi_extra=PREDICT, responses=PREDICTED, summary="Answer texts")
    async def predict(request: Request) -> Response:
        texts = texts_of(await request.body(), guard.texts)
        request.scope["truetune"]["texts"] = len(texts)
        if guard.log_texts:
            request.scope["truetune"]["inputs"] = texts
        batcher = state.batcher if live is None else live.batcher(request, state.batcher)
        try:
            rows = batcher.served.rows(texts)
        except TruetuneError as error:
            raise RefusedError(422, str(error)) from None
        try:
            identity, answers = await batcher.answers(rows)
        except BusyError:
            raise
        except Exception as error:  # of the model; its words may hold texts, so only their kind is logged
            telemetry.line("error", {"id": request.scope["truetune"]["id"], "kind": type(error).__name__})
            raise RefusedError(500, "the model failed on these texts") from None
        if live is not None:
            live.answered(request.scope["truetune"]["id"], (batcher, state.batcher), rows, (identity, answers))
        return _json(200, {"model": identity, "predictions": answers})

    @app.get("/v1/model", summary="What is served")
    async def model() -> Response:
        served = state.batcher.served
        return _json(200, {"model": served.identity, "truetune": __version__, **served.about})

    @app.get("/health", summary="Whether the process lives")
    async def health() -> Response:
        return _json(200, {"status": "alive"})

    @app.get("/ready", summary="Whether requests are answered")
    async def ready() -> Response:
        return _json(200, {"status": "ready"}) if state.ready else _json(503, {"status": "not ready"})

    @app.get("/metrics", summary="Metrics, as Prometheus reads them")
    async def metrics() -> Response:
        telemetry.state(state.batcher.waiting, state.sizes())
        if live is not None:
            telemetry.gauges(await live.gauges())
        return Response(telemetry.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    if live is not None:
        live.add_paths(app)
    # The interactive page of FastAPI is fetched from elsewhere; the description itself is ours.
    return _Guarded(app, guard, telemetry)


class _State:
    """The batcher and what keeps it going."""

    def __init__(self, source: Source, limits: Limits, telemetry: Telemetry, live: Live | None) -> None:
        self._source, self._limits, self._telemetry, self._live = source, limits, telemetry, live
        self._batcher: Batcher | None = None
        self.ready = False

    @property
    def batcher(self) -> Batcher:
        if self._batcher is None:
            raise RefusedError(503, "the model is being loaded; come again", {"Retry-After": "1"})
        return self._batcher

    def sizes(self) -> list[int]:
        found = list(self.batcher.sizes)
        self.batcher.sizes.clear()
        return found

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        served = await asyncio.to_thread(self._source.load)
        self._batcher = Batcher(served, self._limits)
        answering = asyncio.create_task(self._batcher.run())
        watching = asyncio.create_task(self._watched())
        if self._live is not None:
            await self._live.start(self._batcher, self._limits)
        self.ready = True
        self._telemetry.line("ready", {"model": served.identity})
        try:
            yield
        finally:
            self.ready = False
            watching.cancel()
            self._batcher.close()
            await answering  # what was accepted is answered
            if self._live is not None:
                await self._live.stop()
            self._telemetry.line("stopped", {})

    async def _watched(self) -> None:
        """Swap the model when its files were replaced; one that cannot be loaded changes nothing."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                if not await asyncio.to_thread(self._source.changed):
                    continue
                served = await asyncio.to_thread(self._source.load)
                before = self.batcher.served
                if served.about["inputs"] != before.about["inputs"]:
                    raise TruetuneError("the new model reads other inputs; start a server of its own for it")
                self.batcher.swap(served)
                if self._live is not None:
                    self._live.begin(served)
            except (TruetuneError, OSError, ValueError) as error:
                self._telemetry.swapped("failed")
                self._telemetry.line("swap failed", {"reason": str(error)})
            else:
                self._telemetry.swapped("done")
                self._telemetry.line("swapped", {"before": before.identity, "model": served.identity})


class _Guarded:
    """Keys, rates, sizes, timeouts, request ids, counting and logging, around an application."""

    def __init__(self, app: Callable[..., Awaitable[None]], guard: Guard, telemetry: Telemetry) -> None:
        self._app, self._guard, self._telemetry = app, guard, telemetry
        self._rates = Rates(guard.rate)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
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
            await _json(error.status, {"error": error.reason}, error.headers)(scope, receive, answer)
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
            async with asyncio.timeout(guard.seconds):
                await self._app(scope, replayed, answer)
        except TimeoutError:
            raise RefusedError(504, f"no answer within {guard.seconds:g} s; send fewer texts") from None


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return _json(error.status, {"error": error.reason}, error.headers)


async def _busy(_: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    return _json(503, {"error": str(error)}, {"Retry-After": str(max(1, round(error.seconds)))})


def _json(status: int, value: Any, headers: Mapping[str, str] | None = None) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), status, dict(headers or {}), "application/json")


def _id(headers: Mapping[str, str]) -> str:
    """Return the id of a request: the client's, where it is a plain word, else a new one."""
    given = headers.get("x-request-id", "")
    return given if 0 < len(given) <= 64 and given.replace("-", "").isalnum() and given.isascii() else uuid.uuid4().hex
