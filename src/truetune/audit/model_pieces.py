"""What a model's tokenizer makes of the texts: what is longer than one input, and what it does not know."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from truetune.audit.parts import SHOWN, AuditPart, finding, shortened
from truetune.audit.truncation import cuts, shortest_room
from truetune.types import Finding, Ints, Pieces, Span, Tokenizer

AT_ONCE = 1024
"""Texts that are in memory as pieces."""
UNKNOWN, FOREIGN = 0.01, 0.2
"""Shares of unknown pieces from which they are a warning, and an error: the model was made for other texts."""
NONE = np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Reader:
    """How a model reads."""

    tokenizer: Tokenizer
    unknown: int | None
    """The id of what it does not know; None where it knows every character."""
    windows: bool
    """Whether longer texts are read in windows; else they are cut."""


@dataclass
class _Seen:
    """What was counted over the texts of a part."""

    pieces: list[int] = field(default_factory=list)
    gold_ends: list[int] = field(default_factory=list)
    unknown: int = 0
    unknown_texts: int = 0
    unread_gold: int = 0
    strings: Counter[str] = field(default_factory=Counter)


def piece_findings(part: AuditPart, reader: Reader) -> Iterator[Finding]:
    """Yield texts, and gold in them, that do not fit into one input of a model, and characters that it cannot read."""
    seen = _seen(part, reader)
    yield from _too_long(part, reader, seen)
    yield from _unknown(part, seen)


def _seen(part: AuditPart, reader: Reader) -> _Seen:
    seen = _Seen()
    for start in range(0, len(part.ids), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        columns = [(texts, reader.tokenizer.pieces(texts)) for texts in (list(column[some]) for column in part.texts)]
        ends = _ends(part, some)
        for place, cut in enumerate(zip(*(found for _, found in columns), strict=True)):
            seen.pieces.append(sum(len(one.ids) for one in cut))
            first = cut[0]
            beside = seen.pieces[-1] - len(first.ids)  # A question is read whole; its passage is what is cut.
            seen.gold_ends += (np.searchsorted(first.starts, ends[place]) + beside).tolist() if ends else []
            unknown = [np.flatnonzero(one.ids == reader.unknown) for one in cut]
            number = sum(map(len, unknown))
            if not number:
                continue
            seen.unknown += number
            seen.unknown_texts += 1
            for (texts, _), one, places in zip(columns, cut, unknown, strict=True):
                seen.strings.update(texts[place][one.starts[at] : one.ends[at]] for at in places.tolist())
            seen.unread_gold += _unread(part, start + place, first, reader.unknown)
    return seen


def _ends(part: AuditPart, some: slice) -> list[Ints]:
    """Return where each gold span (or answer) of some examples ends, in characters; empty where gold has none."""
    if part.mentions is not None:
        return [np.array([start + len(said) for start, said in one], dtype=np.int64) for one in part.mentions[some]]
    gold = part.gold[some] if part.gold is not None else []
    if not any(isinstance(item, Span) for value in gold for item in _items(value)):
        return []
    return [np.array([span.end for span in _items(value)], dtype=np.int64) for value in gold]


def _unread(part: AuditPart, place: int, pieces: Pieces, unknown: int | None) -> int:
    """Return how many gold spans of an example have nothing but unknown pieces in them."""
    gold = _items(part.gold[place]) if part.gold is not None else ()
    found = 0
    for span in gold:
        if isinstance(span, Span):
            inside = (pieces.starts < span.end) & (pieces.ends > span.start)
            found += bool(inside.any() and (pieces.ids[inside] == unknown).all())
    return found


def _items(value: object) -> Sequence[Span]:
    return value if isinstance(value, list | tuple) else ()


def _too_long(part: AuditPart, reader: Reader, seen: _Seen) -> Iterator[Finding]:
    frame = reader.tokenizer.wrapped(NONE, NONE if len(part.texts) > 1 else None)[0]
    room = reader.tokenizer.max_length - len(frame)
    pieces = np.array(seen.pieces, dtype=np.int64)
    (lost,) = cuts(pieces, np.array(seen.gold_ends, dtype=np.int64), [room])
    if not lost.texts:
        return
    longest = np.argsort(-pieces, kind="stable")[: min(SHOWN, lost.texts)]
    shown = [f"{part.ids[place]} ({pieces[place]:,})" for place in longest.tolist()]
    told = f"{lost.texts / len(pieces):.1%} of the texts of {part.name} have more than the {room:,} pieces of one input"
    gold = f" and {lost.gold_share:.1%} of gold ({lost.gold:,} spans)" if lost.gold else ""
    whole = f"{shortest_room(pieces) + len(frame):,} pieces hold 99% of the texts whole"
    if reader.windows:
        yield finding(
            "texts longer than one input",
            "note",
            shown,
            f"{told}: they are read in windows. Who cuts them loses {lost.pieces:.1%} of all pieces{gold}; {whole}",
            lost.texts,
            parts=(part.name,),
        )
        return
    yield finding(
        "texts that are cut",
        "warning",
        shown,
        f"{told}: {lost.pieces:.1%} of all pieces{gold} are never read, and what stands there can only be guessed; "
        f"{whole} (model.max_length). Shorten the texts, or choose a model that reads more",
        lost.texts,
        parts=(part.name,),
    )


def _unknown(part: AuditPart, seen: _Seen) -> Iterator[Finding]:
    share = seen.unknown / max(sum(seen.pieces), 1)
    if not seen.unknown:
        return
    shown = [f"{shortened(text) or 'white space'!r} ({number:,})" for text, number in seen.strings.most_common(SHOWN)]
    gold = f"; {seen.unread_gold:,} gold spans have nothing else in them" if seen.unread_gold else ""
    texts = seen.unknown_texts / len(part.ids)
    told = f"{share:.2%} of the pieces of {part.name}, in {texts:.1%} of the texts, are none that the model knows{gold}"
    if share >= FOREIGN:
        yield finding(
            "model of another language",
            "error",
            shown,
            f"{told}: it was not made for such texts, and all of these are the same to it. Choose a model that was",
            seen.unknown,
            parts=(part.name,),
        )
        return
    yield finding(
        "pieces unknown to the model",
        "warning" if share >= UNKNOWN or seen.unread_gold else "note",
        shown,
        f"{told}: all of these are the same to it. Replace rare signs by ones that it knows, or choose another model",
        seen.unknown,
        parts=(part.name,),
    )
