"""Recall of entities by how often training has them: what is known by heart, and what is recognised."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.stats.linearised import effective_wilson, linearised
from truetune.stats.plan import Plan
from truetune.types import Floats, Ints, Span

Texts = Sequence[str]
Spans = Sequence[Sequence[Span]]
STEPS = (("never", 0), ("rare", 1), ("often", 3))
"""Name, and how often at least an entity of that text and type stands in training."""


@dataclass(frozen=True)
class EntityRecall:
    """Gold entities that training has so often."""

    seen: str
    """`never`, `rare` (once or twice), `often`."""
    entities: int
    found: int
    recall: float
    low: float
    high: float
    examples: int
    """In which they stand; entities of one example (or group) depend on each other."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values: undefined numbers are None."""
        numbers = {name: float(getattr(self, name)) for name in ("recall", "low", "high")}
        return {
            "seen": self.seen,
            "entities": self.entities,
            "found": self.found,
            **{name: value if np.isfinite(value) else None for name, value in numbers.items()},
            "examples": self.examples,
        }


def entity_counts(texts: Iterable[str], spans: Iterable[Sequence[Span]]) -> Counter[tuple[str, str]]:
    """Return how often each entity, as text in small letters and type, stands in the training part."""
    return Counter(_entity(text, span) for text, own in zip(texts, spans, strict=True) for span in own)


def entity_recall(
    known: Counter[tuple[str, str]],
    test: tuple[Texts, Spans, Spans],
    groups: Ints | None,
    plan: Plan,
) -> tuple[EntityRecall, ...]:
    """Return strict recall (boundaries and type) of the gold entities of `test` (texts, gold, predicted), by step."""
    texts, gold, said = test
    hits, sizes = np.zeros((2, len(STEPS), len(texts)))
    for place, (text, golds, found) in enumerate(zip(texts, gold, said, strict=True)):
        right = set(found)
        for span in set(golds):
            times = known[_entity(text, span)]
            step = sum(times >= low for _, low in STEPS) - 1
            sizes[step, place] += 1
            hits[step, place] += span in right
    return tuple(_recall(name, hits[step], sizes[step], groups, plan) for step, (name, _) in enumerate(STEPS))


def _recall(name: str, hits: Floats, sizes: Floats, groups: Ints | None, plan: Plan) -> EntityRecall:
    entities, found, examples = int(sizes.sum()), int(hits.sum()), int((sizes > 0).sum())
    nothing = float("nan")
    if not entities:
        return EntityRecall(name, 0, 0, nothing, nothing, nothing, 0)
    if groups is not None:
        number = int(groups.max()) + 1
        hits = np.bincount(groups, weights=hits, minlength=number).astype(np.float64)
        sizes = np.bincount(groups, weights=sizes, minlength=number).astype(np.float64)
    recall = found / entities
    units = linearised((hits - recall * sizes) / entities, sizes / entities, np.ones(len(sizes)), recall)
    low, high = nothing, nothing
    if np.isfinite(units.standard_error):
        low, high = effective_wilson(units, float(entities), float((sizes > 0).sum()), plan.tail)
    return EntityRecall(name, entities, found, recall, low, high, examples)


def _entity(text: str, span: Span) -> tuple[str, str]:
    return text[span.start : span.end].casefold(), span.type
