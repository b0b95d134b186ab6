"""Labels with levels, `animal/dog`: F1 over labels with all that stand above them, accuracy of the first levels."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from functools import partial

import numpy as np

from truetune.errors import MetricError
from truetune.metric import Additive
from truetune.metrics.f_measures import quotient
from truetune.rows import Rows
from truetune.types import Column, Floats, Numbers

LEVEL = "/"
HIT, GOLD, PREDICTED = 0, 1, 2
DEPTHS = (1, 2)
"""Levels that have an accuracy of their own; the accuracy of the deepest is that of the labels."""


def has_levels(labels: Iterable[str]) -> bool:
    """Return whether some label has two levels or more, none of them empty."""
    return any(LEVEL in label and all(label.split(LEVEL)) for label in labels)


def upwards(labels: Iterable[str]) -> set[str]:
    """Return labels with all that stand above them: of `a/b/c` also `a/b` and `a`."""
    found: set[str] = set()
    for label in labels:
        parts = label.split(LEVEL)
        found |= {LEVEL.join(parts[:depth]) for depth in range(1, len(parts) + 1)}
    return found


def prefix_rows(gold: Column, predicted: Column) -> Rows:
    """Return rows `[distinct, 3]`, int64: hits, gold and predicted of an example's labels, those above included.

    An example holds one label or a collection of them.
    """
    table = [(len(right & said), len(right), len(said)) for right, said in _pairs(gold, predicted, upwards)]
    return Rows.of(np.array(table, dtype=np.int64).reshape(-1, 3))


def level_rows(gold: Column, predicted: Column, depth: int) -> Rows:
    """Return rows `[distinct, 2]`, int64: whether an example is right down to a level, and 1."""

    def cut(labels: Iterable[str]) -> set[str]:
        return {LEVEL.join(label.split(LEVEL)[:depth]) for label in labels}

    table = [(right == said, 1) for right, said in _pairs(gold, predicted, cut)]
    return Rows.of(np.array(table, dtype=np.int64).reshape(-1, 2))


def _pairs(
    gold: Column, predicted: Column, read: Callable[[Iterable[str]], set[str]]
) -> Iterator[tuple[set[str], set[str]]]:
    if len(gold) != len(predicted):
        raise MetricError(f"{len(gold):,} gold and {len(predicted):,} predicted; expected one of each an example")
    for right, said in zip(gold, predicted, strict=True):
        yield read(_several(right)), read(_several(said))


def _several(labels: object) -> list[str]:
    return [str(one) for one in labels] if isinstance(labels, list | tuple | set | frozenset) else [str(labels)]


def _f1(sums: Numbers) -> Floats:
    return quotient(2 * sums[..., HIT], sums[..., GOLD] + sums[..., PREDICTED])


def _share(sums: Numbers) -> Floats:
    return quotient(sums[..., 0], sums[..., 1])


def _parts(sums: Numbers) -> tuple[Numbers, Numbers]:
    return sums[..., 0], sums[..., 1]


def metrics_of(field: str) -> tuple[Additive, ...]:
    """Return the metrics of labels with levels, of the field `label` or `labels`."""
    f1 = Additive(
        name="hierarchical_f1",
        rows=prefix_rows,
        formula=_f1,
        gold=field,
        predicted=field,
        definition="2 hits / (gold + predicted), counted over labels with all that stand above them: a/b holds a and "
        "a/b (Kiritchenko et al. 2006)",
        unit="example",
        interval="bca",
        undefined="there is no label",
        limits=(0.0, 1.0),
    )
    return (f1, *(_accuracy(field, depth) for depth in DEPTHS))


def _accuracy(field: str, depth: int) -> Additive:
    return Additive(
        name=f"accuracy_level{depth}",
        rows=partial(level_rows, depth=depth),
        formula=_share,
        gold=field,
        predicted=field,
        definition=f"examples whose labels, cut off below level {depth} (a/b/c is a at level 1), are the gold ones / "
        "examples",
        unit="example",
        interval="wilson",
        ratio=_parts,
        undefined="there is no example",
        limits=(0.0, 1.0),
    )
