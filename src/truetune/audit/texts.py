"""Texts: broken encodings and offsets at white space."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from truetune.audit.parts import AuditPart, Parts, shortened
from truetune.types import Finding, Span

_BROKEN = re.compile("\ufffd|锟斤拷|烫烫烫|Ã[\u0080-\u00bf]|â€[\u0080-\u00ff™œ]|[\x00-\x08\x0b\x0c\x0e-\x1f]")
"""Replacement characters, UTF-8 read as another encoding, control characters."""


def text_findings(parts: Parts) -> Iterator[Finding]:
    """Yield texts that were damaged on the way, and spans that begin or end in white space or overlap."""
    for part in parts.values():
        broken = [place for place, text in enumerate(part.whole) if _BROKEN.search(text)]
        if broken:
            yield Finding(
                check="damaged text",
                severity="warning",
                count=len(broken),
                examples=tuple(f"{part.ids[place]}: {shortened(part.whole[place])}" for place in broken[:5]),
                advice=f"{part.name} holds characters that come from reading a file in the wrong encoding. Export it "
                "again, or give data.encoding",
            )
        yield from _spans(part)


def _spans(part: AuditPart) -> Iterator[Finding]:
    if part.gold is None or not any(spans and isinstance(spans[0], Span) for spans in part.gold):
        return
    loose, overlapping = [], []
    for place, (text, spans) in enumerate(zip(part.texts[0], part.gold, strict=True)):
        ordered = sorted(spans)
        for span in ordered:
            if text[span.start : span.end] != text[span.start : span.end].strip():
                loose.append(f"{part.ids[place]}: {text[span.start : span.end]!r} ({span.type})")
        for first, second in pairwise(ordered):
            if second.start < first.end:
                overlapping.append(f"{part.ids[place]}: {text[first.start : second.end]!r}")
    for check, found, advice in (
        ("spans with white space at their border", loose, "a model that finds the entity itself is counted wrong"),
        ("overlapping spans", overlapping, "a flat tagger can find only one of two overlapping spans"),
    ):
        if found:
            yield Finding(check, "warning", len(found), tuple(found[:5]), f"in {part.name}: {advice}. Correct them")
