"""`truetune predict RUN FILE`: label the texts of a file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from truetune.cli import show
from truetune.files import whole_file
from truetune.workflows.predict import load
from truetune.workflows.predict_file import predicted_file
from truetune.workflows.progress import Progress


def run(args: argparse.Namespace) -> int:
    """Write one JSON object a text: its id and what the model predicts."""
    rows = predicted_file(load(args.run), args.file, Progress())
    if args.output:
        with whole_file(Path(args.output)) as temporary, temporary.open("w", encoding="utf-8") as file:
            number = sum(1 for line in _lines(rows) if file.write(line))
        show.as_json({"predictions": args.output, "examples": number}) if args.json else print(args.output)
    else:
        for line in _lines(rows):
            print(line, end="")
    return 0


def _lines(rows: Iterator[dict[str, Any]]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, ensure_ascii=False) + "\n"
