"""BLEU (Papineni et al. 2002) as sacreBLEU computes it (Post 2018): corpus level, on a scale of 0 to 100.

A row holds lengths, matches and totals of one segment; the value is a formula over their sums, never a
mean of sentence scores. The tokeniser is part of the number and stands in the signature.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from truetune.metric import Additive
from truetune.metrics import ngrams
from truetune.metrics.references import aligned_references, rows_by_script
from truetune.metrics.tokenizers import tokenizer_for, tokenizer_named, tokenizer_of, tokenizer_told
from truetune.rows import Rows
from truetune.text import Script
from truetune.types import Column, Floats, Ints, Numbers

LONGEST = 4
SAID_LENGTH, REFERENCE_LENGTH = 0, 1
"""Statistics of a row; then matches and totals of n = 1 to 4."""


def bleu_rows(gold: Column, predicted: Column, tokenizer: str = "auto") -> Rows:
    """Return rows `[distinct, 10]`: length, reference length, then matches and totals of n = 1 to 4.

    `gold` holds one or several references a segment, `predicted` one text. With several references an
    n-gram is clipped at its largest count in one of them, and the closest length counts (of two equally
    close ones the shorter).
    """
    references = aligned_references(gold, predicted)
    name = (
        tokenizer_for(one for side in references for one in side if one is not None)
        if tokenizer == "auto"
        else tokenizer
    )
    cut = tokenizer_named(name)
    present = [np.array([one is not None for one in side]) for side in references]
    sides = [cut(list(predicted)), *(cut([one or "" for one in side]) for side in references)]
    return Rows.of(_statistics(sides, present)).noted(f"tokeniser {tokenizer_told(name)}")


def _statistics(sides: Sequence[Sequence[Sequence[str]]], present: Sequence[np.ndarray]) -> Ints:
    lines = len(sides[0])
    codes = ngrams.coded(sides)
    said = codes[0].lengths
    columns = [said, closest_lengths(said, [side.lengths for side in codes[1:]], present)]
    hits, totals = [], []
    for found in ngrams.grams(codes, LONGEST):
        width = ngrams.width_of(found)
        first, *others = (ngrams.counted(side, width) for side in found)
        hits.append(ngrams.matches(first, ngrams.most(others), lines))
        totals.append(ngrams.totals(found[0], lines))
    return np.stack([*columns, *hits, *totals], axis=1)


def closest_lengths(said: Ints, lengths: Sequence[Ints], present: Sequence[np.ndarray]) -> Ints:
    """Return the reference length of each segment that is closest to its own; of two the shorter."""
    table = np.stack(lengths)
    distance = np.abs(table - said) * 2 * (table.max(initial=0) + 1) + table
    distance[~np.stack(present)] = np.iinfo(np.int64).max
    closest: Ints = np.take_along_axis(table, distance.argmin(axis=0)[None], axis=0)[0]
    return closest


def bleu_formula(sums: Numbers) -> Floats:
    """Return BLEU of sums `[..., 10]`, with exponential smoothing of orders without a match; 0 without any.

    As sacreBLEU: an order that no segment is long enough for makes the score 0.
    """
    sums = np.asarray(sums, dtype=np.float64)
    said, wanted = sums[..., SAID_LENGTH], sums[..., REFERENCE_LENGTH]
    hits, totals = sums[..., 2 : 2 + LONGEST], sums[..., 2 + LONGEST :]
    # Each order without a match counts half, a quarter, ... of one match (Chen and Cherry 2014, method 3).
    smoothed = np.where(hits > 0, hits, 0.5 ** np.cumsum(hits == 0, axis=-1))
    precision = np.log(smoothed / totals).mean(axis=-1)
    brevity = np.where(said < wanted, 1 - wanted / said, 0.0)
    value: Floats = 100 * np.exp(brevity + precision)
    value = np.where((hits.sum(axis=-1) == 0) | (totals == 0).any(axis=-1), 0.0, value)
    return np.where(wanted + said > 0, value, np.nan)


def _rows_of_script(gold: Column, predicted: Column, script: Script | None) -> Rows:
    return bleu_rows(gold, predicted, "auto" if script is None else tokenizer_of(script))


def bleu(tokenizer: str = "auto", name: str = "bleu") -> Additive:
    """Return BLEU with one tokeniser: `13a`, `zh`, `char`, `intl`, `none`, `ja-mecab`; `auto` chooses by the script."""
    chosen = "tokeniser by the script of the references" if tokenizer == "auto" else f"tokeniser {tokenizer}"
    return Additive(
        name=name,
        rows=rows_by_script(_rows_of_script) if tokenizer == "auto" else partial(bleu_rows, tokenizer=tokenizer),
        formula=bleu_formula,
        gold="references",
        predicted="text",
        definition="BLEU-4, corpus level, 0 to 100, exponential smoothing, case kept, closest reference length, "
        f"{chosen} (Papineni et al. 2002, as sacreBLEU)",
        unit="segment",
        undefined="all texts and references are empty",
        limits=(0.0, 100.0),
    )
