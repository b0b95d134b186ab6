"""Answers of a server, watched beside the answering: drift, labels, a second model; requests never wait for it."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI, Request, Response

from truetune.errors import TruetuneError
from truetune.live.features import Observed
from truetune.live.quality import FIRST, SECOND, SHADOW, Quality
from truetune.live.reference import Reference
from truetune.serving.batcher import Batcher, BusyError, Limits, Row, Served
from truetune.serving.labels import LABELS, labels_of
from truetune.serving.telemetry import Telemetry

WAITING = 1024
"""Requests whose answers wait to be looked at; of more they are dropped and counted."""
SHADOWED = 256
"""Requests that wait for a shadow; of more they are dropped and counted."""
PAUSE = 0.005
"""Seconds between two looks at whether the first model has nothing to do."""


class Watched(Served, Protocol):
    """A model whose answers can be held against its reference."""

    @property
    def reference(self) -> Reference | str:
        """What its validation part looks like, or in words why that is not known."""
        ...

    def observed(self, rows: Sequence[Row], answers: Sequence[Mapping[str, Any]]) -> list[Observed]:
        """Return what is kept of rows and their answers; no texts."""
        ...


@dataclass(frozen=True)
class Other:
    """A second model."""

    load: Callable[[], Watched]
    share: float | None
    """Of the clients that it answers instead of the first; None: a shadow, which answers all again, unseen."""


class Live:
    """Hands answers to `Quality` on a thread of its own, and runs the second model."""

    def __init__(self, quality: Quality, telemetry: Telemetry, other: Other | None = None) -> None:
        self._quality, self._telemetry, self._other = quality, telemetry, other
        self._work: queue.Queue[Callable[[], None] | None] = queue.Queue(WAITING)
        self._thread = threading.Thread(target=self._run, name="truetune-live", daemon=True)
        self._first: Batcher | None = None
        self._second: Batcher | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._shadowed: deque[tuple[str, Sequence[Row]]] = deque()
        self._wake = asyncio.Event()
        self.dropped = {"watch": 0, "shadow": 0}

    async def start(self, first: Batcher, limits: Limits) -> None:
        """Load the second model, and begin; raises `TruetuneError` where the two read other inputs."""
        self._first = first
        self._thread.start()
        self.begin(first.served)
        if self._other is None:
            return
        served = await asyncio.to_thread(self._other.load)
        if served.about["inputs"] != first.served.about["inputs"]:
            raise TruetuneError("the second model reads other inputs than the first; they cannot be compared")
        self._second = Batcher(served, limits)
        self._tasks.append(asyncio.create_task(self._second.run()))
        kind = SHADOW if self._other.share is None else SECOND
        self._telemetry.line("second model", {"model": served.identity, "as": kind, "share": self._other.share})
        if self._other.share is None:
            self._tasks.append(asyncio.create_task(self._follow(self._second)))

    async def stop(self) -> None:
        """End the second model, look at what waits, and save; what waits for a shadow is dropped and counted."""
        self.dropped["shadow"] += len(self._shadowed)
        self._shadowed.clear()
        for task in self._tasks[1:]:
            task.cancel()
        if self._second is not None:
            self._second.close()
            await self._tasks[0]
        await asyncio.to_thread(self._work.put, None)
        await asyncio.to_thread(self._thread.join)
        self._telemetry.line("quality saved", {"dropped": dict(self.dropped)})

    def begin(self, served: Served) -> None:
        """Watch a model that answers from now on."""
        reference: Reference | str = getattr(served, "reference", "the model has no reference")
        known, why = (None, reference) if isinstance(reference, str) else (reference, "")

        def begun() -> None:
            told = self._quality.begin(served.identity, known, why)
            self._telemetry.line("quality", {"model": served.identity, "told": told, "reason": why or None})

        self._work.put(begun)

    def batcher(self, request: Request, first: Batcher) -> Batcher:
        """Return who answers: by a hash of the client's `X-Client-Id`, or of the request's id where it sends none."""
        if self._second is None or self._other is None or self._other.share is None:
            return first
        key = request.headers.get("x-client-id") or request.scope["truetune"]["id"]
        place = int.from_bytes(hashlib.sha256(key.encode()).digest()[:8], "big") / 2**64
        return self._second if place < self._other.share else first

    def answered(
        self,
        request: str,
        batchers: tuple[Batcher, Batcher],
        rows: Sequence[Row],
        said: tuple[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        """Take in an answer; `batchers`: who gave it, and the first."""
        by, first = batchers
        self._look(request, FIRST if by is first else SECOND, by.served, rows, said)
        if self._second is None or self._other is None or self._other.share is not None:
            return
        if len(self._shadowed) >= SHADOWED:
            self.dropped["shadow"] += 1
            return
        self._shadowed.append((request, rows))
        self._wake.set()

    def _look(
        self,
        request: str,
        arm: str,
        served: Served,
        rows: Sequence[Row],
        said: tuple[str, Sequence[Mapping[str, Any]]],
    ) -> None:
        identity, answers = said
        observed: Callable[..., list[Observed]] = getattr(served, "observed", lambda rows, answers: [])

        def looked() -> None:
            self._quality.answered(identity, arm, request, observed(rows, answers))

        try:
            self._work.put_nowait(looked)
        except queue.Full:
            self.dropped["watch"] += 1

    async def _follow(self, second: Batcher) -> None:
        """Answer again what was answered, one request after the other, while the first model has nothing to do."""
        while True:
            while not self._shadowed:
                self._wake.clear()
                await self._wake.wait()
            while self._first is not None and not self._first.idle:
                await asyncio.sleep(PAUSE)
            if not self._shadowed:
                continue
            request, rows = self._shadowed.popleft()
            try:
                said = await second.answers(rows)
            except BusyError:
                self.dropped["shadow"] += 1
            except Exception as error:  # of the model; its words may hold texts
                self.dropped["shadow"] += 1
                self._telemetry.line("shadow failed", {"id": request, "kind": type(error).__name__})
            else:
                self._look(request, SHADOW, second.served, rows, said)

    def _run(self) -> None:
        while (work := self._work.get()) is not None:
            try:
                work()
            except Exception as error:  # a full disk, say; requests are answered all the same
                self.dropped["watch"] += 1
                self._telemetry.line("quality failed", {"kind": type(error).__name__, "reason": str(error)[:200]})
        with contextlib.suppress(OSError):
            self._quality.close()

    async def _asked(self, work: Callable[[], Any]) -> Any:
        """Return what the thread finds, in its turn."""
        found: Future[Any] = Future()

        def asked() -> None:
            try:
                found.set_result(work())
            except Exception as error:
                found.set_exception(error)

        await asyncio.to_thread(self._work.put, asked)
        return await asyncio.wrap_future(found)

    def add_paths(self, app: FastAPI) -> None:
        """Add the paths for labels and for what is known of the quality."""

        @app.post("/v1/labels", openapi_extra=LABELS, summary="Labels of texts that were answered")
        async def labels(request: Request) -> Response:
            assert self._first is not None
            known = self._first.served.about.get("labels") or ()
            given = labels_of(await request.body(), known)
            return _json(await self._asked(lambda: self._quality.labelled(given)))

        @app.get("/v1/quality", summary="Drift, accuracy and calibration beside validation")
        async def quality() -> Response:
            told = await self._asked(self._quality.told)
            return _json({**told, "dropped": dict(self.dropped), "shadow_waiting": len(self._shadowed)})

    async def gauges(self) -> dict[str, float]:
        """Return what Prometheus reads, by name; what is not known is left out."""
        told = await self._asked(self._quality.told)
        found: dict[str, float] = {f"truetune_live_dropped_{name}": number for name, number in self.dropped.items()}
        drift, labels = told["drift"], told["labels"]
        if drift is not None:
            found["truetune_live_texts"] = drift["examples"]
            found["truetune_drift_alarm"] = drift["alarm"]
            found["truetune_drift_evidence"] = drift["evidence"]
        found["truetune_live_labels"] = labels["labelled"]
        if labels["labelled"]:
            found |= {f"truetune_live_accuracy_{name}": labels["accuracy"][name] for name in ("value", "low", "high")}
        if labels["watch"] is not None:
            found["truetune_accuracy_alarm"] = labels["watch"]["alarm"]
            found["truetune_accuracy_evidence"] = labels["watch"]["evidence"]
        return found


def _json(value: Any) -> Response:
    return Response(json.dumps(value, ensure_ascii=False).encode(), 200, media_type="application/json")
