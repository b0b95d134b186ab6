"""ROUGE (Lin 2004): F1 of n-grams and of longest common subsequences, mean over texts, 0 to 1.

English words are cut as ROUGE-1.5.5 and rouge-score cut them (letters and digits of ASCII, small letters, no
stemming), which leaves nothing of Chinese: identical Chinese texts would score 0. Chinese is therefore cut
into characters. The rules are chosen once, by the script of the references, and stand in the signature.
With several references the best F1 counts.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal

import numpy as np

from truetune.metric import Additive
from truetune.metrics.references import aligned_references
from truetune.metrics.subsequences import lcs_length, lcs_positions
from truetune.rows import Rows
from truetune.text import script, words
from truetune.types import Column, Floats, Numbers

Rules = Literal["auto", "en", "zh"]
Tokens = list[str]
Measure = Callable[[Tokens, Tokens], float]

_WORD = re.compile("[a-z0-9]+")
_CHINESE_END = re.compile("(?<=[。！？；!?;])|\n")


def rouge_tokens(text: str, rules: Literal["en", "zh"]) -> Tokens:
    """Return the tokens that ROUGE compares: ASCII words; for Chinese characters and words of letters and digits."""
    lower = text.lower()
    if rules == "en":
        return _WORD.findall(lower)
    return [lower[start:end] for start, end in words(lower) if any(map(str.isalnum, lower[start:end]))]


def ngram_f1(gold: Tokens, said: Tokens, order: int) -> float:
    """Return F1 of the n-grams of one order, counts clipped."""
    wanted, found = (Counter(zip(*(side[place:] for place in range(order)), strict=False)) for side in (gold, said))
    number = sum(min(count, found[gram]) for gram, count in wanted.items() if gram in found)
    return _f1(number, max(len(said) - order + 1, 0), max(len(gold) - order + 1, 0))


def lcs_f1(gold: Tokens, said: Tokens) -> float:
    """Return F1 of the longest common subsequence."""
    return _f1(lcs_length(gold, said), len(said), len(gold))


def summary_f1(gold: Sequence[Tokens], said: Sequence[Tokens]) -> float:
    """Return ROUGE-Lsum: for each gold sentence the union of its subsequences with all said ones.

    A token is a hit at most as often as it stands on either side, as ROUGE-1.5.5 counts.
    """
    left = [Counter(token for sentence in side for token in sentence) for side in (gold, said)]
    sizes = [sum(counts.values()) for counts in left]
    hits = 0
    for sentence in gold:
        union = sorted({place for other in said for place in lcs_positions(sentence, other)})
        for place in union:
            token = sentence[place]
            if left[0][token] > 0 and left[1][token] > 0:
                left[0][token] -= 1
                left[1][token] -= 1
                hits += 1
    return _f1(hits, sizes[1], sizes[0])


def rouge_rows(gold: Column, predicted: Column, kind: str, rules: Rules = "auto") -> Rows:
    """Return rows `[distinct, 2]`: the best F1 of each text over its references, and 1."""
    references = aligned_references(gold, predicted)
    chosen = rules
    if chosen == "auto":
        chosen = script(one for side in references for one in side if one is not None)
    measure = partial(_MEASURES[kind], rules=chosen)
    best = np.zeros(len(predicted))
    for side in references:
        scores = [
            0.0 if wanted is None else measure(wanted, said) for wanted, said in zip(side, predicted, strict=True)
        ]
        best = np.maximum(best, scores)
    return Rows.of(np.stack([best, np.ones(len(best))], axis=1)).noted(f"rules {chosen}")


def _of_order(gold: str, said: str, order: int, rules: Literal["en", "zh"]) -> float:
    return ngram_f1(rouge_tokens(gold, rules), rouge_tokens(said, rules), order)


def _of_text(gold: str, said: str, rules: Literal["en", "zh"]) -> float:
    return lcs_f1(rouge_tokens(gold, rules), rouge_tokens(said, rules))


def _of_summary(gold: str, said: str, rules: Literal["en", "zh"]) -> float:
    return summary_f1(*([rouge_tokens(one, rules) for one in sentences(text, rules)] for text in (gold, said)))


def sentences(text: str, rules: Literal["en", "zh"]) -> list[str]:
    """Return sentences: lines, and in Chinese also what ends in 。！？；."""
    return [one for one in (text.split("\n") if rules == "en" else _CHINESE_END.split(text)) if one]


_MEASURES: dict[str, Callable[..., float]] = {
    "rouge1": partial(_of_order, order=1),
    "rouge2": partial(_of_order, order=2),
    "rougeL": _of_text,
    "rougeLsum": _of_summary,
}


def _f1(hits: int, said: int, wanted: int) -> float:
    return 2 * hits / (said + wanted) if hits else 0.0


def _mean(sums: Numbers) -> Floats:
    value: Floats = sums[..., 0] / sums[..., 1]
    return value


def _parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0], sums[..., 1]


def rouge(kind: str, rules: Rules = "auto") -> Additive:
    """Return one of `rouge1`, `rouge2`, `rougeL`, `rougeLsum` by the rules of one language."""
    what = {"rouge1": "single words", "rouge2": "pairs of words", "rougeL": "longest common subsequence"}
    what["rougeLsum"] = "union of longest common subsequences of sentences (lines; in Chinese also 。！？；)"
    cut = "en: ASCII words in small letters, no stemming, as rouge-score; zh: characters"
    return Additive(
        name=kind,
        rows=partial(rouge_rows, kind=kind, rules=rules),
        formula=_mean,
        gold="references",
        predicted="text",
        definition=f"F1 of {what[kind]}, best reference, mean over texts (Lin 2004); {cut}",
        unit="text",
        interval="t",
        ratio=_parts,
        undefined="there is no text",
        limits=(0.0, 1.0),
    )


ROUGE = tuple(rouge(kind) for kind in _MEASURES)
