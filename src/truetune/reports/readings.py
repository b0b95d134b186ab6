"""A text with its spans marked, cut to the part where something is wrong."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from truetune.reports.content import Piece
from truetune.reports.visible import visible
from truetune.types import Span

ROOM, LEAD = 300, 60
"""Characters of an excerpt, and how many of them stand before the first span that is wrong."""


def excerpt(text: str, wrong: Sequence[Span]) -> tuple[int, int]:
    """Return start and end of the part to show: all of a short text, else from a little before the first
    wrong span.
    """
    if len(text) <= ROOM:
        return 0, len(text)
    first = min((span.start for span in wrong), default=0)
    start = max(0, min(first - LEAD, len(text) - ROOM))
    return start, min(len(text), start + ROOM)


def marked(
    text: str, spans: Sequence[Span], right: Collection[Span], part: tuple[int, int]
) -> tuple[tuple[Piece, ...], tuple[Span, ...]]:
    """Return the part's text with its spans as marked pieces, and the spans that could not be marked.

    Spans in `right` look correct, others wrong. A line of text marks spans one after the other: one that
    overlaps an earlier one, or that does not lie inside the part, is returned instead.
    """
    start, end = part
    pieces: list[Piece] = [Piece("… ")] if start else []
    left_out = []
    place = start
    for span in sorted(set(spans), key=lambda span: (span.start, -span.end, span.type)):
        if span.start < place or span.end > end or span.end <= span.start:
            left_out.append(span)
            continue
        if span.start > place:
            pieces.append(Piece(visible(text[place : span.start])))
        look = "right" if span in right else "wrong"
        pieces.append(Piece(visible(text[span.start : span.end]), span.type, look))
        place = span.end
    if place < end:
        pieces.append(Piece(visible(text[place:end])))
    if end < len(text):
        pieces.append(Piece(" …"))
    return tuple(pieces), tuple(left_out)


def cut(text: str, room: int = 1000) -> tuple[str, int]:
    """Return the text's beginning, visible, and how many characters were left out."""
    return visible(text[:room]), max(0, len(text) - room)
