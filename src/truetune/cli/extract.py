"""`truetune extract ENTITIES RELATIONS FILE`: the triples of texts, by two runs."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.files import write_text
from truetune.workflows.predict import load
from truetune.workflows.predict_written import line_of
from truetune.workflows.progress import Progress
from truetune.workflows.triples import Extractor, extracted_file


def run(args: argparse.Namespace) -> int:
    """Write one JSON object a text: its id, its entities and its triples."""
    rows = extracted_file(Extractor(load(args.entities), load(args.relations)), args.file, Progress(quiet=args.json))
    if args.output:
        lines = [line_of(row) for row in rows]
        write_text(Path(args.output), "".join(lines))
        show.as_json({"triples": args.output, "examples": len(lines)}) if args.json else print(args.output)
    else:
        for row in rows:
            print(line_of(row), end="")
    return 0
