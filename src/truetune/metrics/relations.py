"""Scores of relations: one label for a marked pair, or triples found in a text.

**Labels.** A label may carry a direction, `Cause-Effect(e2,e1)`. As in the official score of SemEval-2010
task 8 (9+1 classes, direction taken into account), scores are by relation, both directions together, and
a prediction with the wrong direction is wrong: it counts as predicted and as missed. The class that says
that there is no relation is left out of the averages, but not out of the errors: what is predicted where
gold has none is a false positive, and the reverse a miss. Its names are those in `NO_RELATION`, compared
without case and signs. The official scorer also leaves out predictions of relations that do not stand in
gold at all, which its author calls probably not optimal; here those are false positives.

**Triples** (head, relation, tail) are correct when relation, order and both spans are equal: with the
types of the spans (strict), or without (boundaries); see Taillé et al. (2020), "Let's Stop Incorrect
Comparisons in End-to-end Relation Extraction!".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Hashable, Sequence
from itertools import chain

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive, PerLabel, RowsOf, Seen
from truetune.metrics.found_items import label_metrics, macro_metric, micro_metric
from truetune.rows import Rows
from truetune.types import Column, Span

Triple = tuple[Span, str, Span]
"""(head, relation, tail)"""

NO_RELATION = frozenset(
    ("other", "norelation", "na", "none", "null", "unknown", "无", "无关系", "未知", "其他", "其它")
)
"""Names of the class that says that there is no relation, in small letters without signs and spaces."""

_DIRECTION = re.compile(r"\s*\(e[12],\s*e[12]\)$")
_SIGNS = re.compile(r"[\W_]+")


def is_no_relation(label: str) -> bool:
    """Return whether a label says that there is no relation: `Other`, `no_relation`, `N/A`, `无关系`..."""
    return _SIGNS.sub("", label).lower() in NO_RELATION


def without_direction(label: str) -> str:
    """Return the relation of a label: `Cause-Effect` for `Cause-Effect(e2,e1)`."""
    return _DIRECTION.sub("", label)


def is_directed(labels: Collection[str]) -> bool:
    """Return whether labels tell the direction of a relation by `(e1,e2)` and `(e2,e1)`."""
    return any(_DIRECTION.search(label) for label in labels)


def is_turned(label: str) -> bool:
    """Return whether a label says that the relation goes from the second entity to the first."""
    found = _DIRECTION.search(label)
    return found is not None and found.group().strip().startswith("(e2")


def relation_rows(gold: Column, predicted: Column) -> Rows:
    """Return correct, gold and predicted of each relation, `[distinct, 3, relations]`, from labels.

    "No relation" has no column; a row may be all zeros, where both sides say so.
    """
    return _label_rows(gold, predicted, lambda label: () if is_no_relation(label) else (label,))


def relation_rows_with_none(gold: Column, predicted: Column) -> Rows:
    """Return rows as `relation_rows`, with "no relation" as one more class."""
    return _label_rows(gold, predicted, lambda label: (label,))


def triple_rows(gold: Column, predicted: Column) -> Rows:
    """Return correct, gold and predicted triples of each relation; correct with span types (strict).

    A triple that is given twice counts once; triples of "no relation" do not count.
    """
    return _triple_rows(gold, predicted, lambda triple: triple)


def triple_boundary_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows as `triple_rows`, with the types of the spans left out of the comparison."""
    return _triple_rows(gold, predicted, lambda triple: (triple[0][:2], triple[1], triple[2][:2]))


def triple_warnings(predicted: Sequence[Sequence[Triple]]) -> tuple[str, ...]:
    """Name what is odd in predicted triples: doubled ones, and ones of the class "no relation"."""
    return odd_triple_warnings(odd_triples(predicted))


def odd_triples(predicted: Sequence[Sequence[Triple]]) -> Seen:
    """Count what is odd in predicted triples."""
    seen: Seen = Counter(("none", triple[1]) for triple in chain.from_iterable(predicted) if is_no_relation(triple[1]))
    seen["doubled"] = sum(len(triples) - len(set(triples)) for triples in predicted)
    return seen


def odd_triple_warnings(seen: Seen) -> tuple[str, ...]:
    """Name what `odd_triples` counted."""
    names = {key[1]: number for key, number in seen.items() if isinstance(key, tuple)}
    found = []
    if seen["doubled"]:
        found.append(f"{seen['doubled']:,} predicted triples are given more than once; each is counted once")
    if names:
        shown = ", ".join(f"{name} ({count:,})" for name, count in sorted(names.items()))
        found.append(f"predicted triples that say there is no relation are not counted: {shown}")
    return tuple(found)


Counted = tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]
"""The relations of correct, gold and predicted items of an example."""


def _label_rows(gold: Column, predicted: Column, counted: Callable[[str], tuple[str, ...]]) -> Rows:
    def count(pair: tuple[str, str]) -> Counted:
        golds, found = (tuple(map(without_direction, counted(label))) for label in pair)
        return golds if pair[0] == pair[1] else (), golds, found

    return _rows(gold, predicted, count)


def _triple_rows(gold: Column, predicted: Column, key: Callable[[Triple], Hashable]) -> Rows:
    def keyed(triples: Collection[Triple]) -> dict[Hashable, str]:
        return {key(triple): triple[1] for triple in triples if not is_no_relation(triple[1])}

    def count(pair: tuple[Collection[Triple], Collection[Triple]]) -> Counted:
        golds, found = map(keyed, pair)
        return tuple(golds[item] for item in golds.keys() & found), tuple(golds.values()), tuple(found.values())

    return _rows(list(map(frozenset, gold)), list(map(frozenset, predicted)), count)


def _rows(gold: Column, predicted: Column, count: Callable[..., Counted]) -> Rows:
    """Count each distinct (gold, predicted) pair once."""
    if len(gold) != len(predicted):
        raise MetricError(f"gold has relations of {len(gold):,} examples, predicted of {len(predicted):,}")
    pairs: dict[Hashable, int] = {}
    index = np.fromiter(
        (pairs.setdefault(pair, len(pairs)) for pair in zip(gold, predicted, strict=True)),
        dtype=np.int64,
        count=len(gold),
    )
    counts = [count(pair) for pair in pairs]
    labels = tuple(sorted(set(chain.from_iterable(chain.from_iterable(counts)))))
    place = {label: position for position, label in enumerate(labels)}
    table = np.zeros((len(counts), 3, len(labels)), dtype=np.int64)
    for row, statistics in enumerate(counts):
        for statistic, relations in enumerate(statistics):
            for relation in relations:
                table[row, statistic, place[relation]] += 1
    distinct = Rows.of(table, labels)
    return Rows(distinct.table, distinct.index[index], labels)


def _averages(rows: RowsOf, field: str, ending: str, counted: str) -> tuple[Additive, Additive]:
    unit = "pair" if field == "label" else "text"
    micro = micro_metric(f"relation_f1_micro{ending}", rows, (field, field), counted, unit)
    return micro, macro_metric(f"relation_f1_macro{ending}", micro, counted)


_LABEL = (
    "labels of a relation, both directions together; correct: label and direction are equal (SemEval-2010 "
    "task 8, official)"
)
_NONE = "Other, no_relation, NA, none, null, unknown, 无, 无关系, 未知, 其他, 其它"
_STRICT = "triples of a relation; correct: relation, order, spans and their types are equal (strict)"
_BOUNDARIES = "triples of a relation; correct: relation, order and spans are equal, types of spans ignored"


def _label_metrics() -> tuple[Additive | PerLabel, ...]:
    counted = f"{_LABEL}; without the class of no relation ({_NONE})"
    averages = _averages(relation_rows, "label", "", counted)
    with_none = f"{_LABEL}; the class of no relation ({_NONE}) counts like any other"
    return (
        *averages,
        *_averages(relation_rows_with_none, "label", "_with_none", with_none),
        *label_metrics(averages[0], _LABEL),
    )


def _triple_metrics() -> tuple[Additive | PerLabel, ...]:
    averages = _averages(triple_rows, "triples", "", _STRICT)
    return (
        *averages,
        *_averages(triple_boundary_rows, "triples", "_boundaries", _BOUNDARIES),
        *label_metrics(averages[0], _STRICT),
    )


RELATION_LABELS = _label_metrics()
"""One label a marked pair: fields `label`, `label`."""

RELATION_TRIPLES = _triple_metrics()
"""Triples of a text: fields `triples`, `triples`."""
