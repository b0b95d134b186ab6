"""One label, or a set of labels, a text: texts (or pairs) to model inputs, logits to labels with probabilities."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import DataError, nearest
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.windows import cut_finding, windows
from truetune.types import IGNORED, Encoded, Floats, Ints, Pieces, Tokenizer

NONE = np.zeros(0, dtype=np.int64)


def encode(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return model inputs of one text column, or of two (a pair); `first` is the number of the first example.

    A text that is too long is read in windows, each with the example's target, or only its beginning
    (`lengths.long`); of a pair the longer text is always cut from its end. What was cut is in the findings.
    """
    return encoded_texts(columns, targets_of(gold, labels, len(columns[0]), first), tokenizer, lengths, first)


def encoded_texts(
    columns: Sequence[Sequence[str]],
    targets: Sequence[npt.NDArray[Any]],
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int,
) -> Encoding:
    """Return the model inputs of one text column or of two, each with its example's target, as `encode` does."""
    if len(columns) not in (1, 2):
        raise DataError(f"expected one text column or two, found {len(columns)}")
    numbered = list(enumerate(targets, start=first))
    pieces = tokenizer.pieces(columns[0])
    if len(columns) == 1:
        return _single(pieces, numbered, tokenizer, lengths)
    return _pairs(pieces, tokenizer.pieces(columns[1]), numbered, tokenizer, lengths)


def decode(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `label` (the most probable) or `labels` (those of at least `threshold`), and `scores`.

    `scores` holds every label's probability: a softmax (sum 1), or a sigmoid a label where there may be several.
    The probabilities of a text that was read in windows are the means of its windows'.
    """
    probabilities = np.zeros((len(texts), len(labels.names)))
    counts = np.zeros(len(texts))
    for one, logits in zip(encoded, outputs, strict=True):
        probabilities[one.example] += sigmoid(logits) if labels.multiple else softmax(logits)
        counts[one.example] += 1
    if not counts.all():
        raise DataError(f"example {int(np.argmin(counts))} has no output; expected at least one input of each example")
    probabilities /= counts[:, None]
    scores = [dict(zip(labels.names, row, strict=True)) for row in probabilities.tolist()]
    if labels.multiple:
        chosen = probabilities >= threshold
        return {
            "labels": [[name for name, on in zip(labels.names, row, strict=True) if on] for row in chosen.tolist()],
            "scores": scores,
        }
    return {"label": [labels.names[place] for place in probabilities.argmax(axis=1).tolist()], "scores": scores}


def softmax(logits: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return probabilities over the last axis in float64."""
    shifted = logits.astype(np.float64) - logits.max(axis=-1, keepdims=True)
    powers = np.exp(shifted)
    shares: Floats = powers / powers.sum(axis=-1, keepdims=True)
    return shares


def sigmoid(logits: npt.NDArray[np.floating[Any]]) -> Floats:
    """Return 1 / (1 + exp(-x)) in float64, without overflow."""
    powers = np.exp(-np.abs(logits.astype(np.float64)))
    shares: Floats = np.where(logits >= 0, 1.0, powers) / (1 + powers)
    return shares


def targets_of(
    gold: Mapping[str, Sequence[Any]] | None, labels: Labels, examples: int, first: int
) -> Sequence[npt.NDArray[Any]]:
    """Return the target of each example: a label's place, or a row of zeros and ones; `IGNORED` without gold.

    Raises `DataError` that lists all labels that are not among `labels`; `first` is the number of the first example.
    """
    place = {name: position for position, name in enumerate(labels.names)}
    if gold is None:
        nothing = np.full(len(place), float(IGNORED)) if labels.multiple else np.array(IGNORED)
        return [nothing] * examples
    column = gold["labels" if labels.multiple else "label"]
    sets = [list(value) if labels.multiple else [value] for value in column]
    unknown = [
        f"example {number}: {name!r}; {nearest(str(name), place)}"
        for number, names in enumerate(sets, start=first)
        for name in names
        if name not in place
    ]
    if unknown:
        raise DataError(f"{len(unknown):,} labels are not among the {len(place)} that the model learns", unknown)
    if not labels.multiple:
        return [np.array(place[names[0]]) for names in sets]
    table = np.zeros((len(sets), len(place)), dtype=np.float64)
    for row, names in zip(table, sets, strict=True):
        row[[place[name] for name in names]] = 1
    return list(table)


def _single(
    texts: Sequence[Pieces], targets: Sequence[tuple[int, npt.NDArray[Any]]], tokenizer: Tokenizer, lengths: Lengths
) -> Encoding:
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    inputs, cut = [], []
    for text, (example, target) in zip(texts, targets, strict=True):
        if len(text.ids) > room:
            cut.append(example)
        for start, end in windows(len(text.ids), room, lengths):
            inputs.append(input_of(example, Pieces(*(part[start:end] for part in text)), None, target, tokenizer))
    return Encoding(inputs, cut_finding(cut, room, lengths.long))


def _pairs(
    first: Sequence[Pieces],
    second: Sequence[Pieces],
    targets: Sequence[tuple[int, npt.NDArray[Any]]],
    tokenizer: Tokenizer,
    lengths: Lengths,
) -> Encoding:
    room = lengths.longest - len(tokenizer.wrapped(NONE, NONE)[0])
    inputs, cut = [], []
    for one, other, (example, target) in zip(first, second, targets, strict=True):
        kept, other_kept = shares(len(one.ids), len(other.ids), room)
        if kept < len(one.ids) or other_kept < len(other.ids):
            cut.append(example)
        inputs.append(
            input_of(example, Pieces(*(part[:kept] for part in one)), other.ids[:other_kept], target, tokenizer)
        )
    return Encoding(inputs, cut_finding(cut, room, "head"))


def shares(first: int, second: int, room: int) -> tuple[int, int]:
    """Return how many pieces of each text are kept: the longer one is cut first, then both alike."""
    if first + second <= room:
        return first, second
    half = room // 2
    if first <= half:
        return first, room - first
    if second <= room - half:
        return room - second, second
    return half, room - half


def input_of(
    example: int, first: Pieces, second: Ints | None, target: npt.NDArray[Any], tokenizer: Tokenizer
) -> Encoded:
    """Return the model input of pieces, or of two lots of them, with special tokens; offsets are those of the first."""
    ids, segments, begin = tokenizer.wrapped(first.ids, second)
    starts, ends = np.full((2, len(ids)), -1, dtype=np.int64)
    starts[begin : begin + len(first.ids)] = first.starts
    ends[begin : begin + len(first.ids)] = first.ends
    return Encoded(example, ids, segments, target, starts, ends)
