"""`truetune schema`: the JSON schema of the config file."""

from __future__ import annotations

import argparse

from truetune import config
from truetune.cli import show


def run(args: argparse.Namespace) -> int:
    """Print the schema, which is JSON with or without `--json`."""
    show.as_json(config.schema())
    return 0
