"""Tokenisers of machine-translation metrics, whole corpora at a time. The tokeniser is part of the number.

Each gives the tokens that sacreBLEU's tokeniser of the same name gives (Post 2018), checked by tests.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from truetune.errors import MetricError, nearest
from truetune.metrics.mecab import mecab_version, tokenize_ja_mecab
from truetune.text import Script, script

Tokens = list[list[str]]
"""The tokens of each line."""

_ENTITIES = (("&quot;", '"'), ("&amp;", "&"), ("&lt;", "<"), ("&gt;", ">"))
_SIGNS = re.compile(r"([!-&(-+:-@/\[-`{-~])")
_DOT_AFTER_OTHER = re.compile(r"([^0-9\n])([.,])")
_DOT_BEFORE_OTHER = re.compile(r"([.,])([^0-9\n])")
_DASH_AFTER_DIGIT = re.compile(r"([0-9])(-)")

_CHINESE = re.compile(
    "(["
    "\u2001-\u2a6d\u2e80-\u2eff\u2f00-\u2fdf\u2f81-\u2fa1\u2ff0-\u2fff\u3000-\u303f\u3100-\u312f\u31a0-\u31bf"
    "\u31c0-\u31ef\u3200-\u32ff\u3300-\u33ff\u3400-\u4db5\u4e00-\u9fa5\u9fa6-\u9fbb\uf900-\ufa2d\ufa30-\ufa6a"
    "\ufa70-\ufad9\ufe10-\ufe1f\ufe30-\ufe4f\uff00-\uffef"
    "])"
)
"""What sacreBLEU's `zh` sets apart. Its two ranges beyond the basic plane are written with too few digits
and so cover U+2001 to U+2A6D (dashes, quotation marks, arrows) and U+2F81 to U+2FA1 instead; so do ours."""


def tokenize_none(lines: Sequence[str]) -> Tokens:
    """Split at white space only: for text that is tokenised already."""
    return [line.split() for line in lines]


def tokenize_13a(lines: Sequence[str]) -> Tokens:
    """Tokenise as mteval-v13a, the tokeniser of WMT: for languages with spaces between words."""
    return _13a([line.rstrip() for line in lines])


def tokenize_zh(lines: Sequence[str]) -> Tokens:
    """Set Chinese characters apart, and signs by the patterns of 13a, without its cleaning and its outer spaces."""
    text = "\n".join(line.strip().replace("\n", " ") for line in lines)
    return _without_signs(_CHINESE.sub(r" \1 ", text), len(lines))


def tokenize_char(lines: Sequence[str]) -> Tokens:
    """Make every character that is not white space a token."""
    return [list("".join(line.split())) for line in lines]


def tokenize_intl(lines: Sequence[str]) -> Tokens:
    """Tokenise as mteval-v14 --international: punctuation and symbols of all scripts."""
    after_other, before_other, symbol = _international()
    text = "\n".join(line.rstrip().replace("\n", " ") for line in lines)
    text = after_other.sub(r"\1 \2 ", text)
    text = before_other.sub(r" \1 \2", text)
    return _split(symbol.sub(r" \1 ", text), len(lines))


TOKENIZERS: Mapping[str, Callable[[Sequence[str]], Tokens]] = {
    "13a": tokenize_13a,
    "zh": tokenize_zh,
    "char": tokenize_char,
    "intl": tokenize_intl,
    "none": tokenize_none,
    "ja-mecab": tokenize_ja_mecab,
}


def tokenizer_named(name: str) -> Callable[[Sequence[str]], Tokens]:
    """Return a tokeniser; an unknown name is answered with the nearest known ones."""
    if name not in TOKENIZERS:
        raise MetricError(f"unknown tokeniser {name!r}; {nearest(name, TOKENIZERS)}")
    return TOKENIZERS[name]


def tokenizer_told(name: str) -> str:
    """Return a tokeniser as signatures name it: one that rests on a program with its version."""
    return f"{name}-{mecab_version()}" if name == "ja-mecab" else name


def tokenizer_for(references: Iterable[str]) -> str:
    """Return the tokeniser that fits the references: `zh` where they are Chinese, else `13a`.

    13a takes a Chinese sentence for one or two words: 34.3 BLEU where `zh` gives 56.0. Japanese is cut by `zh` too,
    which sets Chinese characters apart and leaves kana joined; `ja-mecab`, where it is asked for, finds its words.
    """
    return tokenizer_of(script(references))


def tokenizer_of(language: Script) -> str:
    """Return the tokeniser that fits a script."""
    return "zh" if language == "zh" else "13a"


def _13a(lines: Sequence[str]) -> Tokens:
    """Clean lines as mteval does, set them between spaces, and split off their signs."""
    cleaned = [line.replace("<skipped>", "").replace("-\n", "").replace("\n", " ") for line in lines]
    text = "\n".join(f" {line} " for line in cleaned)
    if "&" in text:
        for entity, sign in _ENTITIES:
            text = text.replace(entity, sign)
    return _without_signs(text, len(lines))


def _without_signs(text: str, number: int) -> Tokens:
    """One pass of each pattern over all lines; none reaches over the end of a line into the next.

    A full stop after a digit at the very end of a line stays where it is, unless a space follows.
    """
    text = _SIGNS.sub(r" \1 ", text)
    text = _DOT_AFTER_OTHER.sub(r"\1 \2 ", text)
    text = _DOT_BEFORE_OTHER.sub(r" \1 \2", text)
    return _split(_DASH_AFTER_DIGIT.sub(r"\1 \2 ", text), number)


def _split(text: str, number: int) -> Tokens:
    return [line.split() for line in text.split("\n")[:number]]


@cache
def _international() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    numbers, punctuation, symbols = (_characters(kind) for kind in "NPS")
    return (
        re.compile(rf"([^\n{numbers}])([{punctuation}])"),
        re.compile(rf"([{punctuation}])([^\n{numbers}])"),
        re.compile(rf"([{symbols}])"),
    )


def _characters(kind: str) -> str:
    """Return all characters of a Unicode category (its first letter) as ranges for a character class."""
    codes = [code for code in range(sys.maxunicode + 1) if unicodedata.category(chr(code))[0] == kind]
    ranges: list[list[int]] = []
    for code in codes:
        if ranges and code == ranges[-1][1] + 1:
            ranges[-1][1] = code
        else:
            ranges.append([code, code])
    return "".join(f"\\U{low:08x}-\\U{high:08x}" for low, high in ranges)
