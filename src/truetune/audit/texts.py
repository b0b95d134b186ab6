"""Texts: empty ones, ones damaged on the way, ones of another size than the rest."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from truetune.audit.parts import SHOWN, AuditPart, Parts, Severity, finding, shortened
from truetune.types import Finding

_REPLACED = re.compile("\ufffd|锟斤拷|烫烫烫|屯屯屯")
"""What decoders put for bytes that they cannot read, and what that becomes when it is read as GBK."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
_TWICE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
"""A first and a second byte of UTF-8, read as cp1252 or latin-1."""
_MARKUP = re.compile(r"&(?:[a-z]{2,8}|#\d{2,5}|#x[0-9a-fA-F]{2,5});|</?(?:br|p|div|span|a|b|i|img)(?:\s[^<>]*)?/?>")

FAR = 20
"""How many times longer than the median, and at least `LONG` characters, a text must be to be told."""
LONG = 1000


def text_findings(parts: Parts) -> Iterator[Finding]:
    """Yield texts that are empty or damaged, that carry markup, or that are far longer than the rest."""
    for part in parts.values():
        whole = part.whole
        empty = [place for place, text in enumerate(whole) if not text.strip()]
        damaged = [place for place, text in enumerate(whole) if is_damaged(text)]
        marked = [place for place, text in enumerate(whole) if _MARKUP.search(text)]
        yield from _told(
            part, "empty texts", "error", empty, "hold no text: nothing can be said about them. Remove them"
        )
        yield from _told(
            part,
            "damaged text",
            "warning",
            damaged,
            "hold characters that come from reading a file in the wrong encoding. Export it again, or give "
            "data.encoding",
        )
        yield from _told(
            part,
            "markup",
            "note",
            marked,
            "hold HTML: a model learns from the page it came from. Take it out, unless the texts to come have it too",
        )
        yield from _lengths(part)


def is_damaged(text: str) -> bool:
    """Return whether a text was decoded wrongly: replaced or control characters, or UTF-8 read as another encoding."""
    return bool(_REPLACED.search(text) or _CONTROL.search(text)) or (
        _TWICE.search(text) is not None and _reads_as_utf8(text)
    )


def _reads_as_utf8(text: str) -> bool:
    """Return whether some characters beyond ASCII, put back into bytes, are UTF-8: no language writes like that."""
    for run in re.findall("[^\x00-\x7f]+", text):
        for encoding in ("cp1252", "latin-1"):
            try:
                run.encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
            return True
    return False


def _lengths(part: AuditPart) -> Iterator[Finding]:
    lengths = np.array([len(text) for text in part.whole])
    if not len(lengths):
        return
    middle = int(np.median(lengths))
    far = np.flatnonzero((lengths > FAR * middle) & (lengths > LONG)).tolist()
    if far:
        yield finding(
            "very long texts",
            "note",
            [
                f"{part.ids[place]}: {lengths[place]:,} characters: {shortened(part.whole[place])}"
                for place in far[:SHOWN]
            ],
            f"these texts of {part.name} are more than {FAR} times as long as the median ({middle:,} characters): they "
            "may be several in one, after a missing line end or quote",
            len(far),
        )


def _told(part: AuditPart, check: str, severity: Severity, places: list[int], advice: str) -> Iterator[Finding]:
    if places:
        shown = [f"{part.ids[place]}: {shortened(part.whole[place])}" for place in places[:SHOWN]]
        yield finding(check, severity, shown, f"these texts of {part.name} {advice}", len(places))
