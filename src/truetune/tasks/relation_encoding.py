"""The relation of two entities: a text with its pair marked to one model input, in which both always stand.

The markers are the typed ones of Zhou and Chen (2022), "An Improved Baseline for Sentence-level Relation Extraction":
`@ * person * Ann @ works for # ^ firm ^ Acme #`; without types `@ Ann @ works for # Acme #`. Head and tail have
markers of their own, so the model reads which is which, and they are signs that pretrained vocabularies hold.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import ConfigError, ModelError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.classify_encoding import NONE, input_of, targets_of
from truetune.tasks.windows import SHOWN
from truetune.text import normalised
from truetune.types import HEAD_MARK, TAIL_MARK, Finding, Ints, Pieces, Span, Tokenizer

HEAD, TAIL = ("@", "*"), ("#", "^")
"""The sign around an entity, and the one around its type."""


class MarkedPair(NamedTuple):
    """A text with markers, and where in it the pair stands, markers included: characters, `end` exclusive."""

    text: str
    start: int
    end: int
    head: int
    """Where the sign before the head stands."""
    tail: int


def marked_pair(text: str, head: Span, tail: Span) -> MarkedPair:
    """Return a text with its pair marked; of two entities one may lie in the other.

    Raises ValueError for an entity that ends beyond the text, and for one that is head and tail at once.
    """
    for name, span in (("head", head), ("tail", tail)):
        if span.end > len(text):
            raise ValueError(
                f"`{name}` [{span.start}, {span.end}] ends beyond the text, which has {len(text)} characters; "
                "offsets count characters (not bytes), from 0, end exclusive"
            )
    if head[:2] == tail[:2]:
        raise ValueError(f"`head` and `tail` are both [{head.start}, {head.end}]; expected two entities")
    signs: list[tuple[int, int, int, str]] = []
    for span, (around, kind) in ((head, HEAD), (tail, TAIL)):
        size = span.end - span.start
        # At one place ends stand before beginnings; the longer entity begins first and ends last.
        signs.append((span.start, 1, -size, f"{around} {kind} {span.type} {kind}" if span.type else around))
        signs.append((span.end, 0, size, around))
    whole, done = "", 0
    bounds: list[int] = []
    first: dict[str, int] = {}
    for place, _, _, sign in sorted(signs):
        whole = _spaced(whole, text[done:place])
        done = place
        whole = _spaced(whole, sign)
        bounds += [len(whole) - len(sign), len(whole)]
        first.setdefault(sign[0], bounds[-2])
    return MarkedPair(_spaced(whole, text[done:]), bounds[0], bounds[-1], first[HEAD[0]], first[TAIL[0]])


def _spaced(before: str, after: str) -> str:
    """Return two texts as one with white space between them."""
    apart = not before or not after or before[-1].isspace() or after[0].isspace()
    return before + after if apart else f"{before} {after}"


def pair_sign(text: str, head: Span, tail: Span) -> str:
    """Return ten letters and digits that say where the pair stands in a text, spaces and punctuation not counted."""
    ends = [len(normalised(text[:place])) for span in (head, tail) for place in (span.start, span.end)]
    return blake2b(repr(ends).encode(), digest_size=5).hexdigest()


def encode_pairs(
    columns: Sequence[Sequence[Any]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return one model input of each text, its head and its tail; offsets are those of the marked text.

    The signs before head and tail are marked in the segments: the states there stand for the two entities, the "entity
    start" of Baldini Soares et al. (2019), "Matching the Blanks: Distributional Similarity for Relation Learning".
    Of a text that is too long the window is read that has the pair in its middle. Where the pair itself is too long,
    the beginning and the end of it are read, and the signs before head and tail; what else lies between is left out.
    Both are counted in the findings.
    Raises `ModelError` for a tokenizer that does not tell the markers apart.
    """
    _check_markers(tokenizer)
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    if room < 2:
        raise ConfigError(f"inputs of {lengths.longest} pieces leave no room for the text; raise model.max_length")
    pairs = [marked_pair(*example) for example in zip(*columns[:3], strict=True)]
    targets = targets_of(gold, labels, len(pairs), first)
    texts = tokenizer.pieces([pair.text for pair in pairs])
    inputs, around, apart = [], [], []
    for example, (pair, text, target) in enumerate(zip(pairs, texts, targets, strict=True), start=first):
        begin, end = pieces_within(text, pair.start, pair.end)
        signs = [np.flatnonzero((text.starts <= place) & (place < text.ends)) for place in (pair.head, pair.tail)]
        kept = with_signs(window_of_pair(len(text.ids), begin, end, room), np.concatenate(signs))
        if end - begin > room:
            apart.append(example)
        elif len(kept) < len(text.ids):
            around.append(example)
        one = input_of(example, Pieces(*(part[kept] for part in text)), None, target, tokenizer)
        one.segments[:] = 0  # some tokenizers count a special token as a third segment
        for place, mark in ((pair.head, HEAD_MARK), (pair.tail, TAIL_MARK)):
            one.segments[(one.starts <= place) & (place < one.ends)] = mark
        inputs.append(one)
    return Encoding(inputs, tuple(_findings(around, apart, room)))


def pieces_within(text: Pieces, start: int, end: int) -> tuple[int, int]:
    """Return the first piece that reaches into characters `[start, end)`, and the one behind the last."""
    inside = np.flatnonzero((text.ends > start) & (text.starts < end))
    return (int(inside[0]), int(inside[-1]) + 1) if len(inside) else (0, 0)


def window_of_pair(size: int, begin: int, end: int, room: int) -> Ints:
    """Return which of `size` pieces are read, at most `room`, where a pair takes those from `begin` to `end`."""
    if end - begin > room:
        head = room - room // 2
        return np.concatenate([np.arange(begin, begin + head), np.arange(end - room // 2, end)])
    start = max(0, min(begin - (room - (end - begin)) // 2, size - room))
    return np.arange(start, min(start + room, size))


def with_signs(kept: Ints, signs: Ints) -> Ints:
    """Return as many pieces as are kept, the signs among them: they take the places of those in the middle."""
    missing = np.setdiff1d(signs, kept)
    free = np.setdiff1d(kept, signs)
    if not len(missing) or len(free) < len(missing):
        return kept
    first = (len(free) - len(missing)) // 2
    return np.union1d(np.setdiff1d(kept, free[first : first + len(missing)]), missing)


def _findings(around: Sequence[int], apart: Sequence[int], room: int) -> Iterator[Finding]:
    if around:
        advice = f"of texts of more than {room:,} pieces the window is read that has the marked pair in its middle"
        yield Finding("pair window", "note", len(around), _shown(around), advice)
    if apart:
        advice = (
            f"from head to tail these take more than {room:,} pieces, so what lies between them is left out; raise "
            "model.max_length if the model takes more"
        )
        yield Finding("pair too far apart", "warning", len(apart), _shown(apart), advice)


def _shown(examples: Sequence[int]) -> tuple[str, ...]:
    return tuple(f"example {example}" for example in examples[:SHOWN])


def _check_markers(tokenizer: Tokenizer) -> None:
    signs = (HEAD[0], TAIL[0])
    head, tail = (found.ids.tolist() for found in tokenizer.pieces(signs))
    if not head or head == tail:
        raise ModelError(
            f"the tokenizer of this model does not tell {signs[0]} and {signs[1]} apart, the signs that mark head and "
            "tail, so it cannot learn the direction of a relation; choose a model whose vocabulary has them"
        )
