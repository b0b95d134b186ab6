"""`truetune metrics`: a line a metric."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.tasks.table import TASKS, task_named


def run(args: argparse.Namespace) -> int:
    """List the metrics: definition, direction, unit, tasks."""
    tasks = [task_named(args.task)] if args.task else list(TASKS.values())
    found: dict[tuple[str, str], dict[str, object]] = {}
    for task in tasks:
        for metric in task.scoring.metrics:
            entry = found.setdefault(
                (metric.name, metric.definition),
                {
                    "metric": metric.name,
                    "definition": metric.definition,
                    "better": metric.better,
                    "unit": metric.unit,
                    "interval": metric.interval,
                    "tasks": [],
                },
            )
            names = entry["tasks"]
            assert isinstance(names, list)
            names.append(task.name)
    listed = list(found.values())
    if args.json:
        show.as_json({"metrics": listed})
        return 0
    rows = [
        [
            str(one["metric"]),
            str(one["better"]),
            str(one["unit"]),
            ", ".join(one["tasks"]),
            str(one["definition"]),
        ]  # type: ignore[arg-type]
        for one in listed
    ]
    show.table("", ["metric", "better", "unit", "tasks", "definition"], rows)
    return 0
