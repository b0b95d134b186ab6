"""Words, scripts and normalisation of text, Chinese and English. Standard library only."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable
from functools import cache
from pathlib import Path
from typing import Literal

Script = Literal["zh", "en"]

CJK = (
    "\u3005\u3007\u3021-\u3029\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"  # Han
    "\U00020000-\U0003ffff"  # Han extensions
    "\u3041-\u3096\u30a1-\u30fa\u30fc\u31f0-\u31ff"  # kana
)
_IS_CJK = re.compile(f"[{CJK}]")
_LETTERS = rf"(?:[^\W_{CJK}][\u0300-\u036f]*)+"
_WORD = re.compile(rf"[{CJK}]|{_LETTERS}(?:['’]{_LETTERS})*|\S")
"""A CJK character; or letters (with their accents) and digits, with inner apostrophes; or one sign."""
_ASCII = bytes(range(128))
_NO_ASCII_LETTERS = bytes(code for code in range(128) if not chr(code).isalpha())


def is_cjk(character: str) -> bool:
    """Return whether a character is written without spaces between words: Han or kana."""
    return _IS_CJK.match(character) is not None


def words(text: str) -> list[tuple[int, int]]:
    """Return the words of a text as character offsets: each CJK character, word or sign by itself."""
    return [match.span() for match in _WORD.finditer(text)]


_CLOSERS = "\"'”’」』）)】〕》〉»"
_END = re.compile(
    rf"(?:[。！？；｡]+|(?<=[{CJK}])[.!?]+(?=[{_CLOSERS}]*[{CJK}])|[!?]+(?=[{_CLOSERS}]*[{CJK}])"
    rf"|[.!?]+(?=[{_CLOSERS}]*(?:\s|$)))[{_CLOSERS}]*|\n+"
)
"""Signs that end a sentence, with the quotation marks and brackets that close behind them, and ends of lines."""
_SHORT = re.compile(r"\b(?:Mr|Mrs|Ms|Dr|Prof|vs|[A-Z])\.$")
"""What stands before a name or a number, its full stop no end: a title, an initial."""


def sentences(text: str) -> list[tuple[int, int]]:
    """Return where the sentences of a text stand, white space at their edges left out.

    Chinese signs end one wherever they stand, ASCII ones before white space, and beside a CJK character, where no
    space is written. A text without any is one sentence.
    """
    found: list[tuple[int, int]] = []
    start = 0
    for match in _END.finditer(text):
        end = match.end()
        if not _SHORT.search(text, max(start, end - 6), end):
            found += _inner(text, start, end)
            start = end
    return [*found, *_inner(text, start, len(text))] or [(0, len(text))]


def _inner(text: str, start: int, end: int) -> list[tuple[int, int]]:
    """Return the place of what is no white space, if there is any."""
    inner = text[start:end].strip()
    if not inner:
        return []
    first = text.index(inner, start)
    return [(first, first + len(inner))]


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


Fold = Literal["width", "simplified"]


def folded(text: str, ways: Collection[Fold]) -> str:
    """Return a text of the same length with other characters in the place of some.

    `width`: full-width letters, digits and the signs of numbers and addresses as half-width ones (`Ａ１．％` is `A1.%`;
    the punctuation of Chinese, as in `你好，世界！`, stays); `simplified`: traditional characters as simplified ones.
    """
    return text if text.isascii() or not ways else text.translate(_fold_table(tuple(ways)))


@cache
def _fold_table(ways: tuple[Fold, ...]) -> dict[int, str]:
    narrow = {ord(one) + 0xFEE0: one for one in map(chr, range(0x21, 0x7F)) if one.isalnum() or one in "#%&*+-./=@_"}
    found = {**narrow, 0x3000: " "} if "width" in ways else {}
    return {**found, **_simplified()} if "simplified" in ways else found


def _simplified() -> dict[int, str]:
    lines = Path(__file__).with_name("traditional.txt").read_text(encoding="utf-8").splitlines()
    return {ord(pair[0]): pair[1] for line in lines if not line.startswith("#") for pair in line.split()}


@cache
def _traditional() -> frozenset[str]:
    return frozenset(character for character in map(chr, _simplified()) if not character.encode("gb2312", "ignore"))


_FOLDING = _Folding()
