"""`truetune preference`: which system judges prefer."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.evaluation.preference import preference
from truetune.stats.plan import Plan


def run(args: argparse.Namespace) -> int:
    """Print ratings and win rates; 0 whatever they are."""
    plan = Plan(args.level, args.resamples, args.seed)
    result = preference(args.file, group=args.group, prior=args.prior, plan=plan)
    if args.json:
        show.as_json(result.to_dict())
        return 0
    show.scores(result.scores, args.level)
    print("\nshare of points of the row's system against the column's")
    rows = [
        [system, *(show.number(float(rate)) for rate in rates)]
        for system, rates in zip(result.systems, result.win_rates, strict=True)
    ]
    show.table("", ["", *result.systems], rows)
    show.signatures(result.scores)
    for warning in result.warnings:
        show.note(f"warning: {warning}")
    return 0
