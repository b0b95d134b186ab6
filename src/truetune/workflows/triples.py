"""From texts to triples: entities by one model, the relation of each pair of them by another.

And the way back: texts whose triples are known, as marked pairs from which the second model learns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, permutations
from pathlib import Path
from typing import Any

import numpy as np

from truetune.data.parse import Field, parsed
from truetune.data.read import read
from truetune.errors import DataError, ModelError
from truetune.metrics.relations import Triple, is_directed, is_no_relation, is_turned, without_direction
from truetune.tasks.fields import as_text
from truetune.tasks.span_fields import as_gold_spans, as_gold_triples, check_inside
from truetune.types import Span
from truetune.workflows.predict import Model, load
from truetune.workflows.progress import Progress

AT_ONCE = 256
"""Texts whose pairs are in memory at a time."""


@dataclass(frozen=True)
class Extractor:
    """Two models, as one that says triples; raises ModelError for models of other tasks."""

    entities: Model
    """Of `ner`, `nested-ner` or `intent-slots`."""
    relations: Model
    """Of `relations`."""

    def __post_init__(self) -> None:
        if self.entities.task.name not in ("ner", "nested-ner", "intent-slots"):
            raise ModelError(
                f"the first model is of {self.entities.task.name}, which finds no entities; expected one of ner, "
                "nested-ner or intent-slots"
            )
        if self.relations.task.name != "relations":
            raise ModelError(f"the second model is of {self.relations.task.name}; expected one of relations")

    def extract(self, texts: Sequence[str], progress: Progress | None = None) -> Iterator[dict[str, Any]]:
        """Yield `spans` and `triples` (head, relation, tail) of each text.

        Every pair of entities at different places is asked about, in both orders; where labels tell the direction
        (`Cause-Effect(e2,e1)`), once, in the order of the text. "No relation" and what is left to people give none.
        The pair is marked as the second model learnt it: without types where its entities had none. `progress` is told
        of types that it never saw.
        """
        shown = progress or Progress(quiet=True)
        if unseen := self._unseen():
            shown.say(
                f"the second model learnt relations of {', '.join(self.relations.bundle.entities or ())}, and the "
                f"first finds {', '.join(unseen)} too: relations of these are guesses; learn both from the same texts"
            )
        starts = range(0, len(texts), AT_ONCE)
        for start in shown.over("extracting", starts, len(starts)):
            some = list(texts[start : start + AT_ONCE])
            said = self.entities.answers(self.entities.rows(some)) if some else []
            yield from self._related(some, [[Span(*span) for span in one["spans"]] for one in said])

    def _related(self, texts: Sequence[str], spans: Sequence[Sequence[Span]]) -> Iterator[dict[str, Any]]:
        directed, typed = is_directed(self.relations.bundle.labels), self.relations.bundle.entities != ()
        asked = [(place, pair) for place, some in enumerate(spans) for pair in pairs_of(some, directed)]
        rows = [
            {"text": texts[place], "head": list(head[: 2 + typed]), "tail": list(tail[: 2 + typed])}
            for place, (head, tail) in asked
        ]
        found: list[list[Triple]] = [[] for _ in texts]
        for (place, pair), answer in zip(asked, self.relations.answers(self.relations.rows(rows)), strict=True):
            label = answer.get("label")
            if isinstance(label, str) and not is_no_relation(label):
                head, tail = pair[::-1] if is_turned(label) else pair
                found[place].append((head, without_direction(label), tail))
        for some, triples in zip(spans, found, strict=True):
            yield {
                "spans": [list(span) for span in some],
                "triples": [[list(head), relation, list(tail)] for head, relation, tail in triples],
            }

    def _unseen(self) -> list[str]:
        """Return the types that the first model finds and the second never saw, where it saw any."""
        known, own = self.relations.bundle.entities, self.entities.bundle
        if not known:
            return []
        tags = own.tags or own.labels
        found = set(own.labels) if self.entities.task.name == "nested-ner" else {one[2:] for one in tags if one != "O"}
        return sorted(found - set(known))


def pairs_of(spans: Sequence[Span], directed: bool) -> Iterator[tuple[Span, Span]]:
    """Yield pairs of spans at different places: in both orders, or, `directed`, in the order of the text alone."""
    ordered = sorted(set(spans))
    for head, tail in combinations(ordered, 2) if directed else permutations(ordered, 2):
        if head[:2] != tail[:2]:
            yield head, tail


def extract(
    entities: str | Path, relations: str | Path, texts: Sequence[str], progress: Progress | None = None
) -> list[dict[str, Any]]:
    """Return the entities and triples of texts, by two runs or bundles; see `Extractor`."""
    return list(Extractor(load(entities), load(relations)).extract(texts, progress))


def extracted_file(extractor: Extractor, file: str, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield `id`, `spans` and `triples` of each text of a file."""
    columns = parsed(read(file), [(Field("text", as_text),)], file)
    for one, found in zip(columns.ids, extractor.extract(columns.fields["text"], progress), strict=True):
        yield {"id": one, **found}


@dataclass(frozen=True)
class Pairs:
    """Marked pairs made of texts with triples."""

    rows: list[dict[str, Any]]
    related: int
    """Pairs that have a relation."""
    several: int
    """Pairs that have more than one, of which the first is kept."""
    left_out: int
    """Pairs without a relation that were not drawn."""


def pairs_of_file(file: str, none: str, negatives: int | None, seed: int = 0) -> Pairs:
    """Return an example of `relations` for each pair of the entities of each text, in both orders.

    A file holds `text`, `triples`, and may hold `spans`, its entities; without them they are those of the triples.
    A pair without a triple has the label `none`; of such pairs at most `negatives` of a text are kept, drawn by seed.
    Raises `DataError` for a label `none` that the metrics do not take for "no relation".
    """
    if not is_no_relation(none):
        raise DataError(
            f"{none!r} is no name of the class without a relation; expected one such as no_relation or 无关系"
        )
    fields = (Field("text", as_text), Field("triples", as_gold_triples), Field("spans", as_gold_spans, required=False))
    columns = parsed(read(file), [fields], file)
    entities = columns.fields.get("spans")
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    related = several = left_out = 0
    for place, (one, text) in enumerate(zip(columns.ids, columns.fields["text"], strict=True)):
        triples: Sequence[Triple] = columns.fields["triples"][place]
        spans = {span for head, _, tail in triples for span in (head, tail)} | set(entities[place] if entities else ())
        try:
            check_inside(sorted(spans), text)
        except ValueError as error:
            raise DataError(f"{columns.places[place]}: {error}") from None
        known: dict[tuple[Span, Span], str] = {}
        for head, relation, tail in triples:
            several += (head, tail) in known
            known.setdefault((head, tail), relation)
        pairs = list(pairs_of(sorted(spans), directed=False))
        without = [pair for pair in pairs if pair not in known]
        drawn = rng.permutation(len(without))[:negatives].tolist()
        kept = {without[number] for number in drawn} | known.keys()
        related += len(pairs) - len(without)
        left_out += len(without) - len(drawn)
        rows += [
            {"id": f"{one}:{number}", "text": text, "head": list(head), "tail": list(tail), "label": label}
            for number, (head, tail, label) in enumerate(
                (*pair, known.get(pair, none)) for pair in pairs if pair in kept
            )
        ]
    return Pairs(rows, related, several, left_out)
