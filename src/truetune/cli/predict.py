"""`truetune predict RUN FILE`: label the texts of a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.errors import ConfigError
from truetune.workflows.predict import load
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.predict_written import Unfinished, line_of, written
from truetune.workflows.progress import Progress
from truetune.workflows.served import identity_of


def run(args: argparse.Namespace) -> int:
    """Write one JSON object a text: its id and what the model predicts."""
    if args.resume and not args.output:
        raise ConfigError("--resume goes on with a file; name it: --output FILE")
    model = load(args.run)
    if args.output:
        output = Path(args.output)
        number = written(model, args.file, Unfinished(output, identity_of(Path(args.run)), args.resume), Progress())
        show.as_json({"predictions": args.output, "examples": number}) if args.json else print(args.output)
    else:
        for row in predicted_file(model, args.file, Progress()):
            print(line_of(row), end="")
    return 0
