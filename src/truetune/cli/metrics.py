"""`truetune metrics`: a line a metric."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.metric import Metric, PerLabel
from truetune.tasks.table import TASKS, task_named


def run(args: argparse.Namespace) -> int:
    """List the metrics: definition, direction, unit, tasks."""
    tasks = [task_named(args.task)] if args.task else list(TASKS.values())
    listed: dict[tuple[str, str], Metric | PerLabel] = {}
    used_by: dict[tuple[str, str], list[str]] = {}
    for task in tasks:
        for metric in task.scoring.metrics:
            key = (metric.name, metric.definition)
            listed[key] = metric
            used_by.setdefault(key, []).append(task.name)
    if args.json:
        found = [
            {
                "metric": metric.name,
                "definition": metric.definition,
                "better": metric.better,
                "unit": metric.unit,
                "interval": metric.interval,
                "tasks": used_by[key],
            }
            for key, metric in listed.items()
        ]
        show.as_json({"metrics": found})
        return 0
    rows = [
        [metric.name, metric.better, metric.unit, ", ".join(dict.fromkeys(used_by[key])), metric.definition]
        for key, metric in listed.items()
    ]
    show.table("", ["metric", "better", "unit", "tasks", "definition"], rows)
    return 0
