"""Documents as inputs of language models: windows side by side, so that each piece is read and predicted once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from truetune.types import IGNORED, Encoded, Ints, Pieces, Tokenizer

NOWHERE = -1
"""The offset of special tokens."""
Words = Callable[[str], Sequence[tuple[int, int]]]
"""A text -> its words as character offsets, in order."""


def masked_inputs(
    texts: Sequence[str], tokenizer: Tokenizer, first: int = 0, words: Words | None = None
) -> list[Encoded]:
    """Return the windows of documents for `mask`: the target is the number of the word that each piece is of.

    Without `words` each piece is a word by itself; with it a piece is of the word in which it begins, and what is
    outside of all words stands alone. `first` is the number of the first document.
    """
    found = []
    for example, (text, pieces) in enumerate(zip(texts, tokenizer.pieces(texts), strict=True), start=first):
        belongs = np.arange(len(pieces.ids)) if words is None else _words_of(pieces, words(text))
        for start, end in _windows(len(pieces.ids), tokenizer.max_length - len(tokenizer.wrapped(pieces.ids[:0])[0])):
            ids, segments, begin = tokenizer.wrapped(pieces.ids[start:end])
            place = slice(begin, begin + end - start)
            found.append(_input(example, ids, segments, place, (pieces, slice(start, end)), belongs[start:end]))
    return found


def causal_inputs(texts: Sequence[str], tokenizer: Any, first: int = 0, ended: bool = True) -> list[Encoded]:
    """Return the windows of documents for `generate`: each piece is predicted from those before it in its window.

    A window begins with the end token, which stands between documents where texts are written one after the other;
    so the first piece is predicted too. What ends a document is learnt after its last piece, where it is `ended`.
    """
    found = []
    end_token = np.array([tokenizer.end])
    for example, pieces in enumerate(tokenizer.pieces(texts), start=first):
        for start, end in _windows(len(pieces.ids), tokenizer.max_length - 1 - ended):
            closing = end_token[: int(ended and end == len(pieces.ids))]
            ids = np.concatenate([end_token, pieces.ids[start:end], closing])
            place = slice(1, 1 + end - start)
            one = _input(example, ids, np.zeros_like(ids), place, (pieces, slice(start, end)), pieces.ids[start:end])
            one.segments[1:] = 1
            one.target[1:] = ids[1:]
            found.append(one)
    return found


def _input(example: int, ids: Ints, segments: Ints, place: slice, of: tuple[Pieces, slice], targets: Ints) -> Encoded:
    """Return one window, whose pieces stand at `place` in `ids`."""
    pieces, window = of
    starts, ends = (np.full(len(ids), NOWHERE, dtype=np.int64) for _ in range(2))
    starts[place], ends[place] = pieces.starts[window], pieces.ends[window]
    target = np.full(len(ids), IGNORED, dtype=np.int64)
    target[place] = targets
    return Encoded(example, ids, segments, target, starts, ends)


def _windows(pieces: int, longest: int) -> Iterator[tuple[int, int]]:
    """Yield equal windows, as few as may be; none for a document without a piece."""
    number = -(-pieces // longest)
    borders = [round(pieces * place / number) for place in range(number + 1)] if number else []
    yield from pairwise(borders)


def _words_of(pieces: Pieces, words: Sequence[tuple[int, int]]) -> Ints:
    """Return the number of the word of each piece; pieces outside of words have numbers of their own."""
    begins = np.array([start for start, _ in words], dtype=np.int64)
    ends = np.array([end for _, end in words], dtype=np.int64)
    place = np.searchsorted(begins, pieces.starts, side="right") - 1
    inside = (place >= 0) & (pieces.starts < ends[np.maximum(place, 0)]) if len(words) else np.zeros(len(place), bool)
    # Numbers only have to be equal within a word and differ between words.
    numbers: Ints = np.where(inside, place, len(words) + np.arange(len(place)))
    return numbers
