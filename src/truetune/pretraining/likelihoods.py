"""What held-out documents are worth to a model: log-likelihoods and hits, summed over the pieces of each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from truetune.backbones.base import Backbone
from truetune.backbones.outputs import Watch, unwatched
from truetune.data.batch import padded, token_batches
from truetune.types import IGNORED, Batch, Encoded, Floats, Ints

Columns = dict[str, list[float]]
TOKENS = 1024
"""Pieces of one batch, padding counted: each that is asked about takes a row as long as the vocabulary."""


def likelihoods(backbone: Backbone, asked: Sequence[Encoded], documents: int, watch: Watch = unwatched) -> Columns:
    """Return `log_likelihood` (nats) and `hits` of each document, summed over what is asked of it."""
    return _summed(backbone.scored, asked, documents, backbone.tokenizer.pad, watch)


def piece_shares(learnt: Sequence[Encoded], vocabulary: int) -> Floats:
    """Return how often each piece stands in training, plus one [Laplace], as a share of all."""
    counts = np.ones(vocabulary)
    for one in learnt:
        counts += np.bincount(one.ids[one.target != IGNORED], minlength=vocabulary)
    shares: Floats = counts / counts.sum()
    return shares


def unigram_likelihoods(shares: Floats, asked: Sequence[Encoded], documents: int) -> Columns:
    """Return the same of what knows only which share of all answers each is."""
    logs = np.log(shares)
    best = int(shares.argmax())

    def scored(batch: Batch) -> Floats:
        aims = batch.targets[batch.targets != IGNORED]
        return np.stack([logs[aims], (aims == best).astype(np.float64)], axis=1)

    return _summed(scored, asked, documents, 0, unwatched)


def asked_pieces(asked: Sequence[Encoded], documents: int) -> list[int]:
    """Return how many pieces of each document are asked about."""
    counts = np.zeros(documents, dtype=np.int64)
    for one in asked:
        counts[one.example] += int((one.target != IGNORED).sum())
    return [int(number) for number in counts]


def gold_columns(texts: Sequence[str], pieces: Sequence[int]) -> Mapping[str, list[int]]:
    """Return how many pieces, bytes (UTF-8) and characters each document has."""
    return {
        "tokens": list(pieces),
        "bytes": [len(text.encode("utf-8", "surrogatepass")) for text in texts],
        "characters": [len(text) for text in texts],
    }


def _summed(
    scored: Callable[[Batch], Floats], asked: Sequence[Encoded], documents: int, pad: int, watch: Watch
) -> Columns:
    sums = np.zeros((documents, 2))
    examples: Ints = np.array([one.example for one in asked], dtype=np.int64)
    lengths = np.array([len(one.ids) for one in asked], dtype=np.int64)
    for positions in watch(token_batches(lengths, TOKENS)):
        batch = padded(asked, positions, pad)
        rows = np.nonzero(batch.targets != IGNORED)[0]
        np.add.at(sums, examples[positions][rows], scored(batch))
    return {"log_likelihood": sums[:, 0].tolist(), "hits": [int(one) for one in sums[:, 1]]}
