"""The parity gate: what was made of a model answers as the model does, shown within a margin, or does not ship."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.evaluation.compare import ComparisonResult, Gate, compared
from truetune.evaluation.evaluate import evaluated
from truetune.evaluation.tables import aligned_columns
from truetune.evaluation.unlearnt import with_unlearnt
from truetune.stats.binomial import wilson
from truetune.stats.plan import Plan
from truetune.stats.quantiles import normal_quantile
from truetune.tasks.base import Task
from truetune.types import Score

CLOSE = 1e-4
"""How far two numbers may be from each other, as a share of them or of 1, and be the same answer."""
PASSED = ("better", "not worse", "equivalent")


@dataclass(frozen=True)
class Labelled:
    """Labelled examples, as columns."""

    ids: Sequence[str]
    fields: Mapping[str, Sequence[Any]]
    """Inputs and gold."""
    groups: Sequence[str] | None = None


@dataclass(frozen=True)
class Agreement:
    """How far the predictions of one system are those of the first."""

    system: str
    same: int
    """Examples with the same answer."""
    examples: int
    share: float
    low: float
    high: float
    largest: float | None
    """The largest difference of a number: a probability, a cosine, a value; None where there are none."""


@dataclass(frozen=True)
class Parity:
    """What the gate found; `to_dict()` is the JSON of the command line."""

    margin: float
    comparison: ComparisonResult
    agreements: tuple[Agreement, ...]
    scores: Mapping[str, tuple[Score, ...]]
    """System -> its scores."""

    @property
    def passed(self) -> bool:
        """Whether every system is shown not worse than the first, by the margin, in the metric that decides."""
        return not self.failing

    @property
    def failing(self) -> list[str]:
        """The systems of which it is not shown."""
        deciding = [one for one in self.comparison.comparisons if one.metric == self.comparison.primary]
        return [one.candidate for one in deciding if one.verdict not in PASSED]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "passed": self.passed,
            "failing": self.failing,
            "margin": self.margin,
            **self.comparison.to_dict(),
            "agreement": [vars(one) for one in self.agreements],
            "scores": {name: [one.to_dict() for one in found] for name, found in self.scores.items()},
        }


def parity(task: Task, labelled: Labelled, systems: Mapping[str, Mapping[str, Sequence[Any]]], gate: Gate) -> Parity:
    """Compare systems (name -> predicted columns) with the first of them, on the same examples.

    `gate.margin` is what none may be shown to lose in the metric that decides; every other metric is compared too.
    """
    assert gate.margin is not None
    systems = {name: with_unlearnt(columns, labelled.fields) for name, columns in systems.items()}
    table = aligned_columns(task.scoring, labelled.ids, labelled.fields, systems, labelled.groups)
    names = list(systems)
    return Parity(
        gate.margin,
        compared(task, table, gate=gate),
        tuple(agreement(name, systems[names[0]], systems[name], gate.plan) for name in names[1:]),
        {
            name: evaluated(
                task,
                aligned_columns(task.scoring, labelled.ids, labelled.fields, {name: systems[name]}),
                plan=gate.plan,
            ).scores
            for name in names
        },
    )


def agreement(
    system: str, first: Mapping[str, Sequence[Any]], other: Mapping[str, Sequence[Any]], plan: Plan
) -> Agreement:
    """Return how many answers are the same, and how far numbers (probabilities, cosines, values) differ at most.

    Numbers that stand beside an answer are no part of it; those that are the answer are the same up to `CLOSE`.
    """
    numbers = [name for name, column in first.items() if len(column) and _of_numbers(column[0])]
    answers = [name for name in first if name not in numbers] or numbers
    rows = [zip(*(columns[name] for name in answers), strict=True) for columns in (first, other)]
    equal = [_same(one, two) for one, two in zip(*rows, strict=True)]
    same, examples = sum(equal), len(equal)
    low, high = wilson(same, examples, normal_quantile(plan.tail)) if examples else (float("nan"), float("nan"))
    apart = [_apart(first[name], other[name]) for name in numbers if name in other]
    return Agreement(
        system, same, examples, same / examples if examples else float("nan"), low, high, max(apart, default=None)
    )


def _of_numbers(value: Any) -> bool:
    """Return whether a predicted value is a number that is no count, or several of them."""
    several = [*_flat(value)]
    return bool(several) and all(isinstance(one, float) for one in several)


def _flat(value: Any) -> Iterator[Any]:
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list | tuple):
        for one in value:
            yield from _flat(one)
    else:
        yield value


def _apart(first: Sequence[Any], other: Sequence[Any]) -> float:
    ends = [np.array([*_flat(list(column))], dtype=np.float64) for column in (first, other)]
    return float(np.abs(ends[0] - ends[1]).max(initial=0.0))


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | tuple) and isinstance(other, list | tuple):
        return len(one) == len(other) and all(map(_same, one, other))
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE)
    return bool(one == other)
