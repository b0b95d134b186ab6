"""The HTTP application: predictions, what is served, health, metrics; its limits stand around all of it."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from fastapi import FastAPI, Request, Response

from truetune import __version__
from truetune.errors import TruetuneError
from truetune.serving.batcher import Batcher, BusyError, Limits, Served
from truetune.serving.guarded import STREAM, Guard, Guarded, json_response
from truetune.serving.limits import RefusedError
from truetune.serving.live import Live
from truetune.serving.schema import PREDICT, PREDICTED, STREAMED, texts_of
from truetune.serving.stream_response import StreamResponse
from truetune.serving.telemetry import Telemetry

EVERY = 1.0
"""Seconds between two looks at whether the bundle was replaced."""


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
        return json_response(200, {"model": identity, "predictions": answers})

    @app.post(STREAM, openapi_extra=PREDICT, responses=STREAMED, summary="Write the answer to one text")
    async def stream(request: Request) -> Response:
        told = request.scope["truetune"]
        texts = texts_of(await request.body(), 1)
        told["texts"] = 1
        if guard.log_texts:
            told["inputs"] = texts
        batcher = state.batcher if live is None else live.batcher(request, state.batcher)
        served = batcher.served
        if not served.about.get("streams"):
            raise RefusedError(422, "this model writes no texts; POST /v1/predict")
        try:
            (row,) = served.rows(texts)
        except TruetuneError as error:
            raise RefusedError(422, str(error)) from None
        failed = lambda kind: telemetry.line("error", {"id": told["id"], "kind": kind})  # noqa: E731

        def done(answer: tuple[str, list[dict[str, Any]]]) -> None:
            if live is not None:
                live.answered(told["id"], (batcher, state.batcher), [row], answer)

        return StreamResponse(batcher.stream(row), guard.seconds, done, failed)

    @app.get("/v1/model", summary="What is served")
    async def model() -> Response:
        served = state.batcher.served
        return json_response(200, {"model": served.identity, "truetune": __version__, **served.about})

    @app.get("/health", summary="Whether the process lives")
    async def health() -> Response:
        return json_response(200, {"status": "alive"})

    @app.get("/ready", summary="Whether requests are answered")
    async def ready() -> Response:
        return json_response(200, {"status": "ready"}) if state.ready else json_response(503, {"status": "not ready"})

    @app.get("/metrics", summary="Metrics, as Prometheus reads them")
    async def metrics() -> Response:
        telemetry.state(state.batcher.waiting, state.sizes())
        if live is not None:
            telemetry.gauges(await live.gauges())
        return Response(telemetry.page(), media_type="text/plain; version=0.0.4; charset=utf-8")

    if live is not None:
        live.add_paths(app)
    # The interactive page of FastAPI is fetched from elsewhere; the description itself is ours.
    return Guarded(app, guard, telemetry)


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
        served = await self._loaded()
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

    async def _loaded(self) -> Served:
        """Load the model; what is there then lives on, and is looked through for garbage no more: that takes time."""
        served = await asyncio.to_thread(self._source.load)
        gc.unfreeze()
        gc.collect()
        gc.freeze()
        return served

    async def _watched(self) -> None:
        """Swap the model when its files were replaced; one that cannot be loaded changes nothing."""
        while True:
            await asyncio.sleep(EVERY)
            try:
                if not await asyncio.to_thread(self._source.changed):
                    continue
                served = await self._loaded()
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


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, RefusedError)
    return json_response(error.status, {"error": error.reason}, error.headers)


async def _busy(_: Request, error: Exception) -> Response:
    assert isinstance(error, BusyError)
    return json_response(503, {"error": str(error)}, {"Retry-After": str(max(1, round(error.seconds)))})
