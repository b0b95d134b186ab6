"""Requests of many clients as batches: at once when idle, together when busy, refused when there are too many.

A fixed wait for company would cost a lone client; here company gathers while the batches before are computed.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate
from typing import Any, Protocol

from truetune.errors import TruetuneError
from truetune.serving.stream import Stream
from truetune.types import Told

AHEAD = 3
"""Batches from among whose requests, as they came, one is made."""

Row = Sequence[Any]
"""The inputs of one example."""
Answer = Mapping[str, Any]


class Served(Protocol):
    """A model that answers."""

    @property
    def width(self) -> int:
        """How many threads may ask it for answers at a time; a model that writes is asked by one."""
        ...

    @property
    def tokens(self) -> int:
        """How many pieces, padding counted, are a batch that suits it."""
        ...

    @property
    def identity(self) -> str:
        """What tells this model from every other."""
        ...

    @property
    def about(self) -> Mapping[str, Any]:
        """Task, labels and limits, as JSON values."""
        ...

    def rows(self, texts: Sequence[Any]) -> list[list[Any]]:
        """Return the inputs of texts; raises `TruetuneError` for what cannot be read."""
        ...

    def answers(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """Return one answer a row, the same whatever stands beside it."""
        ...

    def written(self, row: Row, told: Told) -> dict[str, Any]:
        """Return the answer to a row of a model that writes; `told` is asked after each piece whether to go on."""
        ...


class BusyError(TruetuneError):
    """More waits than can be answered in time; `seconds` says when to come again."""

    def __init__(self, message: str, seconds: float) -> None:
        self.seconds = seconds
        super().__init__(message)


@dataclass(frozen=True)
class Limits:
    """How much is computed at once, and how much may wait."""

    tokens: int | None = None
    """Of one batch, as far as they can be told from characters; one longer request is a batch of its own.

    None: what suits the model."""
    waiting: int = 1024
    """Texts that wait at most."""
    target: float = 2.0
    """Seconds within which a request is to be answered; one that could not be is refused at once."""


@dataclass
class _Job:
    rows: Sequence[Row]
    tokens: int
    stream: Stream | None = None
    """Where the pieces of the answer go; None: it is asked for as a whole."""
    answered: asyncio.Future[tuple[str, list[dict[str, Any]]]] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Batcher:
    """Gathers what waits into batches and hands each answer to whom it belongs."""

    def __init__(self, served: Served, limits: Limits) -> None:
        self._served = served
        self._limits = limits
        self._jobs: deque[_Job] = deque()
        self._wake = asyncio.Event()
        self._closing = False
        self._pool = ThreadPoolExecutor(thread_name_prefix="truetune-model")
        self._speed = 0.0
        self._busy = 0
        self._computing = 0
        self.sizes: deque[int] = deque(maxlen=1000)
        """Texts of the last batches."""

    @property
    def served(self) -> Served:
        """The model that answers now."""
        return self._served

    @property
    def waiting(self) -> int:
        """How many texts wait."""
        return sum(len(job.rows) for job in self._jobs)

    @property
    def idle(self) -> bool:
        """Whether nothing waits and nothing is computed."""
        return not self._jobs and not self._computing

    def swap(self, served: Served) -> None:
        """Let another model answer from the next batch on; what is being computed is answered by the old one."""
        self._served = served

    async def answers(self, rows: Sequence[Row]) -> tuple[str, list[dict[str, Any]]]:
        """Return the identity of the model and an answer a row; raises `BusyError` where it could not be in time."""
        job = _Job(rows, sum(map(tokens_of, rows)))
        self._refuse_late(job)
        self._jobs.append(job)
        self._wake.set()
        try:
            return await job.answered
        finally:
            job.answered.cancel()

    def stream(self, row: Row) -> Stream:
        """Return a stream of the answer to a row; raises `BusyError` where it could not be in time."""
        job = _Job([row], tokens_of(row))
        stream = job.stream = Stream(job.answered)
        self._refuse_late(job)
        job.answered.add_done_callback(stream.ended)
        self._jobs.append(job)
        self._wake.set()
        return stream

    async def run(self) -> None:
        """Answer until closed, and then what still waits."""
        async with asyncio.TaskGroup() as group:
            while self._jobs or self._computing or not self._closing:
                while self._jobs and self._computing < self._served.width:
                    if jobs := self._gathered():
                        self._computing += 1
                        group.create_task(self._computed(jobs))
                self._wake.clear()
                await self._wake.wait()
        self._pool.shutdown()

    def close(self) -> None:
        """Let `run` end once nothing waits."""
        self._closing = True
        self._wake.set()

    def _refuse_late(self, job: _Job) -> None:
        waiting = self.waiting
        if waiting + len(job.rows) > max(self._limits.waiting, len(job.rows)):
            raise BusyError(f"{waiting:,} texts wait already; come again", 1.0)
        ahead = self._busy + sum(one.tokens for one in self._jobs)
        seconds = (ahead + job.tokens) / self._speed if self._speed and ahead else 0.0
        if seconds > self._limits.target:
            raise BusyError(f"the answer would take {seconds:.1f} s; come again", seconds)

    def _gathered(self) -> list[_Job]:
        """Take what has waited longest, and beside it what is nearest in length, so that little is padded.

        Its company is of what would come next anyway, so that requests of unlike lengths do not wait long.
        Whom nobody waits for any more is left out. A stream is a batch of its own.
        """
        waiting = [job for job in self._jobs if not job.answered.done()]
        jobs = waiting[:1]
        if jobs and jobs[0].stream is None:
            most = self._limits.tokens or self._served.tokens
            room = most - jobs[0].tokens
            before = accumulate(job.tokens for job in waiting)
            near = [job for job, tokens in zip(waiting, before, strict=True) if tokens <= AHEAD * most]
            for job in sorted(near[1:], key=lambda job: abs(job.tokens - jobs[0].tokens)):
                room -= job.tokens
                if room < 0:
                    break
                if job.stream is None:
                    jobs.append(job)
        taken = set(map(id, jobs))
        self._jobs = deque(job for job in waiting if id(job) not in taken)
        return jobs

    async def _computed(self, jobs: Sequence[_Job]) -> None:
        try:
            await self._answer(jobs)
        finally:
            self._computing -= 1
            self._wake.set()

    async def _answer(self, jobs: Sequence[_Job]) -> None:
        served = self._served
        rows = [row for job in jobs for row in job.rows]
        tokens = sum(job.tokens for job in jobs)
        self._busy += tokens
        self.sizes.append(len(rows))
        begin, together = time.monotonic(), self._computing
        try:
            stream = jobs[0].stream
            run = partial(served.answers, rows) if stream is None else _writing(served, rows[0], stream)
            found = await asyncio.get_running_loop().run_in_executor(self._pool, run)
            if len(found) != len(rows):
                raise RuntimeError(f"{len(found)} answers to {len(rows)} texts")
        except Exception as error:
            await self._apart(jobs, error)
            return
        finally:
            self._busy -= tokens
        speed = together * tokens / max(time.monotonic() - begin, 1e-9)
        self._speed = speed if not self._speed else 0.8 * self._speed + 0.2 * speed
        place = 0
        for job in jobs:
            if not job.answered.done():
                job.answered.set_result((served.identity, found[place : place + len(job.rows)]))
            place += len(job.rows)

    async def _apart(self, jobs: Sequence[_Job], error: Exception) -> None:
        """Answer each request by itself, so that one that breaks the model breaks no other."""
        if len(jobs) > 1:
            for job in jobs:
                if not job.answered.done():
                    await self._answer([job])
            return
        with contextlib.suppress(asyncio.InvalidStateError):
            jobs[0].answered.set_exception(error)


def _writing(served: Served, row: Row, stream: Stream) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [served.written(row, stream.told)]


def tokens_of(row: Row) -> int:
    """Return about how many pieces a row has: a CJK character is one, four others are one; and special ones."""
    total = 2
    for text in row:
        if isinstance(text, str):
            total += len(text) // 4 + 1 if text.isascii() else len(text)
    return total
