"""A score that somebody states, against the predictions that it is said to be of: is it theirs, or how was it made?"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from truetune.errors import MetricError, nearest
from truetune.evaluation.families import applicable, families
from truetune.evaluation.tables import Aligned
from truetune.metric import Metric
from truetune.rows import Rows
from truetune.tasks.base import Task
from truetune.types import Finding, Ints

BATCHES = (1, 2, 4, 8, 10, 16, 20, 24, 32, 48, 50, 64, 96, 100, 128, 200, 256, 500, 512, 1000, 1024)
"""Sizes of batches over which a mean may have been taken, or to which the last one may have been filled up."""
SHOWN = 5
CHANCE = 0.05
"""Share of the numbers near the true one that some mistake gives, from which on an explanation may be chance."""


@dataclass(frozen=True)
class Claim:
    """A stated score: `text` as it is printed says how exactly it is known."""

    metric: str
    text: str

    @property
    def value(self) -> float:
        """The number, a share where it is stated in per cent."""
        return float(self.text.rstrip("% ")) / (100 if self.text.rstrip().endswith("%") else 1)

    def fits(self, value: float) -> bool:
        """Return whether a value rounds to the stated one, as a share or in per cent."""
        digits = len(self.text.rstrip("% ").partition(".")[2])
        near = 0.5001 * 10.0**-digits
        stated = float(self.text.rstrip("% "))
        return math.isfinite(value) and min(abs(value - stated), abs(100 * value - stated)) <= near

    def coincidence(self, value: float, others: Iterable[float]) -> float:
        """Return which share of the numbers of as many digits, as near to the true `value`, the `others` give."""
        units = 10.0 ** len(self.text.rstrip("% ").partition(".")[2])
        stated = float(self.text.rstrip("% "))
        if abs(100 * value - stated) < abs(value - stated):
            units, stated = 100 * units, stated / 100
        true, said = round(units * value), round(units * stated)
        given = {round(units * other) for other in others if math.isfinite(other)} - {true}
        return sum(abs(one - true) <= abs(said - true) for one in given) / max(2 * abs(said - true), 1)


def claims_of(stated: Sequence[str]) -> list[Claim]:
    """Return the claims of `METRIC=VALUE` texts; raises `MetricError` for another form."""
    found = []
    for text in stated:
        metric, _, value = text.partition("=")
        try:
            claim = Claim(metric.strip(), value.strip())
            _ = claim.value
        except ValueError:
            raise MetricError(
                f"{text!r}: expected METRIC=VALUE, for example f1_macro=0.873 or accuracy=91.2%"
            ) from None
        found.append(claim)
    return found


def claim_findings(task: Task, table: Aligned, claims: Sequence[Claim]) -> Iterator[Finding]:
    """Yield the claims that these predictions do not have, with the wrong computations that give them.

    Raises `MetricError` for a metric that is unknown or does not apply.
    """
    found = families(applicable(task.scoring, table.gold, table.predicted), table.gold, [table.predicted])
    rows_of = {metric.name: (metric, family.rows[0]) for family in found for metric in family.metrics}
    values = {name: float(metric.value(rows)) for name, (metric, rows) in rows_of.items()}
    for claim in claims:
        if claim.metric not in values:
            raise MetricError(f"{claim.metric!r} cannot be computed here; {nearest(claim.metric, values)}")
        if claim.fits(values[claim.metric]):
            continue
        mistakes = list(_mistakes(claim.metric, values, *rows_of[claim.metric]))
        ways = [name for name, value in mistakes if claim.fits(value)]
        chance = claim.coincidence(values[claim.metric], [value for _, value in mistakes])
        yield Finding(
            "stated score is not that of these predictions",
            "error",
            1,
            tuple(ways[:SHOWN]),
            f"{claim.metric} is stated as {claim.text}, and is {values[claim.metric]:.4f}: {_advice(ways, chance)}",
        )


def _advice(ways: Sequence[str], chance: float) -> str:
    if not ways:
        return "no usual mistake gives the stated one, so that it is of other predictions or other gold. Ask for those"
    if chance < CHANCE:
        return f"the stated one is what comes out as {ways[0]}. Compute it over all examples at once"
    return (
        f"the stated one comes out as {ways[0]}, which may be chance: of the numbers that are as near to the true one "
        f"{min(chance, 1):.0%} are given by one mistake or another. Ask for more digits, or for the predictions"
    )


def _mistakes(name: str, values: Mapping[str, float], metric: Metric, rows: Rows) -> Iterator[tuple[str, float]]:
    """Yield what usual mistakes make of a metric, with their names."""
    for size in BATCHES:
        if size < len(rows):
            for way, value in _over_batches(metric, rows, size).items():
                yield f"{way} of {size}", value
    yield from ((f"another metric, {other}", value) for other, value in values.items() if other != name)
    labels = _mean_over_gold_labels(name, values, rows)
    if labels is not None:
        yield "the mean over the labels of gold only", labels


def _over_batches(metric: Metric, rows: Rows, size: int) -> dict[str, float]:
    """Return what goes wrong with batches of one size."""
    places = np.arange(len(rows), dtype=np.int64)
    parts = [places[start : start + size] for start in range(0, len(places), size)]
    each = np.array([_value(metric, rows, part) for part in parts])
    whole = each[:-1] if len(parts[-1]) < size else each
    missing = -len(places) % size
    found = {
        "a mean over batches" if size > 1 else "a mean over single examples, batches": _mean(each),
        "a mean over batches without the last one,": _mean(whole),
        "a mean that takes undefined batches for 0, batches": float(np.nan_to_num(each).mean()),
    }
    if missing:
        filled = np.concatenate([places, places[:missing]])
        found["all examples and the first ones again, to fill up batches"] = _value(metric, rows, filled)
        found["all examples but those of the last, incomplete batch"] = _value(
            metric, rows, places[: len(whole) * size]
        )
    return found


def _value(metric: Metric, rows: Rows, places: Ints) -> float:
    return float(metric.value(rows.take(places)))


def _mean(values: np.ndarray[tuple[int], np.dtype[np.float64]]) -> float:
    known = values[np.isfinite(values)]
    return float(known.mean()) if len(known) else math.nan


def _mean_over_gold_labels(name: str, values: Mapping[str, float], rows: Rows) -> float | None:
    """Return a macro average over the labels that stand in gold, without those that are only predicted."""
    single = name.removesuffix("_macro")
    if single == name or not rows.labels:
        return None
    support = rows.totals()[1]
    each = [
        values[f"{single}/{label}"]
        for label, gold in zip(rows.labels, support, strict=True)
        if gold and f"{single}/{label}" in values
    ]
    return float(np.nanmean(each)) if each else None
