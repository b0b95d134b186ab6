"""Bytes to text: UTF-8 with or without BOM, UTF-16, GB18030 (GBK), cp1252 or latin-1, told apart by the bytes."""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO, TextIO

from truetune.errors import DataError, nearest

KNOWN = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk", "big5", "latin-1", "cp1252")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16: its mark begins with that of UTF-16
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_HIGH = re.compile(rb"[\x80-\xff]")
_UTF8_SEQUENCE = re.compile(rb"[\xc2-\xdf][\x80-\xbf]|[\xe0-\xef][\x80-\xbf]{2}|[\xf0-\xf4][\x80-\xbf]{3}")
_CHINESE_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_ASIAN = ("big5", "cp950", "shift_jis", "cp932", "euc_", "cp949")
MOSTLY = 0.9
"""Share of the high bytes in sequences of an encoding from which on a file is taken to be in it."""
_CHUNK = 1 << 20


def opened(path: Path, encoding: str | None = None) -> TextIO:
    r"""Open a file as text, line ends as `\n`, the byte order mark taken off.

    The whole file has been decoded once before this returns, so reading it cannot fail half-way. Raises
    `DataError` for a file that cannot be read, an unknown encoding, and bytes that are not of it, with
    their position.
    """
    chosen = encoding or detected(path)
    _check(path, chosen)
    file = path.open(encoding=chosen)
    if file.read(1) != "\ufeff":
        file.seek(0)
    return file


def text_of(path: Path, encoding: str | None = None) -> str:
    """Return the whole text of a file, as `opened` reads it."""
    with opened(path, encoding) as file:
        return file.read()


def detected(path: Path) -> str:
    """Return the encoding that a file is in.

    Marks and UTF-8 prove themselves; a file that is UTF-8 but for a few bytes is still UTF-8, and damaged.
    Else, pairs of high bytes as Chinese writes them mean GB18030; charset-normalizer finds Big5 and the
    Japanese and Korean encodings; what remains is taken for cp1252, or latin-1, which accepts any byte.
    """
    with _bytes(path) as file:
        start = file.read(4096)
    for mark, name in _MARKS:
        if start.startswith(mark):
            return name
    if b"\0" in start:
        return _utf16(path, start)
    if _first_fault(path, "utf-8") is None:
        return "utf-8"
    high, in_utf8, in_pairs = _bytes_found(path, (_HIGH, _UTF8_SEQUENCE, _CHINESE_PAIR))
    if in_utf8 > MOSTLY * high:
        return "utf-8"
    if in_pairs > MOSTLY * high and _first_fault(path, "gb18030") is None:
        return "gb18030"
    from charset_normalizer import from_bytes

    with _bytes(path) as file:
        best = from_bytes(file.read(200_000)).best()
    if best and best.encoding.startswith(_ASIAN) and _first_fault(path, best.encoding) is None:
        return best.encoding
    return "cp1252" if _first_fault(path, "cp1252") is None else "latin-1"


def _bytes_found(path: Path, patterns: Sequence[re.Pattern[bytes]]) -> list[int]:
    """Return how many bytes match each pattern, read in blocks: a match that two of them share is left out."""
    found = [0] * len(patterns)
    with _bytes(path) as file:
        while block := file.read(_CHUNK):
            found = [
                number + sum(map(len, pattern.findall(block))) for number, pattern in zip(found, patterns, strict=True)
            ]
    return found


def _utf16(path: Path, start: bytes) -> str:
    """Return which UTF-16 has its zero bytes where this file has them."""
    even, odd = start[0::2].count(0), start[1::2].count(0)
    if min(even, odd) * 20 > max(even, odd) or max(even, odd) * 100 < len(start):
        raise DataError(
            f"{path}: holds zero bytes, as binary files do; expected text. Give data.format if it is a table"
        )
    return "utf-16-le" if odd > even else "utf-16-be"


def _check(path: Path, encoding: str) -> None:
    try:
        codecs.lookup(encoding)
    except LookupError:
        raise DataError(f"{path}: unknown encoding {encoding!r}; {nearest(encoding, KNOWN)}") from None
    fault = _first_fault(path, encoding)
    if fault is not None:
        line, byte = _place(path, encoding, fault)
        raise DataError(
            f"{path}:{line}: byte {fault:,} ({byte:#04x}) is not {encoding}; repair the file, or give its "
            "encoding under data.encoding"
        )


def _first_fault(path: Path, encoding: str) -> int | None:
    """Return the position of the first byte that is not of an encoding, None where there is none."""
    decoder = codecs.getincrementaldecoder(encoding)()
    read = 0
    with _bytes(path) as file:
        while True:
            chunk = file.read(_CHUNK)
            read += len(chunk)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                return read - len(error.object) + error.start
            if not chunk:
                return None


def _bytes(path: Path) -> BinaryIO:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give an existing file") from None


def _place(path: Path, encoding: str, position: int) -> tuple[int, int]:
    """Return the line and the value of the byte at a position, up to which all bytes are of the encoding."""
    decoder = codecs.getincrementaldecoder(encoding)("ignore")
    line = 1
    with _bytes(path) as file:
        for start in range(0, position, _CHUNK):
            line += decoder.decode(file.read(min(_CHUNK, position - start))).count("\n")
        return line, file.read(1)[0]
