"""`truetune live-compare LOG`: is the second model of a server shown better?"""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.live.journal import NAME, read_journal
from truetune.live.versus import versus


def run(args: argparse.Namespace) -> int:
    """Print the verdict and what it comes from; 0 when the second is shown better, else 1."""
    path = Path(args.log)
    found = versus(read_journal(path / NAME if path.is_dir() else path), args.alpha)
    if args.json:
        show.as_json(found.to_dict())
    else:
        from truetune.reports.sections.versus import versus_sentences
        from truetune.reports.words import say_in

        for line in versus_sentences(say_in(args.language), found.to_dict()):
            print(line)
    return 0 if found.verdict == "better" else 1
