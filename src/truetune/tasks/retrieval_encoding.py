"""Queries and documents as vectors: learnt in pairs against the other documents of a batch, used to rank texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.errors import DataError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.classify_encoding import NONE
from truetune.tasks.windows import cut_finding
from truetune.types import IGNORED, Encoded, Floats, Pieces, Tokenizer

RANKED = 100
"""How many documents are ranked for a query at most; what stands further down counts as not found."""
HALF = 32


def item_of(document: str) -> str:
    """Return the name of a document in rankings, which depends on its text alone."""
    return blake2b(document.encode(), digest_size=6).hexdigest()


def encode_pairs(
    columns: Sequence[Sequence[str]],
    gold: Mapping[str, Sequence[Any]] | None,
    labels: Labels,
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int = 0,
) -> Encoding:
    """Return an input of each query with each of its documents; without gold, of each query and of each document.

    In a pair segment 0 is the query, segment 1 the document, each with its own special tokens; the target `[]` tells
    equal queries and equal documents (see `pair_code`). Alone, document n is example -1 - n; documents go with the
    first part of the queries, unless their vectors are known. Of a text that is too long the beginning is read.
    """
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    queries = tokenizer.pieces(columns[0])
    numbered = list(enumerate(queries, start=first))
    if gold is None:
        if first == 0 and labels.vectors is None:
            numbered += [(-1 - place, one) for place, one in enumerate(tokenizer.pieces(labels.documents))]
        nothing = np.array(IGNORED)
        return Encoding([_input(example, [one], nothing, room, tokenizer) for example, one in numbered])
    inputs, cut = [], []
    for (example, query), documents in zip(numbered, gold["documents"], strict=True):
        for text, document in zip(documents, tokenizer.pieces(list(documents)), strict=True):
            code = np.array(pair_code(columns[0][example - first], text))
            inputs.append(_input(example, [query, document], code, room, tokenizer))
            if max(len(query.ids), len(document.ids)) > room:
                cut.append(example)
    return Encoding(inputs, cut_finding(sorted(set(cut)), room, "head"))


def pair_code(query: str, document: str) -> int:
    """Return a number whose upper half (31 bits) is equal for equal queries, the lower (32) for equal documents."""
    upper, lower = (int.from_bytes(blake2b(text.encode(), digest_size=4).digest(), "big") for text in (query, document))
    return ((upper >> 1) << HALF) | lower


def decode_ranking(
    texts: Sequence[str], encoded: Sequence[Encoded], outputs: Sequence[Floats], labels: Labels, threshold: float
) -> dict[str, list[Any]]:
    """Return `ranking` (names of the most similar documents, best first), and `document` and `similarity` of the best.

    Similarity is the cosine; equal ones are ordered by name, descending, as trec_eval does.
    """
    if not labels.documents:
        raise DataError("this model was saved without the documents that it ranks; fine-tune it again")
    by_example = {one.example: output for one, output in zip(encoded, outputs, strict=True)}
    vectors = labels.vectors
    if vectors is None:
        vectors = np.stack([by_example[-1 - place] for place in range(len(labels.documents))])
    # Sorted by name, descending, once; stable sorting then keeps equal ones in that order.
    names = np.array([item_of(one) for one in labels.documents])
    order = np.argsort(names)[::-1]
    names, vectors = names[order], vectors[order]
    found: dict[str, list[Any]] = {"ranking": [], "document": [], "similarity": []}
    for place in range(len(texts)):
        cosines = vectors @ by_example[place]
        best = np.argsort(-cosines, kind="stable")[:RANKED]
        found["ranking"].append(names[best].tolist())
        found["document"].append(labels.documents[int(order[best[0]])])
        found["similarity"].append(float(cosines[best[0]]))
    return found


def _input(example: int, parts: Sequence[Pieces], target: npt.NDArray[Any], room: int, tokenizer: Tokenizer) -> Encoded:
    sides = [tokenizer.wrapped(part.ids[:room])[0] for part in parts]
    ids = np.concatenate(sides)
    nowhere = np.full(len(ids), -1, dtype=np.int64)
    return Encoded(example, ids, np.repeat(np.arange(len(sides)), list(map(len, sides))), target, nowhere, nowhere)
