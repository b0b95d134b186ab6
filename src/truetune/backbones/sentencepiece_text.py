"""A text as SentencePiece reads it before it cuts it: other characters for some, spaces as `▁`, and where each was.

`tokenizers` has a step for that map, which loses marks behind letters that are replaced: `Ａ` with an accent is `A`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from truetune.backbones.sentencepiece_file import DEFINED, SentencePieceFile
from truetune.errors import ModelError
from truetune.types import Ints

SPACE = "▁"
"""What stands for a space."""
_LABEL, _LEAF, _VALUE = 0x800000FF, 0x100, 0x7FFFFFFF


class Read(NamedTuple):
    """A text as it is cut."""

    text: str
    starts: Ints
    """`[length]`, from where in the given text each character is."""
    ends: Ints
    """`[length]`, up to where, exclusive."""


class SentencePieceReader:
    """Reads texts for a model."""

    def __init__(self, model: SentencePieceFile, where: str) -> None:
        """`where`: the file, for messages."""
        self._model = model
        self._map = _CharacterMap(model.character_map, where)
        own = (text for text, _, kind in model.pieces if kind == DEFINED)
        self._defined = sorted(own, key=len, reverse=True)

    def read(self, text: str) -> Read:
        """Return a text as it is cut; one of spaces alone is empty where several spaces are one."""
        spelt: list[str] = []
        places: list[tuple[int, int]] = []
        one_space = self._model.one_space
        begun, after_space = not one_space, one_space
        for part, start, end in self._parts(text):
            if not begun and part == " ":
                continue
            if self._model.prefix and not spelt:
                spelt.append(SPACE)
                places.append((start, start))
            begun = True
            kept = part.lstrip(" ") if after_space else part
            if kept:
                spelt += kept.replace(" ", SPACE)
                places += [(start, end)] * len(kept)
                after_space = one_space and kept.endswith(" ")
            elif not one_space:
                after_space = False
        while one_space and spelt and spelt[-1] == SPACE:
            spelt.pop()
            places.pop()
        bounds = np.array(places, dtype=np.int64).reshape(-1, 2)
        return Read("".join(spelt), bounds[:, 0], bounds[:, 1])

    def _parts(self, text: str) -> Iterator[tuple[str, int, int]]:
        """Yield what is read for each stretch of a text, and where that stands."""
        place = 0
        while place < len(text):
            own = next((one for one in self._defined if text.startswith(one, place)), "") if self._defined else ""
            part, size = (own, len(own)) if own else self._map.longest(text, place)
            yield part, place, place + size
            place += size


class _CharacterMap:
    """A compiled map: the size of a double array (darts-clone), the array, and texts that end with 0.

    A unit of the array has the label of the edge that leads to it, where its children lie, and whether the text up to
    it is in the map; then the unit at that place is the offset of what is read for it.
    """

    def __init__(self, compiled: bytes, where: str) -> None:
        size = int.from_bytes(compiled[:4], "little")
        if compiled and not 4 <= size <= len(compiled) - 4:
            raise ModelError(f"{where}: its map of characters is damaged; fetch it again")
        self._units: list[int] = (
            np.frombuffer(compiled, dtype="<u4", count=size // 4, offset=4).tolist() if size else []
        )
        self._texts = compiled[4 + size :]
        self._root = _children(0, self._units[0]) if self._units else 0
        self._known: dict[tuple[int, str], tuple[int, str | None] | None] = {}

    def longest(self, text: str, place: int) -> tuple[str, int]:
        """Return what is read for the longest entry that stands at a place, and its length; else the character."""
        found, size, base, at = text[place], 1, self._root, place
        while at < len(text) and (step := self._step(base, text[at])) is not None:
            base, at = step[0], at + 1
            if step[1] is not None:
                found, size = step[1], at - place
        return found, size

    def _step(self, base: int, character: str) -> tuple[int, str | None] | None:
        """Return where the children of one more character lie, and what is read up to it; None: no entry begins so."""
        key = (base, character)
        if key not in self._known:
            self._known[key] = self._walked(base, character)
        return self._known[key]

    def _walked(self, base: int, character: str) -> tuple[int, str | None] | None:
        unit = 0
        for byte in character.encode("utf-8", "surrogatepass"):
            place = base ^ byte
            if place >= len(self._units) or (unit := self._units[place]) & _LABEL != byte:
                return None
            base = _children(place, unit)
        if not unit & _LEAF or base >= len(self._units):
            return base, None
        start = self._units[base] & _VALUE
        return base, self._texts[start : self._texts.find(0, start)].decode()


def _children(place: int, unit: int) -> int:
    """Return where the children of a unit lie."""
    return place ^ ((unit >> 10) << ((unit & 0x200) >> 6))
