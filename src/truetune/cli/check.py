"""`truetune check RUN|PATH`: small changes of texts, and how often the model does not answer as it should."""

from __future__ import annotations

import argparse
from pathlib import Path

from truetune.cli import show
from truetune.errors import ConfigError
from truetune.stats.plan import Plan
from truetune.workflows.behave import behaviour


def run(args: argparse.Namespace) -> int:
    """Print the rates; 1 where one is shown to be above `--most`."""
    if args.limit < 1:
        raise ConfigError(f"--limit {args.limit}: expected 1 or more")
    plan = Plan(args.level, args.resamples, args.seed)
    found = behaviour(Path(args.path), args.data, args.judged, args.limit, plan, args.device)
    above = [one for one in found if one.changed and one.low > args.most]
    if args.json:
        show.as_json({"checks": [one.to_dict() for one in found], "above": [one.name for one in above]})
        return 1 if above else 0
    share = f"{args.level:.0%}"
    rows = [
        [
            one.name,
            one.about,
            f"{one.changed:,}",
            f"{one.broken:,}",
            *(show.number(value) for value in (one.rate, one.low, one.high)),
        ]
        for one in found
    ]
    show.table("", ["change", "what", "texts", "broken", "rate", f"{share} low", f"{share} high"], rows)
    for one in found:
        for broken in one.examples[:1]:
            print(f"\n{one.name}: {broken.before} -> {broken.after}\n  {broken.text}\n  {broken.changed}")
    for one in above:
        print(f"\nfinding: {one.name} is broken more often than {args.most:g}")
    return 1 if above else 0
