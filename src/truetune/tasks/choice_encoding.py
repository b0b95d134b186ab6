"""A question with choices to one model input, all choices in a row, and scores of choices back to an answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from truetune.errors import DataError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.classify_encoding import NONE, shares, softmax
from truetune.tasks.windows import cut_finding
from truetune.types import IGNORED, Encoded, Floats, Ints, Pieces, Tokenizer


def choice_labels(gold: Mapping[str, Sequence[Any]]) -> Labels:
    """Return the label schema: the places of choices, from 1, as many as `options` has at most."""
    return Labels(tuple(str(place) for place in range(1, max(gold["options"], default=0) + 1)))


def encode_choices(
    columns: Sequence[Sequence[Any]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return an input of each question: one after the other its choices, each behind the context and the question.

    `columns` are choices, contexts and questions. Segment 2 n is the context beside choice n, segment 2 n + 1 question
    and choice, each with its own special tokens; the target `[]` is the place of the right one. Of what is too long the
    longer side is cut from its end. `first` is the number of the first example.
    """
    every, contexts, questions = columns
    most = max(map(len, every), default=0)
    if most > len(labels.names) > 0:
        raise DataError(
            f"a question has {most} choices, but the model learns at most {len(labels.names)}, as many as stand in the "
            "training part; leave some out, or train with questions of as many"
        )
    room = lengths.longest - len(tokenizer.wrapped(NONE, NONE)[0])
    flat = [f"{question} {choice}" for question, choices in zip(questions, every, strict=True) for choice in choices]
    asked = iter(tokenizer.pieces(flat))
    inputs, cut = [], []
    for row, (choices, context) in enumerate(zip(every, tokenizer.pieces(contexts), strict=True)):
        right = IGNORED if gold is None else list(choices).index(gold["choice"][row])
        sides: list[Pieces] = [next(asked) for _ in choices]
        kept = [shares(len(context.ids), len(side.ids), room) for side in sides]
        if any(one < len(context.ids) or other < len(side.ids) for side, (one, other) in zip(sides, kept, strict=True)):
            cut.append(first + row)
        wrapped = [
            tokenizer.wrapped(context.ids[:one], side.ids[:other])[:2]
            for side, (one, other) in zip(sides, kept, strict=True)
        ]
        inputs.append(_input(first + row, wrapped, right))
    return Encoding(inputs, cut_finding(cut, room, "head"))


def decode_choices(
    texts: Sequence[Any], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `answer`, the most probable choice, and the `probabilities` of all in order; `texts` are the choices."""
    by_example = {one.example: output for one, output in zip(encoded, outputs, strict=True)}
    found: dict[str, list[Any]] = {"answer": [], "probabilities": []}
    for place, choices in enumerate(texts):
        chances = softmax(by_example[place][: len(choices)])
        found["answer"].append(choices[int(chances.argmax())])
        found["probabilities"].append(chances.tolist())
    return found


def _input(example: int, wrapped: Sequence[tuple[Ints, Ints]], right: int) -> Encoded:
    ids = np.concatenate([one for one, _ in wrapped])
    segments = np.concatenate([2 * place + (own > 0) for place, (_, own) in enumerate(wrapped)])
    nowhere = np.full(len(ids), -1, dtype=np.int64)
    return Encoded(example, ids, segments, np.array(right), nowhere, nowhere)
