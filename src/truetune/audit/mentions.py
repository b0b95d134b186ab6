"""Answers with offsets: what is said to stand in a text must stand there."""

from __future__ import annotations

from collections.abc import Iterator

from truetune.audit.parts import SHOWN, Parts, finding, shortened
from truetune.types import Finding


def mention_findings(parts: Parts) -> Iterator[Finding]:
    """Yield what does not stand where it is said to: elsewhere in the text, or nowhere in it."""
    for part in parts.values():
        if part.mentions is None:
            continue
        moved: list[str] = []
        absent: list[str] = []
        for name, text, mentions in zip(part.ids, part.texts[0], part.mentions, strict=True):
            for start, said in mentions:
                there = text[start : start + len(said)] if start >= 0 else ""
                if there == said:
                    continue
                if said and said in text:
                    nearest = min(places_of(text, said), key=lambda place: abs(place - start))
                    moved.append(f"{name}: {shortened(said)!r} {start} → {nearest}")
                else:
                    instead = f" ≠ {shortened(there)!r} ({start})" if there else ""
                    absent.append(f"{name}: {shortened(said)!r}{instead}")
        if moved:
            yield finding(
                "offsets that miss their text",
                "error",
                moved[:SHOWN],
                f"answers of {part.name} stand elsewhere in their text: a model would be taught other words. Correct "
                "the offsets (count characters, from 0), or leave these out",
                len(moved),
                parts=(part.name,),
            )
        if absent:
            yield finding(
                "answers that are not in the text",
                "error",
                absent[:SHOWN],
                f"answers of {part.name} do not stand in their text as they are written: no span is right. Correct "
                "them, or leave these out",
                len(absent),
                parts=(part.name,),
            )


def places_of(text: str, said: str) -> Iterator[int]:
    """Yield each place of a text at which something stands."""
    place = text.find(said)
    while place >= 0:
        yield place
        place = text.find(said, place + 1)
