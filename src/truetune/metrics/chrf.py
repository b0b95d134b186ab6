"""chrF (Popović 2015) and chrF++ (Popović 2017) as sacreBLEU computes them: corpus level, 0 to 100.

A row holds, for each order, how many n-grams the text has, how many the reference has, and how many
match. White space does not count for characters. With several references the one with the best score of
the segment counts.
"""

from __future__ import annotations

import string
from collections.abc import Sequence
from functools import partial

import numpy as np

from truetune.metric import Additive
from truetune.metrics import ngrams
from truetune.metrics.references import aligned_references
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints, Numbers

CHARACTERS = 6
BETA = 2
_SIGNS = frozenset(string.punctuation)


def chrf_rows(gold: Column, predicted: Column, words: int = 0) -> Rows:
    """Return rows `[distinct, 3 * orders]`: said, wanted, matched of each order; characters, then words."""
    references = aligned_references(gold, predicted)
    candidates = []
    for side in references:
        counts = _counts(list(predicted), [one or "" for one in side], words)
        there = np.array([one is not None for one in side])
        candidates.append((np.where(there, np.nan_to_num(chrf_formula(counts)), -1.0), counts))
    best = np.argmax([score for score, _ in candidates], axis=0) if candidates else np.zeros(0, dtype=np.int64)
    return Rows.of(np.stack([counts for _, counts in candidates])[best, np.arange(len(best))])


def _counts(said: Sequence[str], wanted: Sequence[str], words: int) -> Ints:
    characters: list[list[str]] = [["".join(line.split()) for line in side] for side in (said, wanted)]
    columns = _orders(characters, CHARACTERS)
    if words:
        columns += _orders([[split_signs(line) for line in side] for side in (said, wanted)], words)
    return np.stack(columns, axis=1)


def _orders(sides: Sequence[Sequence[Sequence[str]]], longest: int) -> list[Ints]:
    lines = len(sides[0])
    columns = []
    for found in ngrams.grams(ngrams.coded(sides), longest):
        width = ngrams.width_of(found)
        said, wanted = (ngrams.counted(side, width) for side in found)
        of_said, of_wanted = (ngrams.totals(side, lines) for side in found)
        # As sacreBLEU: what is said counts only where the reference has an n-gram of this order at all.
        columns += [np.where(of_wanted > 0, of_said, 0), of_wanted, ngrams.matches(said, wanted, lines)]
    return columns


def split_signs(line: str) -> list[str]:
    """Return words with one sign at their end, or else at their beginning, set apart (chrF++'s tokeniser)."""
    words = []
    for word in line.split():
        if len(word) > 1 and word[-1] in _SIGNS:
            words += [word[:-1], word[-1]]
        elif len(word) > 1 and word[0] in _SIGNS:
            words += [word[0], word[1:]]
        else:
            words.append(word)
    return words


def chrf_formula(sums: Numbers) -> Floats:
    """Return F2 of the mean precision and the mean recall over the orders that occur, of sums `[..., 3 * orders]`."""
    parts = np.asarray(sums, dtype=np.float64)
    parts = parts.reshape(*parts.shape[:-1], -1, 3)
    said, wanted, matched = parts[..., 0], parts[..., 1], parts[..., 2]
    occurs = (said > 0) & (wanted > 0)
    with np.errstate(divide="ignore", invalid="ignore"):
        number = occurs.sum(axis=-1)
        precision = np.where(occurs, matched / said, 0.0).sum(axis=-1) / number
        recall = np.where(occurs, matched / wanted, 0.0).sum(axis=-1) / number
        value = 100 * (1 + BETA**2) * precision * recall / (BETA**2 * precision + recall)
    value = np.where((number == 0) | (precision + recall == 0), 0.0, value)
    return np.where(parts[..., :2].sum(axis=(-1, -2)) > 0, value, np.nan)


def _metric(name: str, words: int, definition: str) -> Additive:
    return Additive(
        name=name,
        rows=partial(chrf_rows, words=words),
        formula=chrf_formula,
        gold="references",
        predicted="text",
        definition=f"{definition}, beta {BETA}, corpus level, 0 to 100, case kept, no white space, as sacreBLEU",
        unit="segment",
        undefined="no reference has a character",
        limits=(0.0, 100.0),
    )


CHRF = _metric("chrf", 0, "chrF: characters 1 to 6 (Popović 2015)")
CHRF_WORDS = _metric("chrf++", 2, "chrF++: characters 1 to 6 and words 1 to 2 (Popović 2017)")
