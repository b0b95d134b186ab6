"""`truetune label-next RUN FILE`: which texts to label next."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from truetune.cli import show
from truetune.files import write_text
from truetune.optimization.label_next import LabelNext, Wanted, label_next


def run(args: argparse.Namespace) -> int:
    """Print what to label, the most wanted first, or write it as JSONL."""
    found = label_next(args.run, args.file, args.number)
    if args.output:
        lines = [json.dumps(one.to_dict(), ensure_ascii=False) + "\n" for one in found.wanted]
        write_text(Path(args.output), "".join(lines))
    if args.json:
        show.as_json(found.to_dict())
    else:
        _print(found, args.output)
    return 0


def _print(found: LabelNext, output: str | None) -> None:
    print(f"{found.texts:,} texts, {found.known:,} of which the run has already or stand twice")
    if output:
        print(output)
    else:
        show.table("", ["id", "doubt", "label", "weak", "text"], map(_row, found.wanted))
    for one in found.more:
        gain = f"{one['low']:+.4f} to {one['high']:+.4f} (as far as frozen features tell)"
        print(f"{one['examples']:,} more labels of texts drawn at random would bring {gain}")
    if not found.more:
        print("what more labels would bring: `truetune diagnose RUN` estimates it")


def _row(one: Wanted) -> list[str]:
    said = one.predicted if isinstance(one.predicted, str) else ", ".join(one.predicted)
    rules = [" and ".join(f"{part.what} {part.value}".strip() for part in rule) for rule in one.weak]
    return [one.id, f"{one.doubt:.3f}", said, "; ".join(rules), " | ".join(map(str, one.fields.values()))[:200]]
