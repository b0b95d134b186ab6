"""What is kept of an example: what was predicted, how sure, how long, how well read; never the text."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune.text import is_cjk

Observed = Mapping[str, float | str]
"""Feature -> value of one example; a feature that an example does not have is left out."""


@dataclass(frozen=True)
class Feature:
    """One thing that is counted; a number by bins that no data moves, so that counts stay exchangeable."""

    name: str
    edges: tuple[float, ...] = ()
    """Of an ordered one: bin i holds values from edge i - 1 up to, and without, edge i. Others: empty."""

    @property
    def ordered(self) -> bool:
        """Whether the bins have an order."""
        return bool(self.edges)

    def bin(self, value: float | str) -> str:
        """Return the name of the bin of a value: its place as a number, or the value itself."""
        return str(bisect_right(self.edges, float(value))) if self.ordered else str(value)

    def bounds(self, bin: str) -> tuple[float, float]:
        """Return where a bin of an ordered feature begins and ends."""
        edges = (float("-inf"), *self.edges, float("inf"))
        return edges[int(bin)], edges[int(bin) + 1]


CONFIDENCE = Feature(
    "confidence",
    (
        *(0.1, 0.2, 0.3, 0.4, 0.5, 0.55, 0.6, 0.65, 0.7, 0.75, 0.8, 0.85, 0.9),
        *(0.92, 0.94, 0.96, 0.98, 0.99, 0.995, 0.998, 0.999, 0.9995, 0.9999),
    ),
)
LABEL, SCRIPT = Feature("label"), Feature("script")
CHARACTERS = Feature("characters", tuple(round(2 ** (step / 4), 3) for step in range(65)))
UNKNOWN = Feature("unknown", (1e-9, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.5, 0.7, 0.9))
DENSITY = Feature("characters a piece", tuple(0.5 + 0.25 * step for step in range(29)))
"""Characters a piece of the tokenizer: texts of another language fall into smaller pieces."""
FEATURES = {one.name: one for one in (LABEL, CONFIDENCE, CHARACTERS, DENSITY, UNKNOWN, SCRIPT)}


def features_of_text(texts: Sequence[str], pieces: int, unknown: int) -> dict[str, float | str]:
    """Return what is kept of the texts of one example that a tokenizer cut into so many pieces."""
    whole = "".join(texts)
    found: dict[str, float | str] = {CHARACTERS.name: float(len(whole)), SCRIPT.name: script_of_text(whole)}
    if pieces:
        found |= {UNKNOWN.name: unknown / pieces, DENSITY.name: len(whole) / pieces}
    return found


def features_of_answer(answer: Mapping[str, Any]) -> dict[str, float | str]:
    """Return what is kept of a prediction: its label, or labels joined, and the probability of what was said."""
    said, scores = answer.get("label"), answer.get("scores")
    found: dict[str, float | str] = {}
    if isinstance(said, str):
        found[LABEL.name] = said
        if isinstance(scores, Mapping) and isinstance(scores.get(said), int | float):
            found[CONFIDENCE.name] = float(scores[said])
    elif isinstance(answer.get("labels"), Sequence):
        found[LABEL.name] = " + ".join(sorted(answer["labels"]))
    return found


def script_of_text(text: str) -> str:
    """Return the script that most letters of a text are of; `none` where it has no letter."""
    counts = Counter(_script(character) for character in text[:2000] if character.isalpha())
    return max(sorted(counts), key=counts.__getitem__) if counts else "none"


_RANGES = (
    ("Latin", 0x0000, 0x036F),
    ("Greek", 0x0370, 0x03FF),
    ("Cyrillic", 0x0400, 0x052F),
    ("Hebrew", 0x0590, 0x05FF),
    ("Arabic", 0x0600, 0x077F),
    ("Devanagari", 0x0900, 0x097F),
    ("Thai", 0x0E00, 0x0E7F),
    ("Korean", 0x1100, 0x11FF),
    ("Latin", 0x1E00, 0x1EFF),
    ("Korean", 0xAC00, 0xD7A3),
    ("Latin", 0xFF21, 0xFF5A),
)
"""Script, first and last code point."""


def _script(character: str) -> str:
    if is_cjk(character):
        return "Japanese" if "\u3041" <= character <= "\u30ff" or "\u31f0" <= character <= "\u31ff" else "Chinese"
    code = ord(character)
    return next((name for name, first, last in _RANGES if first <= code <= last), "other")
