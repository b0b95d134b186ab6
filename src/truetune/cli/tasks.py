"""`truetune tasks`: a line a task."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.tasks.table import TASKS


def run(args: argparse.Namespace) -> int:
    """List the tasks, whether each can be trained, and its primary metric."""
    found = [
        {
            "task": task.name,
            "about": task.about,
            "about_zh": task.about_zh,
            "trains": task.training is not None,
            "primary": list(task.scoring.primary),
        }
        for task in TASKS.values()
    ]
    if args.json:
        show.as_json({"tasks": found})
        return 0
    rows = [[str(one["task"]), str(one["about"]), "yes" if one["trains"] else "score only"] for one in found]
    show.table("", ["task", "about", "fine-tunes"], rows)
    return 0
