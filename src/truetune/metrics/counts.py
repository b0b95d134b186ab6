"""Rows of classification: per label, was it hit, is it gold, is it predicted."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np

from truetune.errors import MetricError
from truetune.rows import Rows
from truetune.types import Column, Floats, Ints

HIT, GOLD, PREDICTED = 0, 1, 2
"""The statistics of a row, in order."""

FEW_PAIRS = 1 << 16
"""Up to so many possible (gold, predicted) pairs are counted in a table, whatever the number of examples."""


def label_counts(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 3, labels]`, int64: hit, gold and predicted (0 or 1) of every label.

    `gold` and `predicted` hold one label an example: strings, or whole numbers, which are labels by their
    decimal digits. Arrays of whole numbers are the fast way. `labels` are the sorted union of the labels
    that stand in gold or predicted. Raises `MetricError` for unequal lengths and for anything else than
    one string or whole number an example (None, NaN and booleans are no labels).
    """
    _same_length(gold, predicted)
    codes = _from_whole_numbers(gold, predicted) or _from_any(gold, predicted)
    return _rows(codes)


def label_set_counts(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 3, labels]`, int64, for examples with any number of labels each.

    `gold` and `predicted` hold one collection of labels an example (a label given twice counts once).
    `labels` are the sorted union of the labels that stand in gold or predicted.
    """
    pairs, index = _distinct_sets(gold, predicted)
    labels = tuple(sorted({label for pair in pairs for side in pair for label in side}))
    place = {label: position for position, label in enumerate(labels)}
    table = np.zeros((len(pairs), 3, len(labels)), dtype=np.int64)
    for statistic, side in ((GOLD, 0), (PREDICTED, 1)):
        for row, pair in enumerate(pairs):
            table[row, statistic, [place[label] for label in pair[side]]] = 1
    table[:, HIT] = table[:, GOLD] * table[:, PREDICTED]
    return Rows(table, index, labels)


def label_set_agreements(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 8]`: each example's own agreement of gold and predicted label sets.

    The statistics: sets are equal, examples (1), then precision, recall and F1 of the example, each
    followed by whether it is defined (1) or 0/0 (then both are 0).
    """
    pairs, index = _distinct_sets(gold, predicted)
    sizes = np.array([(len(g & p), len(g), len(p)) for g, p in pairs], dtype=np.float64).reshape(-1, 3)
    hit, golds, predictions = sizes.T
    equal = (hit == golds) & (hit == predictions)
    columns = [equal, np.ones(len(pairs))]
    for above, below in ((hit, predictions), (hit, golds), (2 * hit, golds + predictions)):
        columns += [above / np.maximum(below, 1), below > 0]
    table: Floats = np.stack(columns, axis=1).astype(np.float64)
    distinct = Rows.of(table)
    return Rows(distinct.table, distinct.index[index])


class _Codes(NamedTuple):
    """Labels as positions in a range; the names of those that occur are looked up at the end."""

    names: Sequence[str]
    """The label of every code."""
    gold: Ints
    predicted: Ints


def _rows(codes: _Codes) -> Rows:
    """Collapse pairs of codes: the pair code itself is the key, so counting replaces sorting."""
    names, pair = codes.names, codes.gold * len(codes.names)
    pair += codes.predicted
    possible = len(names) ** 2
    if possible <= max(FEW_PAIRS, 4 * len(pair)):
        counts = np.bincount(pair, minlength=possible)
        distinct = np.flatnonzero(counts)
        if len(distinct) < possible:
            rank = np.zeros(possible, dtype=np.int64)
            rank[distinct] = np.arange(len(distinct))
            pair = rank[pair]
        index, counts = pair, counts[distinct]
    else:
        distinct, index, counts = np.unique(pair, return_inverse=True, return_counts=True)
    sides = np.stack(np.divmod(distinct, max(1, len(names))))
    present = sorted(set(sides.ravel().tolist()), key=lambda code: names[code])
    place = np.zeros(len(names), dtype=np.int64)
    place[present] = np.arange(len(present))
    gold, predicted = place[sides]
    table = np.zeros((len(distinct), 3, len(present)), dtype=np.int64)
    row = np.arange(len(distinct))
    table[row, GOLD, gold] = 1
    table[row, PREDICTED, predicted] = 1
    table[row, HIT, gold] = gold == predicted
    return Rows(table, index, tuple(names[code] for code in present), counts.astype(np.int64))


def _from_whole_numbers(gold: Column, predicted: Column) -> _Codes | None:
    """Return codes of two arrays of whole numbers; None where they are something else, or far apart."""
    for column in (gold, predicted):
        if not isinstance(column, np.ndarray) or column.dtype.kind not in "iu" or column.ndim != 1:
            return None
    if not len(gold):
        return None
    low = min(0, int(gold.min()), int(predicted.min()))
    span = max(int(gold.max()), int(predicted.max())) - low + 1
    if span * span > max(FEW_PAIRS, 4 * len(gold)):
        return None
    first, second = (np.asarray(column, dtype=np.int64) for column in (gold, predicted))
    if low:
        first, second = first - low, second - low
    return _Codes([str(low + code) for code in range(span)], first, second)


def _from_any(gold: Column, predicted: Column) -> _Codes:
    columns = [_listed(gold, "gold"), _listed(predicted, "predicted")]
    named: dict[Any, str] = {}
    for column, what in zip(columns, ("gold", "predicted"), strict=True):
        named.update(_named(column, what))
    names = sorted(set(named.values()))
    place = {name: code for code, name in enumerate(names)}
    code_of = {label: place[name] for label, name in named.items()}
    first, second = (
        np.fromiter(map(code_of.__getitem__, column), dtype=np.int64, count=len(column)) for column in columns
    )
    return _Codes(names, first, second)


def _named(column: Sequence[Any], what: str) -> dict[Any, str]:
    """Return the name of each distinct label of a column."""
    try:
        named = {label: _name(label) for label in set(column)}
    except TypeError:  # unhashable: a list of labels, most likely
        named = {None: None}
    if None in named.values():
        position = next(place for place, label in enumerate(column) if _name(label) is None)
        raise MetricError(
            f"the {what} label of example {position} is {column[position]!r}; expected one string or whole "
            "number (examples with several labels are scored by the fields `labels`)"
        )
    return {label: name for label, name in named.items() if name is not None}


def _name(label: object) -> str | None:
    if isinstance(label, str):
        return str(label)
    if isinstance(label, int | np.integer) and not isinstance(label, bool):
        return str(int(label))
    return None


def _distinct_sets(gold: Column, predicted: Column) -> tuple[list[tuple[frozenset[str], frozenset[str]]], Ints]:
    """Return the distinct (gold set, predicted set) pairs, and each example's position among them."""
    _same_length(gold, predicted)
    place: dict[tuple[frozenset[str], frozenset[str]], int] = {}
    sets = zip(_sets(gold, "gold"), _sets(predicted, "predicted"), strict=True)
    index = np.fromiter((place.setdefault(pair, len(place)) for pair in sets), dtype=np.int64, count=len(gold))
    return list(place), index


def _sets(column: Column, what: str) -> Iterable[frozenset[str]]:
    for position, labels in enumerate(column):
        if isinstance(labels, str) or not isinstance(labels, Collection):
            raise MetricError(
                f"the {what} labels of example {position} are {labels!r}; expected a list of labels, "
                "empty where there is none"
            )
        names = frozenset(map(_name, labels))
        if None in names:
            raise MetricError(
                f"the {what} labels of example {position} are {labels!r}; expected strings or whole numbers"
            )
        yield frozenset(name for name in names if name is not None)


def _listed(column: Column, what: str) -> Sequence[Any]:
    if isinstance(column, str):
        raise MetricError(f"the {what} labels are one string, {column!r}; expected a list, one label an example")
    if isinstance(column, np.ndarray):
        listed: list[Any] = column.tolist()
        return listed
    return column if isinstance(column, list | tuple) else list(column)


def _same_length(gold: Column, predicted: Column) -> None:
    if len(gold) != len(predicted):
        raise MetricError(
            f"{len(gold):,} gold labels and {len(predicted):,} predicted ones; expected one of each an "
            "example, in the same order"
        )
