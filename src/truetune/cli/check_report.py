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
    checked = check_report(_text(args.file))
    if args.json:
        show.as_json(checked.to_dict())
        return 0 if checked.consistent else 1
    if checked.consistent:
        print("consistent: every cell can be true within rounding")
        return 0
    rows = [
        [
            found.row,
            found.column,
            found.printed,
            f"{found.possible[0]:.4f} to {found.possible[1]:.4f}",
            found.why,
        ]
        for found in checked.findings
    ]
    show.table(f"{len(rows)} cells cannot be true", ["row", "column", "printed", "possible", "why"], rows)
    return 1


def _text(name: str) -> str:
    if name == "-":
        return sys.stdin.read()
    try:
        return Path(name).read_text(encoding="utf-8-sig")
    except OSError as error:
        raise DataError(f"{name}: cannot be read ({error.strerror}); expected a classification report") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{name}: byte {error.start} is not UTF-8; save the report as UTF-8") from None
