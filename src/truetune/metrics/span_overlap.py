"""Lenient scores of spans, as nervaluate 1.2 defines them: partial boundaries, and type only.

Each predicted span, in order of place, takes one gold span that no earlier one took:

- partial: the first gold span with its boundaries (credit 1), else the first that it overlaps (1/2);
  types are not looked at;
- type: of the gold spans that it overlaps and that have its type the one with the nearest boundaries
  (credit 1), else it uses up the first that it overlaps (0).

An overlap is one of at least 1 % of the gold span. Taking is greedy, as in nervaluate: an earlier partial
match can use up the gold span that a later prediction meets exactly. Spans are put in order first, so
that the order in which a system lists them changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, RowsOf
from truetune.metrics.f_measures import quotient
from truetune.metrics.spans import Triple, tag_tables
from truetune.metrics.tag_readings import rows_by_reading
from truetune.rows import Rows
from truetune.tags import SpanTable
from truetune.types import Column, Floats, Numbers

HALVES, TYPES, GOLD, PREDICTED = range(4)
"""Statistics of a row: half credits for boundaries, credits for type, gold spans, predicted spans."""


def overlap_rows(gold: Column, predicted: Column) -> Rows:
    """Return `[distinct, 4]`: half credits, type credits, gold and predicted spans of each example."""
    if len(gold) != len(predicted):
        raise MetricError(f"gold has spans of {len(gold):,} examples, predicted of {len(predicted):,}")
    seen: dict[tuple[int, int, int, int], int] = {}
    index = np.fromiter(
        (
            seen.setdefault(_credits(sorted(set(golds)), sorted(set(found))), len(seen))
            for golds, found in zip(gold, predicted, strict=True)
        ),
        dtype=np.int64,
        count=len(gold),
    )
    return Rows(np.array(list(seen), dtype=np.int64).reshape(-1, 4), index)


def overlap_tag_rows(gold: Column, predicted: Column) -> Rows:
    """Return `[distinct, 4]` from tag sequences, read as conlleval (and nervaluate) does."""
    return _overlaps(*tag_tables(gold, predicted, "conll"))


def _overlaps(gold: SpanTable, predicted: SpanTable) -> Rows:
    return overlap_rows(gold.lists(), predicted.lists())


def _credits(golds: list[Triple], found: list[Triple]) -> tuple[int, int, int, int]:
    if golds == found:
        return 2 * len(golds), len(golds), len(golds), len(found)
    return _half_credits(golds, found), _type_credits(golds, found), len(golds), len(found)


def _half_credits(golds: Sequence[Triple], found: Sequence[Triple]) -> int:
    left, halves = list(golds), 0
    for start, end, _ in found:
        touched = None
        for gold in left:
            if gold[0] == start and gold[1] == end:
                touched, halves = gold, halves + 1
                break
            if touched is None and _overlap(gold, start, end):
                touched = gold
        if touched is not None:
            left.remove(touched)
            halves += 1
    return halves


def _type_credits(golds: Sequence[Triple], found: Sequence[Triple]) -> int:
    left, credits = list(golds), 0
    for start, end, kind in found:
        touched = [gold for gold in left if _overlap(gold, start, end)]
        of_type = [gold for gold in touched if gold[2] == kind]
        if of_type:
            left.remove(min(of_type, key=lambda gold: abs(gold[0] - start) + abs(gold[1] - end)))
            credits += 1
        elif touched:
            left.remove(touched[0])
    return credits


def _overlap(gold: Triple, start: int, end: int) -> bool:
    shared = min(gold[1], end) - max(gold[0], start)
    return shared > 0 and 100 * shared >= gold[1] - gold[0]


_CREDIT: dict[str, tuple[Callable[[Numbers], Numbers], str]] = {
    "span_f1_partial": (
        lambda sums: sums[..., HALVES],
        "micro f1 = 2 credit / (gold + predicted) spans; credit 1 for equal boundaries, 1/2 for an overlap, "
        "types ignored (nervaluate 1.2 partial, spans in order)",
    ),
    "span_f1_type": (
        lambda sums: 2 * sums[..., TYPES],
        "micro f1 = 2 correct / (gold + predicted) spans; correct: an overlap with a gold span of the same "
        "type (nervaluate 1.2 ent_type, spans in order)",
    ),
}


def _metric(name: str, rows: RowsOf, field: str) -> Additive:
    credit, definition = _CREDIT[name]

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return credit(sums), sums[..., GOLD] + sums[..., PREDICTED]

    def formula(sums: Numbers) -> Floats:
        return quotient(*parts(sums))

    return Additive(
        name=name,
        rows=rows,
        formula=formula,
        gold=field,
        predicted=field,
        definition=definition,
        unit="text" if field == "spans" else "sentence",
        ratio=parts,
        undefined="0/0: there is nothing in gold, and nothing is predicted",
        limits=(0.0, 1.0),
    )


SPAN_OVERLAPS = tuple(_metric(name, overlap_rows, "spans") for name in _CREDIT)
"""Spans in gold, spans in predicted."""

_TAG_ROWS = rows_by_reading("conll", overlap_tag_rows, lambda gold, predicted, _: _overlaps(gold, predicted))
TAG_OVERLAPS = tuple(_metric(name, _TAG_ROWS, "tags") for name in _CREDIT)
"""Tags in gold, tags in predicted."""
