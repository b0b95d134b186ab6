"""Gold spans: outside their text, at white space, inside words, twice, over one another."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from truetune.audit.parts import SHOWN, AuditPart, Parts, Severity, finding
from truetune.text import is_cjk
from truetune.types import Finding, Span

OVERLAPPING = "overlapping spans"
CHECKS: tuple[tuple[str, Severity, str], ...] = (
    ("spans outside their text", "error", "offsets count characters (not bytes), from 0, the end exclusive"),
    ("spans with white space at their border", "warning", "a model that finds the entity itself is counted wrong"),
    (
        "spans that cut a word",
        "warning",
        "the offsets may count something else than characters, or include the last one",
    ),
    ("spans given twice", "warning", "each copy can be found only once, so one is always missed"),
    (OVERLAPPING, "warning", "a flat tagger can find only one of two overlapping spans"),
)


def span_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what is wrong with the spans of parts whose gold is spans."""
    for part in parts.values():
        if part.gold is not None and any(isinstance(one, Span) for spans in part.gold for one in _items(spans)):
            yield from _of_part(part)


def _of_part(part: AuditPart) -> Iterator[Finding]:
    faults: dict[str, list[str]] = {}
    counts = dict.fromkeys((check for check, _, _ in CHECKS), 0)
    for name, text, spans in zip(part.ids, part.texts[0], part.gold or (), strict=True):
        for check, span in _faults(text, sorted(_items(spans))):
            counts[check] += 1
            if counts[check] <= SHOWN:
                faults.setdefault(check, []).append(f"{name}: {text[span.start : span.end]!r} {tuple(span)}")
    for check, severity, advice in CHECKS:
        if counts[check] and not (part.nested and check == OVERLAPPING):
            yield finding(
                check,
                severity,
                faults[check],
                f"in {part.name}: {advice}. Correct them",
                counts[check],
                parts=(part.name,),
            )


def _faults(text: str, spans: Sequence[Span]) -> Iterator[tuple[str, Span]]:
    end = 0
    before: Span | None = None
    for span in spans:
        inside = text[span.start : span.end]
        if not 0 <= span.start < span.end <= len(text):
            yield "spans outside their text", span
        elif inside != inside.strip():
            yield "spans with white space at their border", span
        elif _cuts(text, span.start) or _cuts(text, span.end):
            yield "spans that cut a word", span
        if span == before:
            yield "spans given twice", span
        elif span.start < end:
            yield OVERLAPPING, span
        end, before = max(end, span.end), span


def _cuts(text: str, place: int) -> bool:
    """Return whether letters of one word stand on both sides of a place; CJK characters are words by themselves."""
    if not 0 < place < len(text):
        return False
    left, right = text[place - 1], text[place]
    return left.isalpha() and right.isalpha() and not is_cjk(left) and not is_cjk(right)


def _items(spans: object) -> Sequence[Span]:
    return spans if isinstance(spans, list | tuple) else ()
