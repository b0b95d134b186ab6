"""Texts that are longer than a model's input: overlapping windows, or the beginning alone; never in silence."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from truetune.errors import ConfigError
from truetune.tasks.base import Lengths
from truetune.types import Bools, Finding

SHOWN = 5


def windows(size: int, room: int, lengths: Lengths, allowed: Bools | None = None) -> list[tuple[int, int]]:
    """Return the (start, end) of the windows over `size` pieces of which `room` fit into one input.

    Neighbours share at least `lengths.overlap` pieces. `allowed` `[size]` marks where a window may begin or end
    (a word's first piece): a border moves back to the last such place, unless that takes too much of the advance.
    """
    if room < 1 or lengths.overlap >= room:
        raise ConfigError(
            f"inputs of {lengths.longest} pieces leave room for {max(room, 0)} of the text, with an overlap of "
            f"{lengths.overlap}; raise model.max_length"
        )
    if size <= room or lengths.long == "head":
        return [(0, min(size, room))]
    found: list[tuple[int, int]] = []
    start, end = 0, 0
    while end < size:
        lowest = max(end, start + lengths.overlap) + 1
        end = min(start + room, size)
        if end < size and allowed is not None:
            end = _moved_back(allowed, end, lowest)
        found.append((start, end))
        start = end - lengths.overlap
        if allowed is not None:
            start = _moved_back(allowed, start, max(start - (room - lengths.overlap) // 2, found[-1][0] + 1))
    return found


def cut_finding(examples: Sequence[int], room: int, long: Literal["windows", "head"]) -> tuple[Finding, ...]:
    """Return the finding for texts that are longer than one input; none where there is no such text."""
    if not examples:
        return ()
    shown = tuple(f"example {example}" for example in examples[:SHOWN])
    if long == "windows":
        advice = f"texts of more than {room:,} pieces are read in overlapping windows and their outputs joined"
        return (Finding("windows", "note", len(examples), shown, advice),)
    advice = (
        f"only the first {room:,} pieces of these texts are read; raise model.max_length if the model takes more, "
        "or read them in windows"
    )
    return (Finding("truncated", "warning", len(examples), shown, advice),)


def _moved_back(allowed: Bools, place: int, lowest: int) -> int:
    """Return the last allowed place from `lowest` to `place`; `place` itself where there is none."""
    places = np.flatnonzero(allowed[lowest : place + 1])
    return lowest + int(places[-1]) if len(places) else place
