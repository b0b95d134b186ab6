"""What a linear tagger sees of a word: itself, its neighbours, their shapes, and whether a list knows it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from truetune.text import is_cjk
from truetune.types import Ints

COLUMNS = 1 << 18
"""Features are hashed into so many columns."""

REACH = 2
"""How many words to either side are seen."""

VIEWS = ("word", "shape", "prefix", "suffix", "listed")

TEMPLATES: tuple[tuple[tuple[str, int], ...], ...] = (
    *((("word", offset),) for offset in range(-REACH, REACH + 1)),
    (("word", -1), ("word", 0)),
    (("word", 0), ("word", 1)),
    (("word", -1), ("word", 1)),
    (("word", -1), ("word", 0), ("word", 1)),
    *((("shape", offset),) for offset in (-1, 0, 1)),
    (("prefix", 0),),
    (("suffix", 0),),
    *((("listed", offset),) for offset in (-1, 0, 1)),
    (("listed", -1), ("listed", 0)),
    (("listed", 0), ("listed", 1)),
)
"""What one feature combines: views of the words at these offsets."""

BORDER, UNKNOWN, FIRST = 0, 1, 2
"""The number of what lies outside the text, of what training has not seen, and the first that it has."""


class Sentence(NamedTuple):
    """The words of a text, and the tag code that a list of entities gives to each, `[words]`."""

    words: list[str]
    listed: Ints


@dataclass(frozen=True, slots=True)
class Features:
    """The numbers of what training words look like, by view; a word seen once counts as unknown."""

    numbers: dict[str, dict[str, int]]

    @classmethod
    def of(cls, sentences: Sequence[Sentence]) -> Features:
        """Number the looks of the training words."""
        counts = Counter(word for sentence in sentences for word in sentence.words)
        numbers: dict[str, dict[str, int]] = {view: {} for view in VIEWS[:-1]}
        for word, count in counts.items():
            for view, look in zip(VIEWS[:-1], looks(word), strict=True):
                if view != "word" or count > 1:
                    numbers[view].setdefault(look, FIRST + len(numbers[view]))
        return cls(numbers)

    def matrix(self, sentences: Sequence[Sentence]) -> Any:
        """Return `[words of all sentences, COLUMNS]`, sparse: a one for each template."""
        from scipy.sparse import csr_matrix

        views = self._views(sentences)
        lengths = np.array([len(sentence.words) for sentence in sentences], dtype=np.int64)
        places = np.arange(lengths.sum()) + np.repeat((2 * np.arange(len(lengths)) + 1) * REACH, lengths)
        columns = [
            _hashed(number, [views[places + offset, VIEWS.index(view)] for view, offset in template])
            for number, template in enumerate(TEMPLATES)
        ]
        indices = np.stack(columns, axis=1).astype(np.int32)
        starts = np.arange(0, indices.size + 1, len(TEMPLATES), dtype=np.int32)
        ones = np.ones(indices.size, dtype=np.float32)
        matrix = csr_matrix((ones, indices.ravel(), starts), (len(indices), COLUMNS))
        matrix.sum_duplicates()
        return matrix

    def _views(self, sentences: Sequence[Sentence]) -> npt.NDArray[np.uint64]:
        """Return `[words and borders, views]`: each sentence stands between `REACH` borders."""
        known = {word: self._known(word) for sentence in sentences for word in sentence.words}
        border = np.full((REACH, len(VIEWS)), BORDER, dtype=np.int64)
        rows = [border]
        for sentence in sentences:
            looks_of = np.array([known[word] for word in sentence.words], dtype=np.int64)
            listed = FIRST + sentence.listed[:, None]
            rows += [np.hstack([looks_of.reshape(-1, len(VIEWS) - 1), listed]), border, border]
        return np.concatenate(rows).astype(np.uint64)

    def _known(self, word: str) -> tuple[int, ...]:
        pairs = zip(VIEWS[:-1], looks(word), strict=True)
        return tuple(self.numbers[view].get(look, UNKNOWN) for view, look in pairs)


def looks(word: str) -> tuple[str, str, str, str]:
    """Return the word, its shape (`Xx`, `d.d`), its first and its last three letters in lower case."""
    if is_cjk(word[0]):
        return word, "c", "", ""
    shape = ""
    for character in word:
        kind = "d" if character.isdigit() else "X" if character.isupper() else "x" if character.isalpha() else character
        if not shape.endswith(kind):
            shape += kind
    lower = word.lower()
    return word, shape, lower[:3], lower[-3:]


def _hashed(template: int, values: Sequence[npt.NDArray[np.uint64]]) -> Ints:
    """Return a column for each row's combination of values (multiply and fold)."""
    found = np.full(len(values[0]), template + 1, dtype=np.uint64)
    for value in values:
        found = (found ^ value) * np.uint64(0x9E3779B97F4A7C15)
        found ^= found >> np.uint64(29)
    return (found % np.uint64(COLUMNS)).astype(np.int64)
