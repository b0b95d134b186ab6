"""`truetune check-report FILE`: can this classification report be true?"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from truetune.cli import show
from truetune.errors import DataError
from truetune.evaluation.check_report import check_report


def run(args: argparse.Namespace) -> int:
    """Print the cells that cannot be true; 1 when there are any."""
    checked = check_report(_text(args.file), args.file)
    if args.json:
        show.as_json(checked.to_dict())
        return 0 if checked.consistent else 1
    if checked.consistent:
        print("consistent: every cell can be true within rounding")
    else:
        rows = [
            [f"line {found.line}", found.row, found.column, found.printed, found.shown, found.why]
            for found in checked.findings
        ]
        title = f"{len(rows)} cells cannot be true"
        show.table(title, ["where", "row", "column", "printed", "possible", "why"], rows)
    for note in checked.notes:
        show.note(f"note: {note}")
    return 0 if checked.consistent else 1


def _text(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror}); expected a classification report") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: byte {error.start} is not UTF-8; save the report as UTF-8") from None
