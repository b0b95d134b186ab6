"""Replies ranked for what was said: a retrieval whose documents are replies, all known ones or those of an example."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from truetune.errors import DataError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.retrieval_encoding import by_name, ranking_of, texts_alone, texts_in_pairs
from truetune.types import Encoded, Floats, Tokenizer


def encode_responses(
    columns: Sequence[Sequence[Any]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return what `encode_pairs` does of what was said (the last column) and replies; of a long one the end is read.

    The first column holds the candidates of each example, none where all replies are. Those that the model does not
    store are inputs too: number n of them, in the order in which they come up, is example -1 - documents - n.
    """
    if gold is not None:
        return texts_in_pairs(columns[-1], gold, tokenizer, lengths, first, "end")
    found = texts_alone(columns[-1], labels, tokenizer, lengths, first, "end")
    new = _new(columns[0], labels) if len(columns) > 1 else []
    if not new:
        return found
    own = replace(labels, documents=tuple(new), vectors=None)
    inputs = texts_alone([], own, tokenizer, lengths, 0).inputs
    moved = [replace(one, example=one.example - len(labels.documents)) for one in inputs]
    return replace(found, inputs=[*found.inputs, *moved])


def decode_responses(
    texts: Sequence[Sequence[str]],
    encoded: Sequence[Encoded],
    outputs: Sequence[Floats],
    labels: Labels,
    threshold: float,
) -> dict[str, list[Any]]:
    """Return `ranking` (names of candidates, best first), and `response` and `similarity` of the best.

    `texts` are the candidates of each example; where there are none all that the model stores are ranked.
    """
    if not labels.documents:
        raise DataError("this model was saved without the replies that it ranks; fine-tune it again")
    by_example = {one.example: output for one, output in zip(encoded, outputs, strict=True)}
    vectors = labels.vectors
    if vectors is None:
        vectors = np.stack([by_example[-1 - place] for place in range(len(labels.documents))])
    replies = [*labels.documents, *_new(texts, labels)]
    new = [by_example[-1 - place] for place in range(len(labels.documents), len(replies))]
    vectors = np.stack([*vectors, *new])
    place_of = {reply: place for place, reply in enumerate(replies)}
    known = by_name(labels.documents, vectors[: len(labels.documents)])
    found: dict[str, list[Any]] = {"ranking": [], "response": [], "similarity": []}
    for example, candidates in enumerate(texts):
        pool = [place_of[one] for one in candidates]
        own = by_name(candidates, vectors[pool]) if pool else known
        names, best, similarity = ranking_of(by_example[example], own)
        found["ranking"].append(names)
        found["response"].append(best)
        found["similarity"].append(similarity)
    return found


def _new(candidates: Sequence[Sequence[str]], labels: Labels) -> list[str]:
    """Return candidates that the model does not store, each once, in the order in which they come up."""
    known = set(labels.documents)
    return list(dict.fromkeys(one for several in candidates for one in several if one not in known))
