"""Dialogue: how varied replies are, and how much of the reference's words they hold.

hits@k and MRR of ranked candidate replies are ranking metrics (`ranking.py`).
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from hashlib import blake2b

import numpy as np

from truetune.metric import Additive, Pooled
from truetune.metrics.references import aligned_references
from truetune.rows import Rows
from truetune.text import words
from truetune.types import Column, Floats, Numbers


def reply_words(text: str) -> list[str]:
    """Return words in small letters, each CJK character by itself, without signs."""
    lower = text.lower()
    return [lower[start:end] for start, end in words(lower) if any(map(str.isalnum, lower[start:end]))]


def distinct_rows(gold: Column, predicted: Column, order: int) -> Rows:
    """Return rows `[examples, most n-grams]`: a number for each n-gram of a reply, 0 where it has fewer.

    The numbers are hashes of the words, the same in every shard.
    """
    replies = [_hashes(reply_words(text), order) for text in predicted]
    table = np.zeros((len(replies), max(map(len, replies), default=0)), dtype=np.int64)
    for row, numbers in zip(table, replies, strict=True):
        row[: len(numbers)] = numbers
    return Rows(table, np.arange(len(table), dtype=np.int64))


def _hashes(tokens: list[str], order: int) -> list[int]:
    grams = zip(*(tokens[place:] for place in range(order)), strict=False)
    digests = (blake2b(" ".join(gram).encode(), digest_size=8).digest() for gram in grams)
    return [int.from_bytes(digest, "little", signed=True) or 1 for digest in digests]


def _distinct_share(rows: Rows, counts: Numbers) -> Floats:
    """Return distinct n-grams over n-grams, of each weighted set of replies."""
    used = rows.table != 0
    distinct, number = np.unique(rows.table[used], return_inverse=True)
    lengths = used.sum(axis=1)
    weights = np.asarray(counts, dtype=np.float64).reshape(-1, len(lengths))
    values = np.full(len(weights), np.nan)
    for place, weight in enumerate(weights):
        grams = weight @ lengths
        if grams:
            found = np.bincount(number, weights=np.repeat(weight, lengths), minlength=len(distinct))
            values[place] = np.count_nonzero(found) / grams
    return values.reshape(np.shape(counts)[:-1])


def unigram_f1_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 2]`: the best F1 of words (as bags) with a reference, and 1."""
    best = np.zeros(len(predicted))
    said = [Counter(reply_words(text)) for text in predicted]
    for side in aligned_references(gold, predicted):
        for place, reference in enumerate(side):
            if reference is not None:
                best[place] = max(best[place], _bag_f1(Counter(reply_words(reference)), said[place]))
    return Rows.of(np.stack([best, np.ones(len(best))], axis=1))


def _bag_f1(gold: Counter[str], said: Counter[str]) -> float:
    common = (gold & said).total()
    return 2 * common / (gold.total() + said.total()) if common else 0.0


def _mean(sums: Numbers) -> Floats:
    value: Floats = sums[..., 0] / sums[..., 1]
    return value


def _parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0], sums[..., 1]


def _distinct(order: int) -> Pooled:
    return Pooled(
        name=f"distinct{order}",
        rows=partial(distinct_rows, order=order),
        pooled=_distinct_share,
        gold="references",
        predicted="text",
        definition=f"distinct {order}-grams / {order}-grams of all replies together (Li et al. 2016); words in small "
        "letters, Chinese characters; falls with the number of replies, so compare equal numbers only",
        unit="reply",
        interval="none",
        undefined=f"no reply has a {order}-gram",
    )


UNIGRAM_F1 = Additive(
    name="unigram_f1",
    rows=unigram_f1_rows,
    formula=_mean,
    gold="references",
    predicted="text",
    definition="F1 of words (bags, small letters, Chinese characters) with the best reference, mean over replies "
    "(as ParlAI, without its removal of articles)",
    unit="reply",
    interval="t",
    ratio=_parts,
    undefined="there is no reply",
    limits=(0.0, 1.0),
)

DIALOGUE = (UNIGRAM_F1, _distinct(1), _distinct(2))
