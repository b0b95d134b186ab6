"""`truetune agreement`: how far raters agree."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.evaluation.agreement import agreement
from truetune.stats.plan import Plan


def run(args: argparse.Namespace) -> int:
    """Print the coefficients; 0 whatever they are."""
    plan = Plan(args.level, args.resamples, args.seed)
    result = agreement(args.file, scale=args.scale, values=args.values, raters=args.raters, group=args.group, plan=plan)
    if args.json:
        show.as_json(result.to_dict())
        return 0
    print(f"{result.items:,} items, raters {', '.join(result.raters)}, {result.scale} values")
    show.scores(result.scores, args.level)
    show.signatures(result.scores)
    for warning in result.warnings:
        show.note(f"warning: {warning}")
    return 0
