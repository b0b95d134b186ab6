"""`truetune drift BUNDLE FILE`: has what a model meets changed since validation?"""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.errors import ConfigError
from truetune.workflows.observed import Asked, file_drift, made_reference
from truetune.workflows.progress import Progress


def run(args: argparse.Namespace) -> int:
    """Print what moved, and write the page; 1 when drift is shown."""
    path = Path(args.path)
    if args.reference:
        folder = made_reference(path, Progress())
        if args.file is None:
            show.as_json({"reference": str(folder)}) if args.json else print(folder)
            return 0
    if args.file is None:
        raise ConfigError("no file was given; expected inputs or predictions to hold against the reference")
    found = file_drift(path, Asked(args.file, args.alpha, args.seed), Progress())
    from truetune.reports.sections.drift import drift_head, drift_table
    from truetune.reports.words import say_in

    if args.html:
        from truetune.reports.page import drift_page, write

        write(Path(args.html), drift_page(found.to_dict(), Path(args.file).name, args.language))
    if args.json:
        show.as_json(found.to_dict())
    else:
        say = say_in("en")
        told = drift_table(say, found.to_dict())
        head = drift_head(say, found.to_dict(), Path(args.file).name)
        show.table("", [one.title for one in told.columns], [[cell.text for cell in row] for row in told.rows])
        print(head.statement)
        for line in head.lines:
            show.note(line)
    return 1 if found.shown else 0
