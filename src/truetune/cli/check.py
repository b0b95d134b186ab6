"""`truetune check RUN|PATH`: small changes of texts, and how often the model does not answer as it should."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.errors import ConfigError
from truetune.stats.plan import Plan
from truetune.workflows.behave import Texts, behaviour, kept_with_run


def run(args: argparse.Namespace) -> int:
    """Print the rates; 1 where one is shown to be above `--most`."""
    if args.limit < 1:
        raise ConfigError(f"--limit {args.limit}: expected 1 or more")
    plan = Plan(args.level, args.resamples, args.seed)
    found = behaviour(Path(args.path), Texts(args.data, args.limit, args.judged), args.most, plan, args.device)
    report = kept_with_run(Path(args.path), found)
    if args.json:
        show.as_json(found.to_dict() | {"report": None if report is None else str(report)})
        return 1 if found.above else 0
    share = f"{args.level:.0%}"
    rows = [
        [
            one.name,
            one.about,
            f"{one.changed:,}",
            f"{one.broken:,}",
            *(show.number(value) for value in (one.rate, one.low, one.high)),
        ]
        for one in found.checks
    ]
    show.table("", ["change", "what", "texts", "broken", "rate", f"{share} low", f"{share} high"], rows)
    for one in found.checks:
        for broken in one.examples[:1]:
            print(f"\n{one.name}: {broken.before} -> {broken.after}\n  {broken.text}\n  {broken.changed}")
    for name in found.above:
        print(f"\nfinding: {name} is broken more often than {args.most:g}")
    if report is not None:
        print(f"\n{report}")
    return 1 if found.above else 0
