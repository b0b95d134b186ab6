"""ROUGE (Lin 2004): F1 of n-grams and of longest common subsequences, mean over texts, 0 to 1.

English words are cut as ROUGE-1.5.5 and rouge-score cut them (letters and digits of ASCII, small letters, no
stemming), which leaves nothing of Chinese or Russian: identical texts would score 0. Chinese is therefore cut
into characters, and a language that is written in other letters into its words. The rules are chosen once, by
the letters of the references, and stand in the signature.
With several references the best F1 counts.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Collection, Sequence
from functools import cache, partial
from itertools import chain, islice
from typing import Literal, get_args

import numpy as np

from truetune.metric import Additive, RowsByConvention, RowsOf, Seen
from truetune.metrics import ngrams
from truetune.metrics.references import aligned_references, letters_seen
from truetune.metrics.subsequences import lcs_lengths, lcs_positions
from truetune.rows import Rows
from truetune.text import ascii_letters, script_of, words
from truetune.types import Column, Floats, Numbers

Rules = Literal["en", "zh", "words"]
Tokens = list[str]

KINDS = ("rouge1", "rouge2", "rougeL", "rougeLsum")
RULES: tuple[Rules, ...] = get_args(Rules)

_CHINESE_END = re.compile("(?<=[。！？；!?;])|\n")
_ASCII_WORDS = bytes(
    code if code == ord("\n") or (chr(code).isalnum() and code < 128) else ord(" ") for code in range(256)
)
"""A table that turns every byte but ASCII letters, digits and new lines into a space."""


class _Kept(dict[int, str]):
    """What stays of a character in a word, found when it is first met: letters with their marks, and digits."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        stays = character == "\n" or character.isalnum() or unicodedata.category(character)[0] == "M"
        self[code] = character if stays else " "
        return self[code]


_KEPT = _Kept()


def rules_for(cjk: int, letters: int, ascii_only: int) -> Rules:
    """Return the rules for references with so many CJK characters, letters of all scripts, and letters from a to z.

    `words` where most letters are not ASCII: rules that know ASCII alone would leave next to nothing.
    """
    if script_of(cjk, letters) == "zh":
        return "zh"
    return "words" if 2 * ascii_only < letters else "en"


def sentences(texts: Sequence[str], rules: Rules) -> list[list[Tokens]]:
    """Return the sentences of each text as the tokens that ROUGE compares.

    English: lines, as ASCII words in small letters; `words`: the same with letters of any script. Chinese: lines and
    what ends in 。！？；, as characters and words of letters and digits.
    """
    if rules == "zh":
        return [[_chinese_tokens(one.lower()) for one in _CHINESE_END.split(text) if one] for text in texts]
    if not texts:
        return []
    lower = "\n".join(texts).lower()
    if rules == "words":
        kept = lower.translate(_KEPT)
    else:
        kept = lower.encode("utf-8", "replace").translate(_ASCII_WORDS).decode("ascii")
    lines = [line.split() for line in kept.split("\n")]
    if len(lines) == len(texts):
        return [[line] for line in lines]
    rest = iter(lines)
    return [list(islice(rest, text.count("\n") + 1)) for text in texts]


def _chinese_tokens(lower: str) -> Tokens:
    return [lower[start:end] for start, end in words(lower) if any(map(str.isalnum, lower[start:end]))]


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


def rouge_scores(gold: Sequence[Sequence[Tokens]], said: Sequence[Sequence[Tokens]]) -> Floats:
    """Return F1 of ROUGE-1, 2, L and Lsum `[texts, 4]` of each text against one reference, both as sentences."""
    texts = len(said)
    codes = ngrams.coded([[one[0] if len(one) == 1 else list(chain(*one)) for one in side] for side in (gold, said)])
    sizes = codes[0].lengths + codes[1].lengths
    hits = np.zeros((len(KINDS), texts))
    for order, sides in enumerate(ngrams.grams(codes, 2)):
        width = ngrams.width_of(sides)
        wanted, found = (ngrams.counted(side, width) for side in sides)
        hits[order] = ngrams.matches(found, wanted, texts)
    hits[2:] = lcs_lengths(*codes)
    for place, (one, other) in enumerate(zip(gold, said, strict=True)):
        if hits[2, place] and not len(one) == len(other) == 1:
            hits[3, place] = summary_matches(one, other)
    totals = np.stack([sizes, sizes - 2, sizes, sizes])
    return np.divide(2 * hits, totals, out=np.zeros_like(hits), where=hits > 0).T


def rouge_rows(gold: Column, predicted: Column, rules: Rules) -> Rows:
    """Return rows `[distinct, 5]`: the best F1 of each kind of each text over its references, and 1."""
    references = aligned_references(gold, predicted)
    said = sentences(predicted, rules)
    rows = np.zeros((len(said), len(KINDS) + 1))
    rows[:, -1] = 1
    for side in references:
        scores = rouge_scores(sentences([one or "" for one in side], rules), said)
        rows[:, :-1] = np.maximum(rows[:, :-1], scores)
    return Rows.of(rows).noted(f"rules {rules}")


def _seen(gold: Column, predicted: Column) -> Seen:
    """Count the CJK characters, the letters and the letters from a to z of the references."""
    texts = chain.from_iterable((one,) if isinstance(one, str) else one for one in gold)
    return letters_seen(gold, predicted) + Counter({"ascii": ascii_letters(texts)})


def _decided(seen: Seen) -> Rules:
    return rules_for(seen["cjk"], seen["letters"], seen["ascii"])


def _under(gold: Column, predicted: Column, names: Collection[str]) -> dict[str, Rows]:
    return {name: rouge_rows(gold, predicted, name) for name in RULES if name in names}


@cache
def _rows_by(rules: Rules | Literal["auto"]) -> RowsOf:
    """Return one function for all kinds, so that texts are cut once for all of them."""
    if rules != "auto":
        return partial(rouge_rows, rules=rules)
    return RowsByConvention(
        whole=lambda gold, predicted: rouge_rows(gold, predicted, _decided(_seen(gold, predicted))),
        seen=_seen,
        possible=lambda seen: RULES,
        decided=_decided,
        under=_under,
    )


def rouge(kind: str, rules: Rules | Literal["auto"] = "auto") -> Additive:
    """Return one of `rouge1`, `rouge2`, `rougeL`, `rougeLsum` by the rules of one language."""
    what = {"rouge1": "single words", "rouge2": "pairs of words", "rougeL": "longest common subsequence"}
    what["rougeLsum"] = "union of longest common subsequences of sentences (lines; in Chinese also 。！？；)"
    column = KINDS.index(kind)

    def formula(sums: Numbers) -> Floats:
        value: Floats = sums[..., column] / sums[..., -1]
        return value

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return sums[..., column], sums[..., -1]

    cut = "en: ASCII words in small letters, no stemming, as rouge-score; words: those of any script; zh: characters"
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
