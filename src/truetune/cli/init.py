"""`truetune init DATA`: a commented config for a data file."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.errors import ConfigError
from truetune.files import write_text
from truetune.workflows.init import config_text, guessed


def run(args: argparse.Namespace) -> int:
    """Write the config; an existing file is never replaced."""
    guess = guessed(args.data, args.task)
    path = Path(args.output or f"{Path(args.data.partition(':')[2] or args.data).stem}.yaml")
    if path.exists():
        raise ConfigError(f"{path}: is there already; name another file with --output")
    source = args.data
    if Path(source).exists():
        source = _beside(Path(source), path)
    write_text(path, config_text(source, guess))
    if args.json:
        show.as_json({"config": str(path), "task": guess.task, "columns": dict(guess.columns), "group": guess.group})
    else:
        print(path)
        show.note(f"task {guess.task}; look the file over, then: truetune finetune {path}")
    return 0


def _beside(data: Path, config: Path) -> str:
    """Return the data's path as the config, wherever it stands, will find it."""
    try:
        return data.resolve().relative_to(config.resolve().parent).as_posix()
    except ValueError:
        return str(data.resolve())
