"""Words, scripts and normalisation of text, Chinese and English. Standard library only."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Literal

Script = Literal["zh", "en"]

_CJK = (
    "\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003ffff"  # Han extensions
    "\u3041-\u3096\u30a1-\u30fa\u30fc\u31f0-\u31ff"  # kana
)
_IS_CJK = re.compile(f"[{_CJK}]")
_WORD = re.compile(rf"[{_CJK}]|[^\W_{_CJK}]+(?:['’][^\W_{_CJK}]+)*|\S")
"""A CJK character; or letters and digits with inner apostrophes; or one sign."""


def is_cjk(character: str) -> bool:
    """Return whether a character is written without spaces between words: Han or kana."""
    return _IS_CJK.match(character) is not None


def words(text: str) -> list[tuple[int, int]]:
    """Return the words of a text as character offsets: each CJK character, word or sign by itself."""
    return [match.span() for match in _WORD.finditer(text)]


def script(texts: Iterable[str]) -> Script:
    """Return `zh` where at least three letters in ten are CJK, else `en`."""
    cjk = letters = 0
    for text in texts:
        cjk += len(_IS_CJK.findall(text))
        letters += sum(character.isalpha() for character in text)
    return "zh" if letters and cjk >= 0.3 * letters else "en"


def normalised(text: str) -> str:
    """Return a text for telling duplicates: NFKC, case folded, without white space and punctuation."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(character for character in folded if unicodedata.category(character)[0] not in "ZPC")
