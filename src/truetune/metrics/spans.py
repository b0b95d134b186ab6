"""Scores of typed spans (named entities): strict, by type, and as conlleval reads tags.

A span counts as found when start, end and type are all equal. Spans are sets: one that is predicted
twice counts once, nested and overlapping ones are scored as given (`span_warnings` names both).

On spans there is one exact match, so strict and conlleval agree; they differ in how *tags* are read.
Tags are read strictly for `span_f1` (a span that is not properly written is no span, as in seqeval's
strict mode) and as conlleval does for `span_f1_conll` (an `I-` after `O` or after another type begins a
span, as in seqeval's default). Where a system writes improper sequences the two differ by points, in
either direction: the repaired spans may be right, or be false alarms that the strict reading forgives.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import chain, pairwise
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from truetune.errors import MetricError
from truetune.metric import Additive, PerLabel, RowsOf, Seen
from truetune.metrics.found_items import label_metrics, macro_metric, micro_metric
from truetune.metrics.tag_readings import check_lengths, improper_warnings, rows_by_reading, tags_seen
from truetune.rows import Rows
from truetune.tags import Repair, Scheme, SpanTable, Tagged, detect_scheme, has_letters, span_table
from truetune.types import Bools, Column, Ints

Triple = tuple[int, int, str]
"""(start, end, type) in characters or tokens, `end` exclusive; a `types.Span` is one."""


def span_rows(gold: Column, predicted: Column) -> Rows:
    """Return correct, gold and predicted spans of each type, `[distinct, 3, types]`.

    `gold` and `predicted` hold a list of (start, end, type) an example. Types are those that stand in
    either, sorted.
    """
    return matched(table_of_spans(gold), table_of_spans(predicted))


def strict_tag_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows as `span_rows` from tag sequences, improperly written spans left out."""
    return tag_rows(gold, predicted, "drop")


def conll_tag_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows as `span_rows` from tag sequences, read as conlleval does."""
    return tag_rows(gold, predicted, "conll")


def tag_rows(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    repair: Repair,
    scheme: Scheme | None = None,
) -> Rows:
    """Return rows as `span_rows` from one list of tags a sentence; see `tag_tables`."""
    return matched(*tag_tables(gold, predicted, repair, scheme))


def tag_tables(
    gold: Sequence[Sequence[str]],
    predicted: Sequence[Sequence[str]],
    repair: Repair,
    scheme: Scheme | None = None,
) -> tuple[SpanTable, SpanTable]:
    """Return the spans of gold and of predicted tags, one list of tags a sentence, in token positions.

    Without `scheme` gold's own is found, and predicted is read in it too, or where its letters differ in
    its own. Raises `MetricError` for sentences of different lengths, `DataError` for unreadable tags.
    """
    golds, found = Tagged.of(gold), Tagged.of(predicted)
    check_lengths(golds, found)
    schemes = (scheme, scheme) if scheme else _schemes(golds, found)
    return span_table(golds, schemes[0], repair), span_table(found, schemes[1], repair)


def table_of_spans(column: Sequence[Sequence[Triple]]) -> SpanTable:
    """Return one list of spans an example as columns.

    Raises `MetricError` for a span that begins before 0 or does not end beyond its start.
    """
    lengths = np.fromiter(map(len, column), dtype=np.int64, count=len(column))
    types: dict[str, int] = {}
    flat = list(chain.from_iterable(column))
    starts, ends, kinds = zip(*flat, strict=True) if flat else ((), (), ())
    codes = [types.setdefault(kind, len(types)) for kind in kinds]
    start, end = np.array(starts, dtype=np.int64), np.array(ends, dtype=np.int64)
    bad = np.flatnonzero((start < 0) | (end <= start))
    if len(bad):
        raise MetricError(
            f"{list(flat[bad[0]])} is no span (one of {len(bad):,}); expected 0 <= start < end, end exclusive"
        )
    return SpanTable(
        np.repeat(np.arange(len(column), dtype=np.int64), lengths),
        start,
        end,
        np.array(codes, dtype=np.int64),
        tuple(types),
        len(column),
    )


def matched(gold: SpanTable, predicted: SpanTable) -> Rows:
    """Return how many spans of each example and type are correct, gold and predicted."""
    if gold.sentences != predicted.sentences:
        raise MetricError(
            f"gold has spans of {gold.sentences:,} examples, predicted of {predicted.sentences:,}; "
            "expected one list of spans for each example in both"
        )
    labels = _labels(gold, predicted)
    gold, predicted = _with_labels(gold, labels), _with_labels(predicted, labels)
    keys = row_keys(
        *(
            np.concatenate(pair)
            for pair in zip(gold[:4], predicted[:4], strict=True)  # sentence, start, end, type
        )
    )
    right, said = _distinct(keys[: len(gold.start)]), _distinct(keys[len(gold.start) :])
    correct = right.first[_stand_in(right.keys, said.keys)]
    shape = (gold.sentences, len(labels))
    counts = [
        _tally(gold.sentence[correct], gold.type[correct], shape),
        _tally(gold.sentence[right.first], gold.type[right.first], shape),
        _tally(predicted.sentence[said.first], predicted.type[said.first], shape),
    ]
    rows = Rows.of(np.stack(counts, axis=1), labels)
    return Rows(rows.table.astype(np.int64), rows.index, labels)


def row_keys(*columns: Ints) -> Ints:
    """Return one number a row that is equal where all the columns (of numbers from 0) are."""
    keys, size = np.zeros(len(columns[0]), dtype=np.int64), 1
    for column in columns:
        values = int(column.max(initial=0)) + 1
        if size * values >= 2**63:
            distinct, keys = np.unique(keys, return_inverse=True)
            size = len(distinct)
        keys, size = keys * values + column, size * values
    return keys


class _Distinct(NamedTuple):
    keys: Ints
    """Ascending, each once."""
    first: Ints
    """Where each of them stands first."""


def _distinct(keys: Ints) -> _Distinct:
    if (keys[1:] > keys[:-1]).all():  # spans read from tags are in order
        return _Distinct(keys, np.arange(len(keys)))
    return _Distinct(*np.unique(keys, return_index=True))


def _stand_in(keys: Ints, others: Ints) -> Bools:
    """Return which keys stand among `others`, which ascend."""
    if not len(others):
        return np.zeros(len(keys), dtype=np.bool_)
    places = np.minimum(np.searchsorted(others, keys), len(others) - 1)
    found: Bools = others[places] == keys
    return found


def span_warnings(predicted: Sequence[Sequence[Triple]], lengths: Sequence[int] | None = None) -> tuple[str, ...]:
    """Name what is odd in predicted spans: doubled, overlapping, and beyond the text (with `lengths`)."""
    return odd_span_warnings(odd_spans(predicted, lengths))


def odd_spans(predicted: Sequence[Sequence[Triple]], lengths: Sequence[int] | None = None) -> Seen:
    """Count what is odd in predicted spans."""
    doubled = beyond = 0
    for number, spans in enumerate(predicted):
        distinct = set(spans)
        doubled += len(spans) - len(distinct)
        if lengths is not None:
            beyond += sum(end > lengths[number] for _, end, _ in distinct)
    return Counter({"doubled": doubled, "overlapping": overlaps(predicted), "beyond": beyond})


def overlaps(column: Sequence[Sequence[Triple]]) -> int:
    """Return in how many examples spans overlap."""
    return sum(any(after[0] < before[1] for before, after in pairwise(sorted(set(spans)))) for spans in column)


def odd_span_warnings(seen: Seen) -> tuple[str, ...]:
    """Name what `odd_spans` counted."""
    found = []
    if seen["doubled"]:
        found.append(f"{seen['doubled']:,} predicted spans are given more than once; each is counted once")
    if seen["overlapping"]:
        found.append(f"predicted spans overlap in {seen['overlapping']:,} examples; they are scored as given")
    if seen["beyond"]:
        found.append(f"{seen['beyond']:,} predicted spans end beyond their text; they count as wrong")
    return tuple(found)


def tag_warnings(gold: Sequence[Sequence[str]], predicted: Sequence[Sequence[str]]) -> tuple[str, ...]:
    """Name what is improperly written, on which the strict and the conlleval reading differ."""
    return improper_warnings(tags_seen(gold, predicted))


def _schemes(gold: Tagged, predicted: Tagged) -> tuple[Scheme, Scheme]:
    scheme = detect_scheme(gold, "conll")
    return scheme, scheme if has_letters(predicted.tags, scheme) else detect_scheme(predicted, "conll")


def _labels(gold: SpanTable, predicted: SpanTable) -> tuple[str, ...]:
    used = {
        table.types[code]
        for table in (gold, predicted)
        for code in np.flatnonzero(np.bincount(table.type, minlength=1)).tolist()
    }
    return tuple(sorted(used))


def _with_labels(table: SpanTable, labels: tuple[str, ...]) -> SpanTable:
    place = {label: position for position, label in enumerate(labels)}
    codes = np.array([place.get(kind, -1) for kind in table.types] or [-1], dtype=np.int64)
    return table._replace(type=codes[table.type], types=labels)


def _tally(sentences: Ints, types: Ints, shape: tuple[int, int]) -> npt.NDArray[np.uint16]:
    counts = np.bincount(sentences * shape[1] + types, minlength=shape[0] * shape[1])
    narrow = np.uint8 if counts.max(initial=0) < 256 else np.int64
    return counts.reshape(shape).astype(narrow)


_EXACT = "spans; correct: start, end and type are equal"
_STRICT = f"{_EXACT}; tags read strictly, improperly written spans are none (seqeval's strict mode)"
_CONLL = f"{_EXACT}; tags read as conlleval does, whatever begins a span is one (seqeval's default)"


def _strict_metrics(rows: RowsOf, field: str, counted: str, unit: str) -> tuple[Additive | PerLabel, ...]:
    micro = [
        micro_metric(f"span_{measure}", rows, (field, field), counted, unit)
        for measure in ("f1", "precision", "recall")
    ]
    macro = macro_metric("span_f1_macro", micro[0], counted)
    return *micro, macro, *label_metrics(micro[0], counted)


SPANS: tuple[Additive | PerLabel, ...] = _strict_metrics(span_rows, "spans", f"{_EXACT} (strict)", "text")
"""Spans in gold, spans in predicted."""

_STRICT_ROWS = rows_by_reading("drop", strict_tag_rows, lambda gold, predicted, _: matched(gold, predicted))
_CONLL_ROWS = rows_by_reading("conll", conll_tag_rows, lambda gold, predicted, _: matched(gold, predicted))

TAGS: tuple[Additive | PerLabel, ...] = (
    *_strict_metrics(_STRICT_ROWS, "tags", _STRICT, "sentence"),
    micro_metric("span_f1_conll", _CONLL_ROWS, ("tags", "tags"), _CONLL, "sentence"),
)
"""Tags in gold, tags in predicted: here the two readings can be told apart."""
