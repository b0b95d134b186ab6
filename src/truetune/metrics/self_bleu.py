"""Self-BLEU (Zhu et al. 2018, Texygen): how much each reply repeats of all the others; low is varied."""

from __future__ import annotations

import numpy as np

from truetune.metric import Pooled
from truetune.metrics import ngrams
from truetune.metrics.dialogue import distinct_rows
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints, Numbers

LONGEST = 4


def self_bleu_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[replies, most words]`: a number for each word of a reply in order, 0 where it has fewer."""
    return distinct_rows(gold, predicted, order=1)


def reply_bleu(replies: list[list[int]]) -> Floats:
    """Return the sentence BLEU of each reply against all others as its references, `[replies]`, 0 to 100.

    As sacreBLEU's sentence_bleu: orders up to the reply's length, exponential smoothing, the closest
    reference length (of two the shorter). NaN for a reply without a word, and for one alone.
    """
    number = len(replies)
    if number < 2:
        return np.full(number, np.nan)
    (coded,) = ngrams.coded([replies])
    lengths = coded.lengths
    logs, orders = np.zeros(number), np.zeros(number)
    missed, matched = np.zeros(number), np.zeros(number, dtype=np.bool_)
    for (found,) in ngrams.grams([coded], LONGEST):
        totals = ngrams.totals(found, number)
        hits = _hits_with_others(found, number)
        matched |= hits > 0
        missed += (totals > 0) & (hits == 0)
        smoothed = np.where(hits > 0, hits, 0.5**missed)
        logs += np.where(totals > 0, np.log(smoothed / np.maximum(totals, 1)), 0.0)
        orders += totals > 0
    closest = _closest_of_others(lengths)
    brevity = np.where(lengths < closest, 1 - closest / np.maximum(lengths, 1), 0.0)
    value = np.where(matched, 100 * np.exp(brevity + logs / np.maximum(orders, 1)), 0.0)
    return np.where(lengths > 0, value, np.nan)


def _hits_with_others(found: ngrams.Grams, replies: int) -> Ints:
    """Return how many n-grams of each reply stand in some other one, each at most as often as in one of them."""
    held = ngrams.counted(found, ngrams.width_of([found]))
    line, gram = np.divmod(held.keys, held.width)
    order = np.lexsort((-held.counts, gram))
    sorted_grams, sorted_counts = gram[order], held.counts[order]
    first = np.r_[True, sorted_grams[1:] != sorted_grams[:-1]] if len(order) else np.zeros(0, dtype=np.bool_)
    starts = np.flatnonzero(first)
    most = sorted_counts[starts][np.cumsum(first) - 1]
    following = np.r_[sorted_counts[1:], 0]
    second = np.where(np.r_[first[1:], True], 0, following) if len(order) else following[:0]
    elsewhere = np.where(first, second, most)
    hits = np.minimum(sorted_counts, elsewhere)
    return np.bincount(line[order], weights=hits, minlength=replies).astype(np.int64)


def _closest_of_others(lengths: Ints) -> Ints:
    """Return the length, among those of all other replies, that is closest to each reply's own."""
    distinct, place, times = np.unique(lengths, return_inverse=True, return_counts=True)
    if len(distinct) == 1:
        return lengths
    far = np.iinfo(np.int64).max // 4
    below = np.r_[-far, distinct[:-1]]
    above = np.r_[distinct[1:], far]
    nearest = np.where(distinct - below <= above - distinct, below, above)
    own: Ints = np.where(times > 1, distinct, nearest)[place]
    return own


def _mean_over_replies(rows: Rows, counts: Numbers) -> Floats:
    words = [[int(word) for word in row[row != 0]] for row in rows.table]
    weights = np.asarray(counts).reshape(-1, len(words))
    values = np.full(len(weights), np.nan)
    for place, weight in enumerate(weights):
        times = weight.astype(np.int64)
        drawn = np.repeat(np.arange(len(words)), times)
        scores = reply_bleu([words[reply] for reply in drawn])
        if np.isfinite(scores).any():
            values[place] = np.nanmean(scores)
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
