"""A text while it is written: from the thread of the model, piece by piece, to who waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

Answered = asyncio.Future[tuple[str, list[dict[str, Any]]]]
"""The identity of the model, and an answer a row."""


class Stream:
    """A text while it is written: an iterator of its pieces, and the answer behind them."""

    def __init__(self, answered: Answered) -> None:
        """`answered` comes to hold the identity of the model and the whole answer; cancelled, nobody waits for it."""
        self._answered = answered
        self._loop = asyncio.get_running_loop()
        self._texts: asyncio.Queue[str | None] = asyncio.Queue()

    def told(self, text: str) -> bool:
        """Take what is written so far, in the thread of the model; say whether somebody waits for more."""
        self._loop.call_soon_threadsafe(self._texts.put_nowait, text)
        return not self._answered.done()

    def ended(self, _: object = None) -> None:
        """Let the iterator end; nothing is written any more."""
        self._texts.put_nowait(None)

    def give_up(self) -> None:
        """Tell the model that nobody waits."""
        self._answered.cancel()

    async def __aiter__(self) -> AsyncIterator[str]:
        """Yield pieces; joined, they are the text. Half a character waits for its other half."""
        sent = text = ""
        while (found := await self._texts.get()) is not None:
            text = found
            whole = text.rstrip("\N{REPLACEMENT CHARACTER}")
            if len(whole) > len(sent) and whole.startswith(sent):
                yield whole[len(sent) :]
                sent = whole
        if len(text) > len(sent) and text.startswith(sent):
            yield text[len(sent) :]  # the other half never came

    async def answer(self) -> tuple[str, list[dict[str, Any]]]:
        """Return the identity of the model and the whole answer."""
        return await self._answered
