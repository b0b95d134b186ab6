"""`truetune push RUN NAME`: a run's bundle, or an exported folder, to a repository of the Hub."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.workflows.push import pushed


def run(args: argparse.Namespace) -> int:
    """Push, print where it is."""
    address = pushed(Path(args.run), args.name, not args.public, args.endpoint)
    show.as_json({"commit": address}) if args.json else print(address)
    return 0
