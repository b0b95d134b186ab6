"""Scores of single tokens, beside those of spans: with and without the tokens outside every span.

Most tokens are `O`, so that accuracy with `O` is high whatever a system does: it is printed because it
is often passed off as F1, and must never stand alone. Labels are IOB2 tags: `B-` on the first token that a
span touches, `I-` on the others; a token inside several spans carries all their labels, and is right when
the two sets are equal.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, RowsOf
from truetune.metrics.f_measures import quotient
from truetune.metrics.spans import Triple, tag_tables
from truetune.metrics.tag_readings import rows_by_reading
from truetune.rows import Rows
from truetune.tags import SpanTable
from truetune.types import Column, Floats, Ints, Numbers


class Marked(NamedTuple):
    """Gold of a text: its tokens, and its spans."""

    tokens: Sequence[tuple[int, int]]
    """(start, end) of each, in characters, in order and apart from each other."""
    spans: Sequence[Triple]


EQUAL, TOKENS, HITS, GOLD, PREDICTED, MARKED_EQUAL, MARKED = range(7)
"""Statistics of a row: tokens labelled right, tokens; labels hit, gold, predicted; tokens that gold marks
labelled right, tokens that gold marks."""


def token_rows(gold: Column, predicted: Column) -> Rows:
    """Return `[distinct, 7]` from one `Marked` and one list of predicted spans an example."""
    if len(gold) != len(predicted):
        raise MetricError(f"gold has {len(gold):,} texts, predicted has spans of {len(predicted):,}")
    seen: dict[tuple[int, ...], int] = {}
    index = np.fromiter(
        (seen.setdefault(_statistics(marked, spans), len(seen)) for marked, spans in zip(gold, predicted, strict=True)),
        dtype=np.int64,
        count=len(gold),
    )
    return Rows(np.array(list(seen), dtype=np.int64).reshape(-1, 7), index)


def token_tag_rows(gold: Column, predicted: Column) -> Rows:
    """Return `[distinct, 7]` from tag sequences, read as conlleval does and written again as IOB2."""
    lengths = np.fromiter(map(len, gold), dtype=np.int64, count=len(gold))
    return _token_rows(*tag_tables(gold, predicted, "conll"), lengths)


def _token_rows(gold: SpanTable, predicted: SpanTable, lengths: Ints) -> Rows:
    tables = gold, predicted
    place = {kind: code for code, kind in enumerate(dict.fromkeys(tables[0].types + tables[1].types))}
    golds, found = (_token_codes(table, lengths, place) for table in tables)
    equal, marked = golds == found, golds > 0
    columns = (equal, np.ones_like(equal), equal & marked, marked, found > 0, equal & marked, marked)
    edges = np.concatenate(([0], np.cumsum(lengths)))
    sums = [np.concatenate(([0], np.cumsum(column)))[edges] for column in columns]
    return Rows.of(np.stack([np.diff(column) for column in sums], axis=1).astype(np.int64))


def token_labels(tokens: Sequence[tuple[int, int]], spans: Sequence[Triple]) -> dict[int, set[str]]:
    """Return the IOB2 labels of the tokens that spans touch, by position of the token."""
    starts = [start for start, _ in tokens]
    ends = [end for _, end in tokens]
    labels: dict[int, set[str]] = {}
    for start, end, kind in spans:
        first = bisect_right(ends, start)
        for token in range(first, bisect_left(starts, end)):
            labels.setdefault(token, set()).add(f"{'B' if token == first else 'I'}-{kind}")
    return labels


def _statistics(marked: Marked, spans: Sequence[Triple]) -> tuple[int, ...]:
    golds = token_labels(marked.tokens, marked.spans)
    found = golds if spans == marked.spans else token_labels(marked.tokens, spans)
    wrong = sum(golds.get(token) != found.get(token) for token in golds.keys() | found.keys())
    return (
        len(marked.tokens) - wrong,
        len(marked.tokens),
        sum(len(labels & found[token]) for token, labels in golds.items() if token in found),
        sum(map(len, golds.values())),
        sum(map(len, found.values())),
        sum(found.get(token) == labels for token, labels in golds.items()),
        len(golds),
    )


def _token_codes(table: SpanTable, lengths: Ints, place: dict[str, int]) -> Ints:
    """Return one number a token: 0 for `O`, else its type and whether the span begins there."""
    codes = np.zeros(int(lengths.sum()), dtype=np.int64)
    first = (np.cumsum(lengths) - lengths)[table.sentence] + table.start
    size = table.end - table.start
    kinds = np.array([place[kind] for kind in table.types] or [0], dtype=np.int64)[table.type]
    offsets = np.arange(int(size.sum())) - np.repeat(np.cumsum(size) - size, size)
    codes[np.repeat(first, size) + offsets] = np.repeat(2 * kinds + 2, size)
    codes[first] -= 1
    return codes


def _metric(name: str, fields: tuple[str, str], above: Callable[[Numbers], Numbers], *below: int) -> Additive:
    rows: RowsOf = token_rows if fields[0] == "marked" else _TAG_ROWS

    def parts(sums: Numbers) -> tuple[Numbers, Numbers]:
        return above(sums), sums[..., list(below)].sum(axis=-1)

    def formula(sums: Numbers) -> Floats:
        return quotient(*parts(sums))

    return Additive(
        name=name,
        rows=rows,
        formula=formula,
        gold=fields[0],
        predicted=fields[1],
        definition=f"{_DEFINITION[name]}; labels are IOB2 tags",
        unit="text" if fields[0] == "marked" else "sentence",
        ratio=parts,
        undefined=_UNDEFINED[name],
        limits=(0.0, 1.0),
    )


_DEFINITION = {
    "token_accuracy": "tokens with the right label / tokens, those outside every span (O) included",
    "token_f1_without_o": "micro f1 = 2 correct / (gold + predicted) token labels other than O",
    "token_accuracy_without_o": "tokens with the right label / tokens whose gold label is not O",
}
_UNDEFINED = {
    "token_accuracy": "0/0: there is no token",
    "token_f1_without_o": "0/0: no token is marked, in gold or predicted",
    "token_accuracy_without_o": "0/0: gold marks no token",
}


def _metrics(gold: str, predicted: str) -> tuple[Additive, ...]:
    fields = (gold, predicted)
    return (
        _metric("token_accuracy", fields, lambda sums: sums[..., EQUAL], TOKENS),
        _metric("token_f1_without_o", fields, lambda sums: 2 * sums[..., HITS], GOLD, PREDICTED),
        _metric("token_accuracy_without_o", fields, lambda sums: sums[..., MARKED_EQUAL], MARKED),
    )


_TAG_ROWS = rows_by_reading("conll", token_tag_rows, _token_rows)

TOKENS_OF_SPANS = _metrics("marked", "spans")
"""Tokens and spans in gold, spans in predicted."""

TOKENS_OF_TAGS = _metrics("tags", "tags")
"""Tags in gold, tags in predicted."""
