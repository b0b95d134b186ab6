"""`truetune demo`: the main job on embedded input."""

from __future__ import annotations

import argparse

from truetune.cli.finetune import print_result
from truetune.workflows.demo import demo, language_here


def run(args: argparse.Namespace) -> int:
    """Run it; 0 when it ran, whatever it found."""
    language = args.lang or language_here()
    print_result(demo(args.task, language, args.output), language, args.json)
    return 0
