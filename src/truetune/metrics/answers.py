"""Answers as tokens: the normalisations of the SQuAD and CMRC 2018 scripts, and F1 of two answers.

Two answers match exactly when their tokens are equal (SQuAD), or their normalised texts (CMRC).
"""

from __future__ import annotations

import re
import string
from collections import Counter
from collections.abc import Sequence

LONG = 400
"""Above so many pairs of tokens counting beats looking each one up."""

_PUNCTUATION = str.maketrans("", "", string.punctuation)
_ARTICLES = frozenset(("a", "an", "the"))
_ARTICLE = re.compile(r"\b(?:a|an|the)\b")

CMRC_SIGNS = "-:_*^/\\~`+=，。：？！“”；’《》·、「」（）－～『』"
"""What CMRC 2018's script takes out. It also lists `……`, which it compares with single characters: an
ellipsis stays."""
_CMRC_SIGNS = str.maketrans("", "", CMRC_SIGNS)

_HAN = "\u4e00-\u9fa5"
_SIGNS = r"!-&(-+/:-@\[-`{}«»‘„—–"
_END = rf"[\])}}>\"'» ]*(?:$|[{_HAN}])"
_SPLIT_OFF = re.compile(
    rf"(?:n't|'(?:s|m|d|ll|re|ve))(?=[\s{_SIGNS}]|,(?!\d)|\.?{_END})"  # don't, he's
    rf"|\.{{2,}}|,(?!\d)|(?<=[^.])\.(?={_END})"  # the last full stop of a stretch without Chinese
)
_CMRC_TOKEN = re.compile(rf"[{_HAN}{_SIGNS}]|[^\s{_HAN}{_SIGNS}]+")


def squad_tokens(texts: Sequence[str]) -> list[list[str]]:
    """Return the tokens of each answer as SQuAD's script makes them: small letters, no punctuation (of
    ASCII), no articles, split at white space.
    """
    whole = "\n".join(text.replace("\n", " ") for text in texts).lower().translate(_PUNCTUATION)
    return [_without_articles(line) for line in whole.split("\n")] if texts else []


def cmrc_text(text: str) -> str:
    """Return an answer as CMRC 2018's script compares it: small letters, without its signs."""
    return text.lower().strip().translate(_CMRC_SIGNS)


def cmrc_tokens(text: str) -> list[str]:
    """Return the tokens of an answer as CMRC 2018's script makes them (`mixed_segmentation`).

    Each Chinese character (U+4E00 to U+9FA5) is one, signs are left out, and the rest is cut by the main
    rules of the Penn Treebank, which the script takes from NLTK: white space, signs, and `n't`, `'s`...
    """
    return _CMRC_TOKEN.findall(_SPLIT_OFF.sub(r" \g<0> ", cmrc_text(text)))


def bag_f1(gold: Sequence[str], answer: Sequence[str]) -> float:
    """Return F1 over tokens as bags; 1 where both are empty, 0 where one is (SQuAD v2)."""
    if not gold or not answer:
        return float(len(gold) == len(answer))
    if len(gold) * len(answer) > LONG:
        common = sum((Counter(gold) & Counter(answer)).values())
    else:
        left, common = list(gold), 0
        for token in answer:
            if token in left:
                left.remove(token)
                common += 1
    return 2 * common / (len(gold) + len(answer))


def substring_f1(gold: Sequence[str], answer: Sequence[str]) -> float:
    """Return F1 over the longest common run of tokens (CMRC); 1 where both are empty, 0 where one is."""
    if not gold or not answer:
        return float(len(gold) == len(answer))
    return 2 * longest_common_run(gold, answer) / (len(gold) + len(answer))


def longest_common_run(first: Sequence[str], second: Sequence[str]) -> int:
    """Return the length of the longest run of tokens, without gaps, that stands in both."""
    codes: dict[str, str] = {}
    shorter, longer = (
        "".join(codes.setdefault(token, chr(len(codes))) for token in tokens)
        for tokens in sorted((first, second), key=len)
    )
    longest = start = 0
    while start + longest < len(shorter):
        if shorter[start : start + longest + 1] in longer:
            longest += 1
        else:
            start += 1
    return longest


def _without_articles(line: str) -> list[str]:
    if line.isascii() and line.isprintable():
        # Only letters, digits and spaces are left: a word boundary is a space.
        return [token for token in line.split() if token not in _ARTICLES]
    return _ARTICLE.sub(" ", line).split()
