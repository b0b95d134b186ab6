"""Do predicted spans, or gold spans, stop at a place behind which texts go on? Then texts were cut."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

from truetune.evaluation.doctor.case import Case, finding
from truetune.types import Finding, Span

CHANCE = 1e-6
"""What must be less probable than this by chance."""
FEWEST = 10


def reach_findings(case: Case) -> Iterator[Finding]:
    """Yield gold spans behind the last place at which any span was predicted, and texts whose gold stops early.

    The first is told of where a system with the recall that it has before that place would hardly miss them all; the
    second where gold of the density that it has before its last place would hardly be absent behind it.
    """
    columns = case.both("spans")
    if columns is None:
        return
    gold, predicted = columns
    reach = max((span.end for spans in predicted for span in spans), default=0)
    behind = [(place, span) for place, spans in enumerate(gold) for span in spans if span.start >= reach]
    hits = sum(len(set(right) & set(said)) for right, said in zip(gold, predicted, strict=True))
    before = sum(map(len, gold)) - len(behind)
    recall = hits / before if before else 0.0
    if len(behind) >= FEWEST and recall > 0 and len(behind) * math.log(max(1 - recall, 1e-9)) < math.log(CHANCE):
        yield finding(
            "no span behind a place",
            "error",
            len(behind),
            [case.shown(place, f"gold {tuple(span)}") for place, span in behind],
            f"no span is predicted behind character {reach:,} of any text, and {len(behind):,} gold spans stand there: "
            "texts were cut at the model's longest input. Read them in windows; what was cut counts as missed",
        )
    if "text" in case.gold:
        yield from _gold_stops(case, gold)


def _gold_stops(case: Case, gold: Sequence[Sequence[Span]]) -> Iterator[Finding]:
    texts = case.gold["text"]
    reach = max((span.end for spans in gold for span in spans), default=0)
    number = sum(map(len, gold))
    read = sum(min(len(text), reach) for text in texts)
    unread = [place for place, text in enumerate(texts) if len(text) > reach]
    left = sum(len(texts[place]) - reach for place in unread)
    expected = number / read * left if read else 0.0
    if number >= FEWEST and len(unread) >= FEWEST and expected > 2 * -math.log(CHANCE):
        yield finding(
            "gold stops before the texts do",
            "error",
            len(unread),
            [case.shown(place, "…" + texts[place][reach : reach + 60]) for place in unread],
            f"no gold span stands behind character {reach:,} of any text, where about {expected:,.0f} would be "
            "expected: gold was cut with the texts, so that what was cut does not count as missed. Score against "
            "whole gold",
        )
