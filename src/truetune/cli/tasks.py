"""`truetune tasks`: a line a task."""

from __future__ import annotations

import argparse
from collections.abc import Mapping

from truetune.cli import show
from truetune.tasks.table import PRETRAINED, TASKS


def run(args: argparse.Namespace) -> int:
    """List the tasks, whether each can be fine-tuned or pretrained, and its primary metric."""
    found = [
        {
            "task": task.name,
            "about": task.about,
            "about_zh": task.about_zh,
            "trains": task.training is not None,
            "pretrains": task.name in PRETRAINED,
            "primary": list(task.scoring.primary),
        }
        for task in TASKS.values()
    ]
    if args.json:
        show.as_json({"tasks": found})
        return 0
    rows = [[str(one["task"]), str(one["about"]), _learnt_by(one)] for one in found]
    show.table("", ["task", "about", "fine-tunes"], rows)
    return 0


def _learnt_by(task: Mapping[str, object]) -> str:
    return "yes" if task["trains"] else "pretrains" if task["pretrains"] else "score only"
