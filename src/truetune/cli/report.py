"""`truetune report RUN`: the page again, from saved files alone."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune import config
from truetune.bundle.run_folder import finished_run
from truetune.cli import show
from truetune.reports.page import run_page, write


def run(args: argparse.Namespace) -> int:
    """Write the page and say where it is."""
    folder = finished_run(Path(args.run))
    language = args.language or config.load(folder.config).track.language
    page = Path(args.output) if args.output else folder.report
    write(page, run_page(folder.path, language))
    if args.json:
        show.as_json({"run": str(folder.path), "report": str(page), "language": language})
    else:
        print(page)
    return 0
