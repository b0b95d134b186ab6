"""Words, scripts and normalisation of text, Chinese and English. Standard library only."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Literal

Script = Literal["zh", "en"]

_CJK = (
    "\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003ffff"  # Han extensions
    "\u3041-\u3096\u30a1-\u30fa\u30fc\u31f0-\u31ff"  # kana
)
_IS_CJK = re.compile(f"[{_CJK}]")
_LETTERS = rf"(?:[^\W_{_CJK}][\u0300-\u036f]*)+"
_WORD = re.compile(rf"[{_CJK}]|{_LETTERS}(?:['’]{_LETTERS})*|\S")
"""A CJK character; or letters (with their accents) and digits, with inner apostrophes; or one sign."""
_ASCII = bytes(range(128))
_NO_ASCII_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())


def is_cjk(character: str) -> bool:
    """Return whether a character is written without spaces between words: Han or kana."""
    return _IS_CJK.match(character) is not None


def words(text: str) -> list[tuple[int, int]]:
    """Return the words of a text as character offsets: each CJK character, word or sign by itself."""
    return [match.span() for match in _WORD.finditer(text)]


def script(texts: Iterable[str]) -> Script:
    """Return `zh` where at least three letters in ten are CJK, else `en`."""
    return script_of(*script_letters(texts))


def script_letters(texts: Iterable[str]) -> tuple[int, int]:
    """Return how many CJK characters and how many letters there are; of several sets of texts they add up."""
    whole = "".join(texts)
    if whole.isascii():
        return 0, len(whole.encode().translate(None, _NO_ASCII_LETTERS))
    others = whole.encode("utf-8", "surrogatepass").translate(None, _ASCII).decode("utf-8", "surrogatepass")
    return len(_IS_CJK.findall(others)), ascii_letters((whole,)) + sum(map(str.isalpha, others))


def ascii_letters(texts: Iterable[str]) -> int:
    """Return how many letters from a to z there are, in small or capital letters."""
    return len("".join(texts).encode("ascii", "ignore").translate(None, _NO_ASCII_LETTERS))


def script_of(cjk: int, letters: int) -> Script:
    """Return the script of texts with so many CJK characters among so many letters."""
    return "zh" if letters and cjk >= 0.3 * letters else "en"


def normalised(text: str) -> str:
    """Return what two texts share that a reader takes for the same one.

    NFKC (full-width forms), case folded, traditional characters as simplified ones, without white space and
    punctuation, except between digits: 3.5 is not 35, nor is 3 5. A text of signs alone keeps them.
    """
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())
    pieces = _IN_NUMBERS.split(folded.translate(_FOLDING))
    pieces[::2] = [_unseparated(piece) for piece in pieces[::2]]
    return "".join(pieces).replace("\0", " ") or "".join(folded.split())


def _unseparated(text: str) -> str:
    for one in _SEPARATORS:
        text = text.replace(one, "")
    return text


def traditional_only(text: str) -> frozenset[str]:
    """Return the characters of a text that are written in traditional Chinese and not in simplified (GB 2312)."""
    return _traditional().intersection(text)


def text_key(texts: Iterable[str]) -> bytes:
    """Return 16 bytes that are equal for examples whose texts are equal when `normalised`, one by one."""
    joined = "\n".join(map(normalised, texts))
    return hashlib.blake2b(joined.encode("utf-8", "surrogatepass"), digest_size=16).digest()


_BETWEEN_DIGITS = ".,:/-"
_SEPARATORS = "\0" + _BETWEEN_DIGITS
_IN_NUMBERS = re.compile(r"(\d[\0.,:/-])(?=[\0.,:/-]*+\d)")
"""A digit and the separator behind it, where another number follows: of several separators the first is kept."""


class _Folding(dict[int, str]):
    """What a character becomes, found when it is first met: separators are NUL, or one of those kept in numbers."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if not self:
            self.update(_simplified())
        if code in self:
            return self[code]
        separates = unicodedata.category(character)[0] in "ZPC" and character not in _BETWEEN_DIGITS
        self[code] = "\0" if separates else character
        return self[code]


def _simplified() -> dict[int, str]:
    lines = Path(__file__).with_name("traditional.txt").read_text(encoding="utf-8").splitlines()
    return {ord(pair[0]): pair[1] for line in lines if not line.startswith("#") for pair in line.split()}


@cache
def _traditional() -> frozenset[str]:
    return frozenset(character for character in map(chr, _simplified()) if not character.encode("gb2312", "ignore"))


_FOLDING = _Folding()
