"""What a longest input would cut off: shares of texts, of their pieces and of gold spans, for several lengths."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truetune.types import Ints

LENGTHS = (64, 128, 256, 512, 1024)


@dataclass(frozen=True, slots=True)
class Cut:
    """What is lost when texts are cut behind `room` pieces; shares are NaN where there is nothing to lose."""

    room: int
    texts: int
    """Texts that are cut."""
    pieces: float
    """Share of all pieces that is cut off."""
    gold: int
    """Gold spans that end behind the cut: they can only be missed."""
    gold_share: float


def cuts(pieces: Ints, gold_ends: Ints | None = None, rooms: Sequence[int] = LENGTHS) -> list[Cut]:
    """Return what each length would cut.

    `pieces` `[texts]` is the length of each text in pieces, special tokens not counted; `gold_ends` `[spans]` is
    the number of pieces up to the end of each gold span; `rooms` are lengths without special tokens.
    """
    ends = np.zeros(0, dtype=np.int64) if gold_ends is None else gold_ends
    found = []
    for room in rooms:
        lost = int((ends > room).sum())
        found.append(
            Cut(
                room=room,
                texts=int((pieces > room).sum()),
                pieces=_share(int(np.maximum(pieces - room, 0).sum()), int(pieces.sum())),
                gold=lost,
                gold_share=_share(lost, len(ends)),
            )
        )
    return found


def shortest_room(pieces: Ints, share: float = 0.99) -> int:
    """Return the smallest length, without special tokens, that keeps a share of the texts whole; 0 without texts."""
    if not len(pieces):
        return 0
    return int(np.sort(pieces)[max(int(np.ceil(share * len(pieces))) - 1, 0)])


def _share(part: int, whole: int) -> float:
    return part / whole if whole else float("nan")
