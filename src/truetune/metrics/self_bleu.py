"""Self-BLEU (Zhu et al. 2018, Texygen): how much each reply repeats of all the others; low is varied."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truetune.metric import Pooled
from truetune.metrics import ngrams
from truetune.metrics.dialogue import distinct_rows
from truetune.metrics.f_measures import quotient
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints, Numbers

LONGEST = 4
CELLS = 500_000
"""Numbers in one chunk of draws."""


def self_bleu_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[replies, most words]`: a number for each word of a reply in order, 0 where it has fewer."""
    return distinct_rows(gold, predicted, order=1)


def reply_bleu(replies: Sequence[Sequence[int]]) -> Floats:
    """Return the sentence BLEU of each reply against all others as its references, `[replies]`, 0 to 100.

    As sacreBLEU's sentence_bleu: orders up to the reply's length, exponential smoothing, the closest
    reference length (of two the shorter). NaN for a reply without a word, and for one alone.
    """
    scores: Floats = _scores(_prepared(replies), np.ones((1, len(replies)), dtype=np.int64))[0]
    return scores


@dataclass(frozen=True, slots=True)
class _Order:
    """The n-grams of one length: how many a reply has, and those that several replies share, sorted by n-gram."""

    totals: Ints
    """`[replies]`"""
    alone: Ints
    """Those that no other reply has, `[replies]`."""
    lines: Ints
    """The reply of each distinct shared n-gram of a reply, `[entries]`."""
    counts: Ints
    """How often it stands there, `[entries]`."""
    starts: Ints
    """Where each n-gram begins among the entries."""
    grams: Ints
    """Which n-gram each entry is, `[entries]`."""


@dataclass(frozen=True, slots=True)
class _Replies:
    lengths: Ints
    orders: tuple[_Order, ...]

    @property
    def width(self) -> int:
        """How many numbers are made of one draw."""
        return max(len(self.lengths), *(len(order.lines) for order in self.orders))


def _prepared(replies: Sequence[Sequence[int]]) -> _Replies:
    (coded,) = ngrams.coded([replies])
    return _Replies(coded.lengths, tuple(_order(found, len(replies)) for (found,) in ngrams.grams([coded], LONGEST)))


def _order(found: ngrams.Grams, replies: int) -> _Order:
    held = ngrams.counted(found, ngrams.width_of([found]))
    line, gram = np.divmod(held.keys, held.width)
    _, place, times = np.unique(gram, return_inverse=True, return_counts=True)
    shared = times[place] > 1
    alone = np.bincount(line[~shared], weights=held.counts[~shared], minlength=replies).astype(np.int64)
    entries = np.flatnonzero(shared)[np.argsort(place[shared], kind="stable")]
    _, starts, grams = np.unique(place[entries], return_index=True, return_inverse=True)
    return _Order(ngrams.totals(found, replies), alone, line[entries], held.counts[entries], starts, grams)


def _scores(replies: _Replies, times: Ints) -> Floats:
    """Return the BLEU of each reply in each draw, `[draws, replies]`; `times`, of this shape: how often it stands.

    A reply that does not stand in a draw has a number all the same, which means nothing.
    """
    logs, missed = np.zeros(times.shape), np.zeros(times.shape)
    matched = np.zeros(times.shape, dtype=np.bool_)
    for order in replies.orders:
        hits = _hits_with_others(order, times)
        matched |= hits > 0
        missed += (order.totals > 0) & (hits == 0)
        smoothed = np.where(hits > 0, hits, 0.5**missed)
        logs += np.where(order.totals > 0, np.log(smoothed / np.maximum(order.totals, 1)), 0.0)
    lengths, closest = replies.lengths, _closest_of_others(replies.lengths, times)
    orders = sum((order.totals > 0).astype(np.int64) for order in replies.orders)
    brevity = np.where(lengths < closest, 1 - closest / np.maximum(lengths, 1), 0.0)
    value = np.where(matched, 100 * np.exp(brevity + logs / np.maximum(orders, 1)), 0.0)
    return np.where((lengths > 0) & (times.sum(axis=1, keepdims=True) > 1), value, np.nan)


def _hits_with_others(order: _Order, times: Ints) -> Ints:
    """Return how many n-grams of each reply stand in some other one, each at most as often as in one of them.

    Only the one reply that has an n-gram most often misses some of its own: all that no other has.
    """
    hits: Ints = np.where(times > 1, order.alone, 0)
    if not len(order.lines):
        return hits
    own = times[:, order.lines]
    held = np.where(own > 0, order.counts, 0)
    leads = held == np.maximum.reduceat(held, order.starts, axis=1)[:, order.grams]
    leaders = np.add.reduceat(leads, order.starts, axis=1, dtype=np.int64)[:, order.grams]
    second = np.maximum.reduceat(np.where(leads, 0, held), order.starts, axis=1)[:, order.grams]
    found = np.where(leads & (leaders == 1) & (own < 2), second, held)
    by_line = np.argsort(order.lines, kind="stable")
    lines, starts = np.unique(order.lines[by_line], return_index=True)
    hits[:, lines] += np.add.reduceat(found[:, by_line], starts, axis=1)
    return hits


def _closest_of_others(lengths: Ints, times: Ints) -> Ints:
    """Return the length, among those of all other replies, that is closest to each reply's own, in each draw."""
    distinct, place = np.unique(lengths, return_inverse=True)
    held = times @ (place[:, None] == np.arange(len(distinct))).astype(np.int64)
    far = np.iinfo(np.int64).max // 4
    there = np.where(held > 0, distinct, -far)
    below = np.maximum.accumulate(np.pad(there, ((0, 0), (1, 0)), constant_values=-far), axis=1)[:, :-1]
    there = np.where(held > 0, distinct, far)
    above = np.minimum.accumulate(np.pad(there, ((0, 0), (0, 1)), constant_values=far)[:, ::-1], axis=1)[:, -2::-1]
    nearest = np.where(distinct - below <= above - distinct, below, above)
    own: Ints = np.where(held > 1, distinct, nearest)[:, place]
    return own


def _mean_over_replies(rows: Rows, counts: Numbers) -> Floats:
    replies = _prepared([row[row != 0].tolist() for row in rows.table])
    times = np.asarray(counts).astype(np.int64).reshape(-1, len(rows.table))
    worded = replies.lengths > 0
    values = np.full(len(times), np.nan)
    size = max(1, CELLS // max(1, replies.width))
    for start in range(0, len(times), size):
        some = times[start : start + size]
        scores = np.where(worded & (some > 0), _scores(replies, some), 0.0)
        values[start : start + size] = quotient((some * scores).sum(axis=1), (some * worded).sum(axis=1))
    return values.reshape(np.shape(counts)[:-1])


SELF_BLEU = Pooled(
    name="self_bleu",
    rows=self_bleu_rows,
    pooled=_mean_over_replies,
    gold="references",
    predicted="text",
    definition="mean over replies of sentence BLEU-4 against all other replies as references (Zhu et al. 2018), 0 to "
    "100; words in small letters, Chinese characters, orders up to the reply's length, exponential smoothing; grows "
    "with the number of replies, so compare equal numbers only",
    unit="reply",
    better="lower",
    interval="none",
    undefined="there are no two replies with words",
    limits=(0.0, 100.0),
)
