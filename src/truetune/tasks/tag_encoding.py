"""Spans of characters to a tag a word, and logits back to spans.

A *unit* is what carries one tag: a word (or number, a sign, a single CJK character) as far as pieces can tell
words apart. Its first piece has the target; later pieces of the same word are `IGNORED` and never scored, so
a word that is cut into many pieces counts once. Tags are BIO: `O`, and `B-` and `I-` of each type. Long texts are
read in windows that begin and end between words, and each unit takes the window in which it has most context.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import DataError, nearest
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.legal_tags import legal_path, spans_of
from truetune.tasks.windows import SHOWN, cut_finding, windows
from truetune.text import words
from truetune.types import IGNORED, Bools, Encoded, Finding, Floats, Ints, Pieces, Span, Tokenizer

_APOSTROPHES = "'’"
NONE = np.zeros(0, dtype=np.int64)
INEXACT = (
    "these gold spans begin or end inside a word, so no prediction can match them exactly and they count as missed; "
    "check their offsets"
)


class Units(NamedTuple):
    """The units of a text, or of a window of it."""

    first: Ints
    """`[units]`, the position of each unit's first piece"""
    starts: Ints
    """`[units]`, in characters"""
    ends: Ints
    """`[units]`, exclusive"""


class Aligned(NamedTuple):
    """Gold spans on units."""

    tags: list[str]
    """One a unit."""
    inexact: list[Span]
    """Spans that begin or end inside a unit, or where no piece is: no sequence of tags gives exactly them."""
    overlapping: list[Span]
    """Spans that lie on a unit which an earlier span has; they are left out."""


def tag_labels(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the label schema of the types in `spans`: `O`, and `B-`, `I-` of each, sorted by type."""
    types = sorted({span.type for spans in gold["spans"] for span in spans})
    return Labels(("O", *(f"{letter}-{kind}" for kind in types for letter in "BI")))


def encode(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return model inputs of one text column with a tag on the first piece of each unit.

    `first` is the number of the first example.

    Gold that tags cannot express is counted and shown in the findings; it stays in the gold that is scored.
    """
    if len(columns) != 1:
        raise DataError(f"expected one text column, found {len(columns)}")
    texts = columns[0]
    place = {name: position for position, name in enumerate(labels.names)}
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    inputs: list[Encoded] = []
    cut: list[int] = []
    lost: dict[str, list[str]] = {"inexact": [], "overlapping": []}
    for example, (text, pieces) in enumerate(zip(texts, tokenizer.pieces(texts), strict=True), start=first):
        units = units_of(text, pieces.starts, pieces.ends)
        targets = np.full(len(pieces.ids), IGNORED, dtype=np.int64)
        if gold is not None:
            aligned = align(units, gold["spans"][example - first])
            targets[units.first] = [_place(tag, place, example) for tag in aligned.tags]
            lost["inexact"] += [shown_span(example, text, span) for span in aligned.inexact]
            lost["overlapping"] += [shown_span(example, text, span) for span in aligned.overlapping]
        if len(pieces.ids) > room:
            cut.append(example)
        begins = np.zeros(len(pieces.ids), dtype=np.bool_)
        begins[units.first] = True
        for start, end in windows(len(pieces.ids), room, lengths, begins):
            part = Pieces(*(array[start:end] for array in pieces))
            inputs.append(_input(example, part, targets[start:end], tokenizer))
    return Encoding(inputs, (*cut_finding(cut, room, lengths.long), *_lost_findings(lost)))


def decode(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `spans`: those of the most probable legal sequence of tags (see `legal_path`).

    `threshold` has no meaning here.
    """
    found: list[list[Span]] = [[] for _ in texts]
    pairs = zip(encoded, outputs, strict=True)
    for example, group in groupby(pairs, key=lambda pair: pair[0].example):
        units, logits = _merged(texts[example], list(group))
        tags = [labels.names[place] for place in legal_path(logits, labels.names)]
        found[example] = spans_of(tags, units.starts.tolist(), units.ends.tolist())
    return {"spans": found}


def units_of(text: str, starts: Ints, ends: Ints) -> Units:
    """Return the units of pieces with these character offsets; -1 marks special tokens.

    A piece opens a unit where it holds the first character of a word that no piece before it holds. A unit
    ends with its last piece.
    """
    begins = np.zeros(len(text) + 1, dtype=np.int64)
    for start, end in words(text):
        begins[start] = 1
        for position in range(start + 1, end):
            if text[position] in _APOSTROPHES:
                begins[position : position + 2] = 1
    before = np.concatenate([[0], np.cumsum(begins)])
    reached = before[np.maximum(ends, 0)]
    known = np.concatenate([[0], np.maximum.accumulate(reached)[:-1]]) if len(ends) else reached
    opens: Bools = (starts >= 0) & (reached > before[np.maximum(starts, 0)]) & (reached > known)
    first = np.flatnonzero(opens)
    if not len(first):
        return Units(NONE, NONE, NONE)
    return Units(first, starts[first], np.maximum.reduceat(ends, first))


def align(units: Units, spans: Iterable[Span]) -> Aligned:
    """Return the tags of gold spans, and the spans that tags cannot express.

    A span that is not exact still tags every unit that it touches: the model learns where it is.
    """
    tags = ["O"] * len(units.first)
    inexact, overlapping = [], []
    for span in sorted(spans, key=lambda span: (span.start, -span.end, span.type)):
        low = int(np.searchsorted(units.ends, span.start, side="right"))
        high = int(np.searchsorted(units.starts, span.end, side="left"))
        if low >= high:
            inexact.append(span)
            continue
        if any(tag != "O" for tag in tags[low:high]):
            overlapping.append(span)
            continue
        if units.starts[low] != span.start or units.ends[high - 1] != span.end:
            inexact.append(span)
        tags[low:high] = [f"B-{span.type}"] + [f"I-{span.type}"] * (high - low - 1)
    return Aligned(tags, inexact, overlapping)


def _merged(text: str, parts: Sequence[tuple[Encoded, Floats]]) -> tuple[Units, Floats]:
    """Return the units of a whole text and their logits `[units, tags]`, each from its best window.

    The context of a unit is its distance to the nearer border of the window, in pieces; where the text itself
    begins or ends there, nothing is missing on that side. Of equal windows the earlier is taken.
    """
    tables, logits, contexts = [], [], []
    for number, (one, output) in enumerate(parts):
        units = units_of(text, one.starts, one.ends)
        inside = np.flatnonzero(one.starts >= 0)
        left = units.first - inside[0] if len(inside) and number else np.full(len(units.first), np.inf)
        last = number == len(parts) - 1
        right = np.full(len(units.first), np.inf) if last or not len(inside) else inside[-1] - units.first
        tables.append(units)
        logits.append(output[units.first])
        contexts.append(np.minimum(left, right))
    starts = np.concatenate([units.starts for units in tables])
    order = np.lexsort((-np.concatenate(contexts), starts))
    kept = order[np.flatnonzero(np.r_[True, np.diff(starts[order]) > 0])] if len(starts) else order
    ends = np.concatenate([units.ends for units in tables])
    return Units(NONE, starts[kept], ends[kept]), np.concatenate(logits)[kept]


def _input(example: int, pieces: Pieces, target: Ints, tokenizer: Tokenizer) -> Encoded:
    ids, segments, begin = tokenizer.wrapped(pieces.ids)
    inside = slice(begin, begin + len(pieces.ids))
    starts, ends = np.full((2, len(ids)), -1, dtype=np.int64)
    targets = np.full(len(ids), IGNORED, dtype=np.int64)
    starts[inside], ends[inside], targets[inside] = pieces.starts, pieces.ends, target
    return Encoded(example, ids, segments, targets, starts, ends)


def _place(tag: str, place: Mapping[str, int], example: int) -> int:
    if tag not in place:
        kinds = {name[2:] for name in place if name != "O"}
        raise DataError(
            f"example {example}: span type {tag[2:]!r} is not among those that the model learns; "
            f"{nearest(tag[2:], kinds)}"
        )
    return place[tag]


def shown_span(example: int, text: str, span: Span) -> str:
    """Return a span as findings show it."""
    return f"example {example}: {text[span.start : span.end]!r} [{span.start}, {span.end}, {span.type}]"


def _lost_findings(lost: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    advice = {
        "inexact": INEXACT,
        "overlapping": "these gold spans overlap others and cannot be learnt by one tag a word; they count as "
        "missed; use flat spans, or the task nested-ner",
    }
    return tuple(
        Finding(f"spans-{name}", "warning", len(shown), tuple(shown[:SHOWN]), advice[name])
        for name, shown in lost.items()
        if shown
    )
