"""Queries and documents as vectors: learnt in pairs against the other documents of a batch, used to rank texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from truetune.errors import DataError
from truetune.tasks.base import Encoding, Labels, Lengths
from truetune.tasks.classify_encoding import NONE
from truetune.tasks.windows import cut_finding
from truetune.types import IGNORED, Encoded, Floats, Ints, Pieces, Tokenizer

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
    if gold is not None:
        return texts_in_pairs(columns[0], gold, tokenizer, lengths, first)
    return texts_alone(columns[0], labels, tokenizer, lengths, first)


Keep = Literal["beginning", "end"]
"""What is read of a query that is too long; of documents it is always the beginning."""


def texts_alone(
    queries: Sequence[str], labels: Labels, tokenizer: Tokenizer, lengths: Lengths, first: int, keep: Keep = "beginning"
) -> Encoding:
    """Return an input of each query and, with the first part of them, of each document whose vector is not known."""
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    nothing = np.array(IGNORED)
    numbered = enumerate(tokenizer.pieces(queries), start=first)
    inputs = [_input(example, [_cut(one, room, keep)], nothing, tokenizer) for example, one in numbered]
    if first == 0 and labels.vectors is None:
        for place, one in enumerate(tokenizer.pieces(labels.documents)):
            inputs.append(_input(-1 - place, [_cut(one, room)], nothing, tokenizer))
    return Encoding(inputs)


def texts_in_pairs(
    queries: Sequence[str],
    gold: Mapping[str, Sequence[Any]],
    tokenizer: Tokenizer,
    lengths: Lengths,
    first: int,
    keep: Keep = "beginning",
) -> Encoding:
    """Return an input of each query with each of its `documents`; those that were cut are in the findings.

    Where gold has `negatives`, a wrong document for each document, it is segment 2, and the target `[1, 2]` holds the
    code of the pair and that of query and wrong document.
    """
    room = lengths.longest - len(tokenizer.wrapped(NONE)[0])
    inputs, cut = [], []
    for row, (query, several) in enumerate(zip(tokenizer.pieces(queries), gold["documents"], strict=True)):
        texts = (
            [*zip(several, gold["negatives"][row], strict=True)] if "negatives" in gold else [(one,) for one in several]
        )
        for documents in texts:
            pieces = tokenizer.pieces(list(documents))
            codes = [pair_code(queries[row], text) for text in documents]
            target = np.array(codes[0]) if len(codes) == 1 else np.array([codes])
            sides = [_cut(query, room, keep), *(_cut(one, room) for one in pieces)]
            inputs.append(_input(first + row, sides, target, tokenizer))
            if max(len(query.ids), *(len(one.ids) for one in pieces)) > room:
                cut.append(first + row)
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
    known = by_name(labels.documents, vectors)
    found: dict[str, list[Any]] = {"ranking": [], "document": [], "similarity": []}
    for place in range(len(texts)):
        names, best, similarity = ranking_of(by_example[place], known)
        found["ranking"].append(names)
        found["document"].append(best)
        found["similarity"].append(similarity)
    return found


class Known(NamedTuple):
    """Documents to rank, sorted by name, descending: stable sorting then keeps equal ones in that order."""

    names: npt.NDArray[np.str_]
    documents: list[str]
    vectors: Floats


def by_name(documents: Sequence[str], vectors: Floats) -> Known:
    """Return documents with their vectors, `[documents, hidden]`, in the order in which equal ones are ranked."""
    names = np.array([item_of(one) for one in documents])
    order = np.argsort(names)[::-1]
    return Known(names[order], [documents[place] for place in order.tolist()], vectors[order])


def ranking_of(query: Floats, known: Known) -> tuple[list[str], str, float]:
    """Return the names of the most similar documents, best first, the best itself and its cosine."""
    cosines = known.vectors @ query
    best = np.argsort(-cosines, kind="stable")[:RANKED]
    return known.names[best].tolist(), known.documents[int(best[0])], float(cosines[best[0]])


def _cut(text: Pieces, room: int, keep: Keep = "beginning") -> Ints:
    return text.ids[:room] if keep == "beginning" else text.ids[-room:]


def _input(example: int, parts: Sequence[Ints], target: npt.NDArray[Any], tokenizer: Tokenizer) -> Encoded:
    sides = [tokenizer.wrapped(part)[0] for part in parts]
    ids = np.concatenate(sides)
    nowhere = np.full(len(ids), -1, dtype=np.int64)
    return Encoded(example, ids, np.repeat(np.arange(len(sides)), list(map(len, sides))), target, nowhere, nowhere)
