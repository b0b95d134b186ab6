"""Evaluation in parts: batches are added, shards are merged, and the scores are those of one pass, exactly."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any

import numpy as np

from truetune.data.record import Record
from truetune.errors import DataError
from truetune.evaluation.batches import Batch, Given, check_length, read_batch
from truetune.evaluation.beside import Apart, added, apart_findings
from truetune.evaluation.cells import Cell, ordered_cells
from truetune.evaluation.doctor.case import Case
from truetune.evaluation.doctor.examine import found_in, in_order, told
from truetune.evaluation.doctor.sample import Sample
from truetune.evaluation.evaluate import Asked, Counted, EvaluationResult, result_of
from truetune.evaluation.families import Fields, applicable, expanded, sharing
from truetune.evaluation.ids import Ids, id_keys
from truetune.evaluation.tally import Tally, pile_up
from truetune.metric import Metric, PerLabel, RowsByConvention, Seen
from truetune.rows import Rows
from truetune.stats.plan import Plan
from truetune.tasks.base import Scoring, Task
from truetune.tasks.table import task_named
from truetune.tasks.tokenized import tokenized
from truetune.types import Column, Score

ONLY = ""
"""The convention of rows that depend on none."""


@dataclass
class FamilyState:
    """What is kept of the examples for metrics that share rows."""

    piles: dict[str, list[Tally]] | None = None
    """Convention -> tallies whose merge is the tally of all examples."""
    seen: Seen = field(default_factory=Counter)
    """What the choice of a convention rests on."""

    def add(self, parts: Mapping[str, Tally], seen: Seen) -> None:
        """Take the tallies of more examples; a convention that does not fit them all is dropped."""
        self.seen.update(seen)
        before = {name: [] for name in parts} if self.piles is None else self.piles
        self.piles = {name: pile for name, pile in before.items() if name in parts}
        for name, pile in self.piles.items():
            pile_up(pile, parts[name], len, Tally.merged)

    def parts(self) -> dict[str, Tally]:
        """Return the tally of all examples under each convention that fits them."""
        return {name: reduce(Tally.merged, pile) for name, pile in (self.piles or {}).items()}


class Evaluation:
    """An evaluation that takes examples batch by batch, on one machine or on many.

    `task` and `plan` are as in `truetune.evaluate`; `group` and `slice` name columns of gold records; `metrics`
    names the wanted ones (default: all that apply). Batches may come in any order and any size, and shards be
    merged in any order: the scores equal those of one pass over all examples, to the last digit.

    Nothing is kept of an example but its id in 16 bytes and its distinct row (and the first 5,000 as they are, for the
    doctor, whose findings are about them and depend on which came first): the counts of labels, spans and
    tokens take the same memory for a thousand and for a billion examples (with groups: for each group). Rows of
    continuous numbers are hardly ever equal, so that metrics of scores or lengths keep one row an example; see
    the page on streaming for the list, and name `metrics` to leave them out. Comparing systems needs the rows of
    both example by example: it cannot be done in constant memory, and is not done here.

    An evaluation can be pickled, so that processes can hand theirs over.
    """

    def __init__(
        self,
        task: str | Task,
        *,
        group: str | None = None,
        slice: str | None = None,
        metrics: Sequence[str] | None = None,
        plan: Plan | None = None,
    ) -> None:
        known = task_named(task)
        self.task, self._tokenizer = known.name, known.tokenizer
        self._group = group
        self._asked = Asked(None if metrics is None else tuple(metrics), slice, plan or Plan())
        self._ids = Ids()
        self._shape: dict[str, str] = {}
        self._example: tuple[Fields, Fields] | None = None
        self._cells: dict[Cell, int] = {}
        self._families: list[FamilyState] = []
        self._odd: Seen = Counter()
        self._sample = Sample()
        self._apart: Apart = {}

    def __len__(self) -> int:
        """How many examples were added."""
        return len(self._ids)

    def _settings(self) -> dict[str, object]:
        """Return what all shards of one evaluation share."""
        own = {"task": self.task, "tokenizer": self._tokenizer, "group": self._group}
        plan = self._asked.plan
        asked = {"slice": self._asked.slice_by, "metrics": ", ".join(self._asked.names or ())}
        named = {name: value or "not named" for name, value in (own | asked).items()}
        return named | {"level": plan.level, "resamples": plan.resamples, "seed": plan.seed}

    def add(
        self,
        ids: Sequence[Any],
        gold: Sequence[Any],
        predicted: Sequence[Any],
        scores: Sequence[Any] | None = None,
        groups: Sequence[Any] | None = None,
    ) -> None:
        """Count a batch of examples: lists or arrays with one item an example, in the same order.

        `gold` and `predicted` have the form that they have in `truetune.evaluate`: values, or records. `scores`
        holds one mapping {label: score} an example, `groups` one group. An empty batch changes nothing. Raises
        `DataError` for an id that was counted before, here or in a merged shard, for bad values, and for other
        fields or score labels than before; a batch that raises is not counted at all.
        """
        given = Given(ids, gold, predicted, scores)
        check_length(len(ids), groups, "groups")
        self._add(*given.records(self._scoring), groups)

    def add_records(self, gold: Sequence[Record], predicted: Sequence[Record]) -> None:
        """Count a batch of examples as files hold them, each with its `id`, in the same order; as `add`."""
        self._add(gold, predicted, None)

    def _add(self, gold: Sequence[Record], predicted: Sequence[Record], groups: Sequence[Any] | None) -> None:
        if not gold:
            return
        scoring = self._scoring
        batch = read_batch(scoring, gold, predicted, self._group if groups is None else groups, self._asked.slice_by)
        keys = id_keys(batch.ids)
        self._ids.check_new(keys, "this batch")
        self._check_shape(batch.shape)
        example = _first(batch.gold), _first(batch.predicted)
        metrics = sharing(applicable(scoring, *example, self._asked.names))
        found = tallies(metrics, batch)
        odd = scoring.oddities.seen(batch.gold, batch.predicted) if scoring.oddities else Counter()
        self._example, self._shape = self._example or example, dict(batch.shape)
        self._ids.add(keys)
        self._apart = added(self._apart, batch.apart)
        self._sample.add(Case(self.task, batch.ids, batch.gold, batch.predicted, batch.others))
        self._count(batch.cells, found, odd)

    def merge(self, other: Evaluation) -> None:
        """Count the examples of another shard, which stays as it is.

        Raises `DataError` for examples that both have counted, and for shards of other tasks, fields, score
        labels or settings; then nothing is counted.
        """
        mine, theirs = self._settings(), other._settings()
        apart = [f"{name} is {mine[name]} here and {theirs[name]} there" for name in mine if mine[name] != theirs[name]]
        if apart:
            raise DataError(f"shards of different evaluations cannot be merged: {'; '.join(apart)}. Make all alike")
        if other._example is None:
            return
        keys = other._ids.all()
        self._ids.check_new(keys, "the other shard")
        self._check_shape(other._shape)
        self._example, self._shape = self._example or other._example, dict(other._shape)
        self._ids.add(keys)
        self._apart = added(self._apart, other._apart)
        self._sample.merge(other._sample)
        self._count(list(other._cells), [(state.parts(), state.seen) for state in other._families], other._odd)

    @property
    def read_twice(self) -> set[str]:
        """The fields that gold and predicted both have; empty before the first example."""
        gold, predicted = self._example or ({}, {})
        return gold.keys() & predicted.keys()

    def result(self) -> EvaluationResult:
        """Return what `truetune.evaluate` returns for all examples together; more may be added afterwards.

        Raises `DataError` without an example.
        """
        if self._example is None:
            raise DataError("no example was added; add at least one batch before asking for scores")
        scoring, task = self._scoring, self._known
        cells, place = ordered_cells(list(self._cells))
        found = []
        metrics = sharing(applicable(scoring, *self._example, self._asked.names))
        for members, state in zip(metrics, self._families, strict=True):
            rows, cell_of = decided(members[0], state).in_cells(place).examples()
            found.append(Counted(expanded(members, rows.labels), rows, cell_of))
        odd = scoring.oddities.told(self._odd) if scoring.oddities else ()
        beside = apart_findings(self._apart, len(self), "predicted")
        seen = found_in(replace(self._sample.case(self.task), tokenizer=self._tokenizer))
        findings = in_order([*beside, *seen])
        result = result_of(task, found, cells, self._asked, (*told(findings), *odd))
        return replace(result, findings=findings)

    def scores(self) -> tuple[Score, ...]:
        """Return the scores of all examples together, each with its interval."""
        return self.result().scores

    @property
    def _known(self) -> Task:
        return tokenized(self.task, self._tokenizer) if self._tokenizer else task_named(self.task)

    @property
    def _scoring(self) -> Scoring:
        return self._known.scoring

    def _check_shape(self, shape: Mapping[str, str]) -> None:
        for what, found in shape.items():
            if self._shape.get(what, found) != found:
                raise DataError(
                    f"{what} are {found} here, and were {self._shape[what]} before; expected the same in all batches "
                    "and shards; nothing was added"
                )

    def _count(self, cells: Sequence[Cell], found: Sequence[tuple[Mapping[str, Tally], Seen]], odd: Seen) -> None:
        """Take the tallies of each family over `cells`."""
        place = np.array([self._cells.setdefault(cell, len(self._cells)) for cell in cells], dtype=np.int64)
        self._families = self._families or [FamilyState() for _ in found]
        for state, (parts, seen) in zip(self._families, found, strict=True):
            state.add({name: tally.in_cells(place) for name, tally in parts.items()}, seen)
        self._odd.update(odd)


def tallies(families: Sequence[Sequence[Metric | PerLabel]], batch: Batch) -> list[tuple[dict[str, Tally], Seen]]:
    """Return, for each family, the tally of a batch under each convention, and what the choice of one rests on."""
    known: dict[Callable[[Column, Column], Seen], Seen] = {}
    found = []
    for first, *_ in families:
        rows, gold, predicted = first.rows, batch.gold[first.gold], batch.predicted[first.predicted]
        if isinstance(rows, RowsByConvention):
            if rows.seen not in known:
                known[rows.seen] = rows.seen(gold, predicted)
            seen = known[rows.seen]
            names = rows.possible(seen) or [rows.decided(seen)]
            parts: Mapping[str, Rows] = rows.under(gold, predicted, names)
        else:
            seen, parts = Counter(), {ONLY: rows(gold, predicted)}
        found.append(({name: Tally.of(part, batch.cell_of) for name, part in parts.items()}, seen))
    return found


def decided(first: Metric | PerLabel, state: FamilyState) -> Tally:
    """Return the tally of all examples under the convention that they decide together."""
    piles = state.piles or {}
    name = first.rows.decided(state.seen) if isinstance(first.rows, RowsByConvention) else ONLY
    return reduce(Tally.merged, piles[name])


def _first(columns: Fields) -> Fields:
    return {name: column[:1] for name, column in columns.items()}
