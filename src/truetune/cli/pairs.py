"""`truetune pairs FILE`: texts with triples as the marked pairs that `relations` learns from."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.files import write_text
from truetune.workflows.predict_written import line_of
from truetune.workflows.triples import pairs_of_file


def run(args: argparse.Namespace) -> int:
    """Write one JSON object a pair, and say how many there are."""
    made = pairs_of_file(args.file, args.none, args.negatives, args.seed)
    write_text(Path(args.output), "".join(map(line_of, made.rows)))
    counts = {"pairs": len(made.rows), "related": made.related, "several": made.several, "left_out": made.left_out}
    if args.json:
        show.as_json({"output": args.output, **counts})
        return 0
    print(f"{len(made.rows):,} pairs, {made.related:,} with a relation, the others {args.none!r}")
    if made.several:
        print(f"{made.several:,} pairs have another relation too; the first is kept")
    if made.left_out:
        print(f"{made.left_out:,} pairs without a relation were left out (--negatives {args.negatives})")
    print(args.output)
    return 0
