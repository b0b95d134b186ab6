"""ROUGE (Lin 2004): F1 of n-grams and of longest common subsequences, mean over texts, 0 to 1.

English words are cut as ROUGE-1.5.5 and rouge-score cut them (letters and digits of ASCII, small letters, no
stemming), which leaves nothing of Chinese: identical Chinese texts would score 0. Chinese is therefore cut
into characters. The rules are chosen once, by the script of the references, and stand in the signature.
With several references the best F1 counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Hashable, Sequence
from functools import cache, partial
from itertools import chain, pairwise
from typing import Literal

import numpy as np

from truetune.metric import Additive, RowsOf
from truetune.metrics.references import aligned_references, rows_by_script
from truetune.metrics.subsequences import lcs_length, lcs_positions
from truetune.rows import Rows
from truetune.text import script, words
from truetune.types import Column, Floats, Numbers

Rules = Literal["auto", "en", "zh"]
Tokens = list[str]

KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")

_CHINESE_END = re.compile("(?<=[。！？；!?;])|\n")
_ASCII_WORDS = bytes(code if chr(code).isalnum() and code < 128 else ord(" ") for code in range(256))
"""A table that turns every byte but ASCII letters and digits into a space."""


def rouge_tokens(text: str, rules: Literal["en", "zh"]) -> Tokens:
    """Return the tokens that ROUGE compares: ASCII words; for Chinese characters and words of letters and digits."""
    lower = text.lower()
    if rules == "en":
        return lower.encode("utf-8", "replace").translate(_ASCII_WORDS).decode("ascii").split()
    return [lower[start:end] for start, end in words(lower) if any(map(str.isalnum, lower[start:end]))]


def clipped_matches(gold: Sequence[Hashable], said: Sequence[Hashable]) -> int:
    """Return how many items stand in both, each as often as on the side that has it less often."""
    of_gold, of_said = set(gold), set(said)
    shared = of_gold & of_said
    if len(of_gold) == len(gold) or len(of_said) == len(said):
        return len(shared)
    left = dict.fromkeys(shared, 0)
    for item in gold:
        if item in left:
            left[item] += 1
    hits = 0
    for item in said:
        if left.get(item):
            left[item] -= 1
            hits += 1
    return hits


def summary_matches(gold: Sequence[Tokens], said: Sequence[Tokens]) -> int:
    """Return ROUGE-Lsum's hits: for each gold sentence the union of its subsequences with all said ones.

    A token is a hit at most as often as it stands on either side, as ROUGE-1.5.5 counts.
    """
    left = [Counter(chain.from_iterable(side)) for side in (gold, said)]
    hits = 0
    for sentence in gold:
        union = sorted({place for other in said for place in lcs_positions(sentence, other)})
        for place in union:
            token = sentence[place]
            if left[0][token] > 0 and left[1][token] > 0:
                left[0][token] -= 1
                left[1][token] -= 1
                hits += 1
    return hits


def rouge_scores(gold: Sequence[Tokens], said: Sequence[Tokens]) -> tuple[float, float, float, float]:
    """Return F1 of ROUGE-1, 2, L and Lsum of one text against one reference, both as sentences of tokens."""
    wanted, found = (side[0] if len(side) == 1 else list(chain.from_iterable(side)) for side in (gold, said))
    single = clipped_matches(wanted, found)
    if not single:
        return 0.0, 0.0, 0.0, 0.0
    in_order = lcs_length(wanted, found)
    whole = len(gold) == len(said) == 1
    pairs = clipped_matches(list(pairwise(wanted)), list(pairwise(found)))
    size = len(wanted) + len(found)
    return (
        2 * single / size,
        2 * pairs / (size - 2) if pairs else 0.0,
        2 * in_order / size,
        2 * (in_order if whole else summary_matches(gold, said)) / size,
    )


def rouge_rows(gold: Column, predicted: Column, rules: Rules = "auto") -> Rows:
    """Return rows `[distinct, 5]`: the best F1 of each kind of each text over its references, and 1."""
    references = aligned_references(gold, predicted)
    chosen = rules
    if chosen == "auto":
        chosen = script(one for side in references for one in side if one is not None)
    said = [_cut(text, chosen) for text in predicted]
    rows = np.zeros((len(said), len(KINDS) + 1))
    rows[:, -1] = 1
    for side in references:
        scores = [
            (0.0,) * len(KINDS) if one is None else rouge_scores(_cut(one, chosen), tokens)
            for one, tokens in zip(side, said, strict=True)
        ]
        rows[:, :-1] = np.maximum(rows[:, :-1], np.array(scores).reshape(-1, len(KINDS)))
    return Rows.of(rows).noted(f"rules {chosen}")


def _cut(text: str, rules: Literal["en", "zh"]) -> list[Tokens]:
    return [rouge_tokens(one, rules) for one in sentences(text, rules)]


def sentences(text: str, rules: Literal["en", "zh"]) -> list[str]:
    """Return sentences: lines, and in Chinese also what ends in 。！？；."""
    return [one for one in (text.split("\n") if rules == "en" else _CHINESE_END.split(text)) if one]


@cache
def _rows_by(rules: Rules) -> RowsOf:
    """Return one function for all kinds, so that texts are cut once for all of them."""
    if rules == "auto":
        return rows_by_script(lambda gold, predicted, script: rouge_rows(gold, predicted, script or "auto"))
    return partial(rouge_rows, rules=rules)


def rouge(kind: str, rules: Rules = "auto") -> Additive:
    """Return one of `rouge1`, `rouge2`, `rougeL`, `rougeLsum` by the rules of one language."""
    what = {"rouge1": "single words", "rouge2": "pairs of words", "rougeL": "longest common subsequence"}
    what["rougeLsum"] = "union of longest common subsequences of sentences (lines; in Chinese also 。！？；)"
    column = KINDS.index(kind)

    def formula(sums: Numbers) -> Floats:
        value: Floats = sums[..., column] / sums[..., -1]
        return value

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return sums[..., column], sums[..., -1]

    cut = "en: ASCII words in small letters, no stemming, as rouge-score; zh: characters"
    return Additive(
        name=kind,
        rows=_rows_by(rules),
        formula=formula,
        gold="references",
        predicted="text",
        definition=f"F1 of {what[kind]}, best reference, mean over texts (Lin 2004); {cut}",
        unit="text",
        interval="t",
        ratio=parts,
        undefined="there is no text",
        limits=(0.0, 1.0),
    )


ROUGE = tuple(rouge(kind) for kind in KINDS)
