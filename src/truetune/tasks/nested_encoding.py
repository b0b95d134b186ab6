"""Spans that may lie in each other: of characters to stretches of pieces, and scores of stretches back to spans.

A span is learnt from the first pieces of its first and its last unit (see `tag_encoding`). What a model puts out for
each piece are a query q, a key k, and for each type what begins and what ends there: the score of a stretch is
q . k / sqrt(d) + begin + end, and one above 0 is a span. Long texts are read in windows; where two of them hold a
stretch, the one in which it has most context decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import DataError, nearest
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.tag_encoding import INEXACT, NONE, Units, shown_span, units_of
from truetune.tasks.windows import SHOWN, cut_finding, windows
from truetune.types import Bools, Encoded, Finding, Floats, Ints, Pieces, Span, Tokenizer


def type_labels(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the label schema: the types in `spans`, sorted."""
    return Labels(tuple(sorted({span.type for spans in gold["spans"] for span in spans})))


def encode(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return model inputs of one text column; targets `[spans, 3]` are first piece, last piece and type of each.

    `first` is the number of the first example. Gold that is not learnt is counted and shown in the findings; it stays
    in the gold that is scored.
    """
    if len(columns) != 1:
        raise DataError(f"expected one text column, found {len(columns)}")
    place = {name: position for position, name in enumerate(labels.names)}
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    inputs: list[Encoded] = []
    cut: list[int] = []
    lost: dict[str, list[str]] = {"inexact": [], "apart": []}
    for example, (text, pieces) in enumerate(zip(columns[0], tokenizer.pieces(columns[0]), strict=True), start=first):
        units = units_of(text, pieces.starts, pieces.ends)
        spans = [] if gold is None else list(gold["spans"][example - first])
        found = [(span, _stretch(units, span), _place(span.type, place, example)) for span in spans]
        lost["inexact"] += [shown_span(example, text, span) for span, (_, _, exact), _ in found if not exact]
        targets = sorted({(begin, end, kind) for _, (begin, end, _), kind in found if begin >= 0})
        if len(pieces.ids) > room:
            cut.append(example)
        begins = np.zeros(len(pieces.ids), dtype=np.bool_)
        begins[units.first] = True
        learnt: set[tuple[int, int, int]] = set()
        for start, end in windows(len(pieces.ids), room, lengths, begins):
            own = [one for one in targets if start <= one[0] and one[1] < end]
            learnt.update(own)
            inputs.append(_input(example, Pieces(*(array[start:end] for array in pieces)), own, start, tokenizer))
        lost["apart"] += [
            shown_span(example, text, span)
            for span, (begin, end, _), kind in found
            if begin >= 0 and (begin, end, kind) not in learnt
        ]
    return Encoding(inputs, (*cut_finding(cut, room, lengths.long), *_lost_findings(lost)))


def decode(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `spans`, in the order of their places: those whose score is above 0. `threshold` has no meaning here."""
    found: list[list[Span]] = [[] for _ in texts]
    pairs = zip(encoded, outputs, strict=True)
    for example, group in groupby(pairs, key=lambda pair: pair[0].example):
        parts = [_window(texts[example], one, output, len(labels.names)) for one, output in group]
        spans = {span for number in range(len(parts)) for span in _spans_of(parts, number, labels.names)}
        found[example] = sorted(spans, key=lambda span: (span.start, -span.end, span.type))
    return {"spans": found}


class Window(NamedTuple):
    """A window of a text, and what it says of its stretches."""

    units: Units
    scores: Floats
    """`[units, units, types]`, by first and last unit"""
    start: float
    """Where it begins, in characters; minus infinity for the first of a text, so that nothing is missing before it."""
    end: float


def stretch_scores(output: Floats, types: int) -> Floats:
    """Return `[pieces, pieces, types]` scores of `[pieces, 2 d + 2 types]` outputs, by first and last piece."""
    width = (output.shape[1] - 2 * types) // 2
    q, k = output[:, :width], output[:, width : 2 * width]
    begin, end = output[:, 2 * width : 2 * width + types], output[:, 2 * width + types :]
    scores: Floats = (q @ k.T / np.sqrt(width))[:, :, None] + begin[:, None] + end[None]
    return scores


def _window(text: str, one: Encoded, output: Floats, types: int) -> Window:
    units = units_of(text, one.starts, one.ends)
    inside = one.starts >= 0
    start = float(one.starts[inside].min(initial=len(text)))
    return Window(units, stretch_scores(output[units.first], types), start, float(one.ends.max(initial=0)))


def _spans_of(parts: Sequence[Window], number: int, names: Sequence[str]) -> Iterator[Span]:
    """Give the spans of one window of a text that no other window is to decide."""
    own = parts[number]
    if not len(own.units.first):
        return
    kept: Bools = np.triu(np.ones(own.scores.shape[:2], dtype=np.bool_))
    context = _context(parts, number, own.units)
    for other, part in enumerate(parts):
        if other != number and part.start < own.end and own.start < part.end:
            holds = (own.units.starts[:, None] >= part.start) & (own.units.ends[None] <= part.end)
            theirs = _context(parts, other, own.units)
            kept &= ~(holds & ((theirs > context) | ((theirs == context) & (other < number))))
    for begin, end, kind in np.argwhere((own.scores > 0) & kept[:, :, None]).tolist():
        yield Span(int(own.units.starts[begin]), int(own.units.ends[end]), names[kind])


def _context(parts: Sequence[Window], number: int, units: Units) -> Floats:
    """Return `[units, units]`: how many characters of a window stand around a stretch, on the side with fewer."""
    part = parts[number]
    before = units.starts - part.start if number else np.full(len(units.first), np.inf)
    behind = part.end - units.ends if number < len(parts) - 1 else np.full(len(units.first), np.inf)
    fewer: Floats = np.minimum(before[:, None], behind[None])
    return fewer


def _stretch(units: Units, span: Span) -> tuple[int, int, bool]:
    """Return the first pieces of first and last unit that a span touches (-1: none), and whether it is just these."""
    low = int(np.searchsorted(units.ends, span.start, side="right"))
    high = int(np.searchsorted(units.starts, span.end, side="left"))
    if low >= high:
        return -1, -1, False
    exact = bool(units.starts[low] == span.start and units.ends[high - 1] == span.end)
    return int(units.first[low]), int(units.first[high - 1]), exact


def _input(
    example: int, pieces: Pieces, spans: Sequence[tuple[int, int, int]], start: int, tokenizer: Tokenizer
) -> Encoded:
    ids, segments, begin = tokenizer.wrapped(pieces.ids)
    inside = slice(begin, begin + len(pieces.ids))
    starts, ends = np.full((2, len(ids)), -1, dtype=np.int64)
    starts[inside], ends[inside] = pieces.starts, pieces.ends
    moved: Ints = np.array(spans, dtype=np.int64).reshape(-1, 3)
    moved[:, :2] += begin - start
    return Encoded(example, ids, segments, moved, starts, ends)


def _place(kind: str, place: Mapping[str, int], example: int) -> int:
    if kind not in place:
        raise DataError(
            f"example {example}: span type {kind!r} is not among those that the model learns; {nearest(kind, place)}"
        )
    return place[kind]


def _lost_findings(lost: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    advice = {
        "inexact": INEXACT,
        "apart": "these gold spans begin and end in different windows of their text, so they cannot be learnt and "
        "count as missed; raise model.max_length",
    }
    return tuple(
        Finding(f"spans-{name}", "warning", len(shown), tuple(shown[:SHOWN]), advice[name])
        for name, shown in lost.items()
        if shown
    )
