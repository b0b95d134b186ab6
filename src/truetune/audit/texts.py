"""Texts: empty ones, ones damaged on the way, ones of another size than the rest."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator

import numpy as np

from truetune.audit.parts import SHOWN, AuditPart, Parts, Severity, finding, shortened
from truetune.data.stored import values_at
from truetune.types import Finding, Ints

_REPLACED = re.compile("\ufffd|锟斤拷|烫烫烫|屯屯屯")
"""What decoders put for bytes that they cannot read, and what that becomes when it is read as GBK."""
CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f]")
TWICE = re.compile("[\u00c2-\u00f4][\u0080-\u00bf\u0152-\u0178\u02c6\u02dc\u2013-\u203a\u20ac\u2122]")
"""A first and a second byte of UTF-8, read as cp1252 or latin-1."""
_MARKUP = re.compile(r"&(?:[a-z]{2,8}|#\d{2,5}|#x[0-9a-fA-F]{2,5});|</?(?:br|p|div|span|a|b|i|img)(?:\s[^<>]*)?/?>")

INVISIBLE = re.compile("[\u00ad\u200b\u200e\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff\U000e0000-\U000e007f]")
"""Characters that nobody sees; joiners are none of them, for emoji and some scripts are written with them."""
_UNSEEN = re.compile(f"{CONTROL.pattern}|{INVISIBLE.pattern}")
_ESCAPES = re.compile(r"\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}")

FAR = 20
"""How many times longer than the median, and at least `LONG` characters, a text must be to be told."""
LONG = 1000
BEFORE = 20
"""Characters that are shown before a fault."""


def text_findings(parts: Parts) -> Iterator[Finding]:
    """Yield texts that are empty or damaged, that carry markup, or that are far longer than the rest."""
    for part in parts.values():
        counts = dict.fromkeys((name for name, _, _, _ in CHECKS), 0)
        shown: dict[str, list[str]] = {name: [] for name in counts}
        lengths = np.zeros(len(part.ids), dtype=np.int64)
        for place, text in enumerate(part.whole):
            lengths[place] = len(text)
            for name, _, found, _ in CHECKS:
                fault = found(text)
                if fault is not None:
                    counts[name] += 1
                    if counts[name] <= SHOWN:
                        shown[name].append(f"{part.ids[place]}: {around(text, fault)}")
        for name, severity, _, advice in CHECKS:
            if counts[name]:
                yield finding(
                    name,
                    severity,
                    shown[name],
                    f"these texts of {part.name} {advice}",
                    counts[name],
                    parts=(part.name,),
                )
        yield from _lengths(part, lengths)


def damage(text: str) -> int | None:
    """Return where a text was decoded wrongly: replaced or control characters, or UTF-8 read as another encoding."""
    if text.isascii() and text.isprintable():
        return None
    places = [match.start() for match in (_REPLACED.search(text), CONTROL.search(text)) if match]
    if places:
        return min(places)
    return _misread(text) if TWICE.search(text) else None


def _misread(text: str) -> int | None:
    """Return where some characters beyond ASCII, put back into bytes, are UTF-8: no language writes like that."""
    for run in re.finditer("[^\x00-\x7f]+", text):
        for encoding in ("cp1252", "latin-1"):
            try:
                run[0].encode(encoding).decode("utf-8")
            except UnicodeError:
                continue
            return run.start()
    return None


def _markup(text: str) -> int | None:
    return _begin(_MARKUP.search(text)) if "<" in text or "&" in text else None


def _invisible(text: str) -> int | None:
    """Return where a text holds a character that nobody sees: zero width, soft hyphens, marks of direction."""
    return None if text.isascii() else _begin(INVISIBLE.search(text))


def _apart(text: str) -> int | None:
    if unicodedata.is_normalized("NFC", text):
        return None
    composed = unicodedata.normalize("NFC", text)
    pairs = enumerate(zip(text, composed, strict=False))
    return None if composed == text else next((place for place, (one, other) in pairs if one != other), 0)


def _escapes(text: str) -> int | None:
    return _begin(_ESCAPES.search(text)) if "\\" in text else None


def _empty(text: str) -> int | None:
    return None if text.strip() else 0


def _begin(match: re.Match[str] | None) -> int | None:
    return match.start() if match else None


def around(text: str, place: int) -> str:
    """Return what stands around a place of a text, short enough for a list of examples; what nobody sees as escapes."""
    begin = place - BEFORE if place > 2 * BEFORE else 0
    seen = _UNSEEN.sub(lambda one: f"\\u{ord(one[0]):04x}", text[begin:])
    return ("…" if begin else "") + shortened(seen)


CHECKS: tuple[tuple[str, Severity, Callable[[str], int | None], str], ...] = (
    ("empty texts", "error", _empty, "hold no text: nothing can be said about them. Remove them"),
    (
        "damaged text",
        "warning",
        damage,
        "hold characters that come from reading a file in the wrong encoding. Export it again, or give data.encoding",
    ),
    (
        "invisible characters",
        "note",
        _invisible,
        "hold characters that nobody sees: words with them are other words to a model. Take them out",
    ),
    (
        "characters not composed",
        "note",
        _apart,
        "hold characters that Unicode writes in another, composed form (NFC): they look the same and are other pieces "
        "to a model. Compose them",
    ),
    (
        "escapes written out",
        "note",
        _escapes,
        "hold characters as their escapes (a backslash, u and four digits), written twice on the way. Decode them",
    ),
    (
        "markup",
        "note",
        _markup,
        "hold HTML: a model learns from the page it came from. Take it out, unless the texts to come have it too",
    ),
)


def _lengths(part: AuditPart, lengths: Ints) -> Iterator[Finding]:
    if not len(lengths):
        return
    middle = int(np.median(lengths))
    far = np.flatnonzero((lengths > FAR * middle) & (lengths > LONG))
    if len(far):
        shown = far[:SHOWN]
        texts = zip(values_at(part.ids, shown), lengths[shown], values_at(part.whole, shown), strict=True)
        yield finding(
            "very long texts",
            "note",
            [f"{name} ({length:,}): {shortened(text)}" for name, length, text in texts],
            f"these texts of {part.name} are more than {FAR} times as long as the median ({middle:,} characters): they "
            "may be several in one, after a missing line end or quote",
            len(far),
            parts=(part.name,),
        )
