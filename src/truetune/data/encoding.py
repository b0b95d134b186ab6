"""Bytes to text: UTF-8 with or without BOM, UTF-16, GB18030 (GBK), latin-1, told apart by the bytes."""

from __future__ import annotations

import codecs
import re
from pathlib import Path

from truetune.errors import DataError, nearest

_BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_CHINESE_PAIR = re.compile(rb"[\xa1-\xf7][\xa1-\xfe]")
_HIGH = re.compile(rb"[\x80-\xff]")
MOSTLY = 0.9
"""Share of high bytes in pairs of the common Chinese range from which on a text is taken for GBK."""


def text_of(path: Path, encoding: str | None = None) -> str:
    r"""Return the text of a file; line ends become `\n`.

    Raises `DataError` for a file that cannot be read, an unknown encoding, or bytes that are not of it.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); give an existing file") from None
    chosen = encoding or detected(data)
    try:
        text = data.decode(chosen)
    except LookupError:
        known = ("utf-8", "utf-8-sig", "utf-16", "gb18030", "gbk", "big5", "latin-1", "cp1252")
        raise DataError(f"{path}: unknown encoding {chosen!r}; {nearest(chosen, known)}") from None
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path}:{line}: byte {error.start:,} ({data[error.start]:#04x}) is not {chosen}; "
            "give the file's encoding under data.encoding"
        ) from None
    return text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")


def detected(data: bytes) -> str:
    """Return the encoding that the bytes are in.

    UTF-8 and UTF-16 prove themselves. Else, pairs of high bytes as Chinese writes them mean GB18030;
    charset-normalizer decides what remains, and latin-1, which accepts any byte, where it does not know.
    """
    for mark, name in _BOMS:
        if data.startswith(mark):
            return name
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    else:
        return "utf-8"
    high = len(_HIGH.findall(data))
    if 2 * len(_CHINESE_PAIR.findall(data)) > MOSTLY * high and _decodes(data, "gb18030"):
        return "gb18030"
    from charset_normalizer import from_bytes

    best = from_bytes(data[:200_000]).best()
    guess = best.encoding if best else "latin-1"
    western = guess.startswith(("cp125", "latin", "iso8859", "mac")) or not _decodes(data, guess)
    if western:
        return "cp1252" if _decodes(data, "cp1252") else "latin-1"
    return guess


def _decodes(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
