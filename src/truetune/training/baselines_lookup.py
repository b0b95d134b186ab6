"""`all-O` and `lookup`: what named entity recognition reaches without a model."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from truetune.text import words
from truetune.training.baselines import Baseline, Candidate, Columns, Part, Score, chosen
from truetune.types import Span

PURITIES = (0.0, 0.25, 0.5, 0.75, 0.9)
"""The least share of a string's matches in the training texts that are that entity, tried on validation."""


class Seen(NamedTuple):
    """What training texts tell of an entity string."""

    type: str
    """Its most frequent type."""
    texts: int
    """How many texts have it as an entity."""
    purity: float
    """The share of its longest matches, wherever the string stands, that are this entity."""


@dataclass(frozen=True, slots=True)
class Gazetteer:
    """Entity strings with their type, indexed by their first word."""

    types: dict[str, str]
    longest: dict[str, int]
    """First word -> most words of an entity that begins with it."""

    @classmethod
    def of(cls, types: dict[str, str]) -> Gazetteer:
        """Index entity strings."""
        longest: dict[str, int] = defaultdict(int)
        for string in types:
            offsets = words(string)
            if offsets:
                first = string[slice(*offsets[0])]
                longest[first] = max(longest[first], len(offsets))
        return cls(types, dict(longest))

    def matches(self, text: str) -> list[Span]:
        """Return the entities found from left to right, at each word the longest one."""
        offsets = words(text)
        found: list[Span] = []
        place = 0
        while place < len(offsets):
            start = offsets[place][0]
            most = self.longest.get(text[slice(*offsets[place])], 0)
            step = 1
            for last in range(min(place + most, len(offsets)) - 1, place - 1, -1):
                end = offsets[last][1]
                if kind := self.types.get(text[start:end]):
                    found.append(Span(start, end, kind))
                    step = last - place + 1
                    break
            place += step
        return found


def all_outside(validation: Part, tests: int, score: Score) -> Baseline:
    """Return the baseline that finds nothing, for `tests` test texts: what token accuracy flatters."""
    nothing: Columns = {"spans": [[] for _ in validation.gold]}
    return chosen("all-O", [Candidate({}, nothing, {"spans": [[] for _ in range(tests)]})], validation.gold, score, ())


def lookup(train: Part, validation: Part, test_inputs: Sequence[str], score: Score) -> Baseline:
    """Return the longest matches of entities of the training part, each with its most frequent type.

    Inputs are texts, gold are character spans. Strings that are mostly no entity (`May`) are left out:
    how pure a string has to be is chosen on the validation part.
    """
    seen = entities_seen(train)

    def candidates() -> Iterator[Candidate]:
        for least in PURITIES:
            pure = {string: entity.type for string, entity in seen.items() if entity.purity >= least}
            matches = Gazetteer.of(pure).matches
            columns: list[Columns] = [
                {"spans": [matches(text) for text in texts]} for texts in (validation.inputs, test_inputs)
            ]
            yield Candidate({"purity": least, "entities": len(pure)}, *columns)

    return chosen("lookup", candidates(), validation.gold, score, ())


def entities_seen(train: Part) -> dict[str, Seen]:
    """Return what the training part knows of each entity string."""
    kinds: dict[str, Counter[str]] = defaultdict(Counter)
    texts: Counter[str] = Counter()
    for text, spans in zip(train.inputs, train.gold, strict=True):
        for start, end, kind in spans:
            kinds[text[start:end]][kind] += 1
        texts.update({text[start:end] for start, end, _ in spans})
    types = {string: min(counts, key=lambda kind: (-counts[kind], kind)) for string, counts in kinds.items()}
    matched: Counter[str] = Counter()
    right: Counter[str] = Counter()
    matches = Gazetteer.of(types).matches
    for text, spans in zip(train.inputs, train.gold, strict=True):
        gold = {tuple(span) for span in spans}
        for match in matches(text):
            string = text[match.start : match.end]
            matched[string] += 1
            right[string] += match in gold
    return {
        string: Seen(kind, texts[string], right[string] / matched[string] if matched[string] else 0.0)
        for string, kind in types.items()
    }
