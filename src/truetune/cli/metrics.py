"""`truetune metrics`: a line a metric."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from truetune.cli import show
from truetune.metric import Metric, PerLabel
from truetune.metrics.agreement import agreement
from truetune.metrics.cohen import pair_agreement
from truetune.metrics.embedding_similarity import embedding_similarity
from truetune.metrics.oracles import oracle
from truetune.tasks.base import Task
from truetune.tasks.table import TASKS, task_named


class Listed(NamedTuple):
    """One metric as the list shows it."""

    metric: str
    definition: str
    better: str
    unit: str
    interval: str
    reference: str
    """What the tests compare it with."""


def run(args: argparse.Namespace) -> int:
    """List the metrics: definition, direction, unit, reference, tasks."""
    tasks = [task_named(args.task)] if args.task else list(TASKS.values())
    used_by: dict[Listed, list[str]] = {}
    for task in tasks:
        for listed in _of_task(task):
            used_by.setdefault(listed, []).append(task.name)
    if not args.task:
        used_by |= {listed: [where] for where, listed in _of_no_task()}
    if args.json:
        show.as_json({"metrics": [{**one._asdict(), "tasks": _once(where)} for one, where in used_by.items()]})
        return 0
    rows = [
        [one.metric, one.better, one.unit, ", ".join(_once(where)), one.reference, one.definition]
        for one, where in used_by.items()
    ]
    show.table("", ["metric", "better", "unit", "tasks", "reference", "definition"], rows)
    return 0


def _of_task(task: Task) -> Iterator[Listed]:
    yield from _listed((*task.scoring.metrics, *task.scoring.sometimes))
    together = task.scoring.together
    if together is not None:
        for name, definition in together.about.items():
            yield Listed(name, definition, "higher", together.unit, "percentile bootstrap", oracle(name, together.unit))


def _of_no_task() -> Iterator[tuple[str, Listed]]:
    """Yield the metrics that have a command or a function of their own."""
    two_values = [["a", "b"]]
    raters = (*agreement(two_values).metrics, *pair_agreement(["a"], ["b"], ("a", "b")).metrics)
    weighted = pair_agreement(["a"], ["b"], ("a", "b"), "quadratic").metrics
    for one in _listed((*raters, *weighted)):
        yield "truetune agreement", one
    for one in _listed(embedding_similarity("ENCODER")):
        yield "truetune.similarity", one


def _listed(metrics: Iterable[Metric | PerLabel]) -> Iterator[Listed]:
    for metric in metrics:
        tested = oracle(metric.name, metric.unit)
        yield Listed(metric.name, metric.definition, metric.better, metric.unit, metric.interval, tested)


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))
