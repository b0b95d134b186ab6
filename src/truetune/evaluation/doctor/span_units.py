"""Are the offsets of predicted spans counted in other units than characters: bytes of UTF-8, units of UTF-16?"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

from truetune.evaluation.doctor.case import Case, finding
from truetune.evaluation.doctor.span_places import EXAMPLES, LEAST, SHARE
from truetune.types import Finding, Span


def unit_findings(case: Case) -> Iterator[Finding]:
    """Yield predicted spans that are right once their offsets are read as bytes, or as units of UTF-16."""
    columns = case.both("spans")
    if columns is None or "text" not in case.gold:
        return
    gold, predicted = (side[:EXAMPLES] for side in columns)
    number = sum(map(len, predicted))
    for units, width in WIDTHS.items():
        hits, own, where = 0, 0, []
        for place, (right, said) in enumerate(zip(gold, predicted, strict=True)):
            known = set(right)
            own += len(known & set(said))
            text = case.gold["text"][place]
            if text.isascii() or not said:
                continue
            read = _read_as(said, _places(text, width))
            found = len(known & (read - set(said)))
            if found:
                hits += found
                where.append(place)
        if hits >= max(LEAST, SHARE * number) and 2 * hits > own:
            yield finding(
                "spans count other units",
                "error",
                hits,
                [case.shown(place, f"predicted {predicted[place]}, gold {gold[place]}") for place in where],
                f"{hits:,} predicted spans are right once their offsets are read as {units}, and {own:,} as they are: "
                "offsets count characters (code points), from 0",
            )
            return


def _places(text: str, width: Callable[[str], int]) -> Mapping[int, int]:
    """Return unit -> character at which a character begins; the end of the text is one too."""
    at, found = 0, {}
    for place, character in enumerate(text):
        found[at] = place
        at += width(character)
    found[at] = len(text)
    return found


def _read_as(spans: Sequence[Span], places: Mapping[int, int]) -> set[Span]:
    return {
        Span(places[span.start], places[span.end], span.type)
        for span in spans
        if span.start in places and span.end in places
    }


WIDTHS: Mapping[str, Callable[[str], int]] = {
    "bytes of UTF-8": lambda character: len(character.encode("utf-8", "surrogatepass")),
    "units of UTF-16": lambda character: 1 + (ord(character) > 0xFFFF),
}
