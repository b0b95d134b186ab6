"""`truetune finetune CONFIG`: from labelled data to a verdict."""

from __future__ import annotations

import argparse

from truetune import config
from truetune.cli import show
from truetune.tasks.table import TASKS
from truetune.workflows.finetune import FinetuneResult, finetune


def run(args: argparse.Namespace) -> int:
    """Run it; 0 when it ran, whatever it found."""
    settings = config.load(args.config, args.overrides, TASKS)
    named = settings.model_copy(
        update={"track": settings.track.model_copy(update={"name": settings.track.name or _stem(args.config)})}
    )
    print_result(finetune(named, resume=args.resume), named.track.language, args.json)
    return 0


def print_result(result: FinetuneResult, language: str, as_json: bool) -> None:
    """Print the three lines of the verdict and where the page is, or all of it as JSON."""
    if as_json:
        show.as_json(result.to_dict())
        return
    for line in result.verdict["lines"][language]:
        print(line)
    print(result.run / "report.html")


def _stem(path: str) -> str:
    from pathlib import Path

    return Path(path).stem
