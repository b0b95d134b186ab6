"""`truetune seeds`: several training runs of a recipe, and whether it is better than another one's."""

from __future__ import annotations

import argparse

from truetune.cli import show
from truetune.errors import TruetuneError
from truetune.evaluation.seeds import SeedsResult, seeds
from truetune.stats.plan import Plan


def run(args: argparse.Namespace) -> int:
    """Print means over runs, or differences of two such means; 0 whatever they are."""
    if not (args.task and args.gold):
        raise TruetuneError("expected --task, --gold and --predicted FILE FILE...")
    result = seeds(
        task=args.task,
        gold=args.gold,
        predicted=args.predicted,
        baseline=args.baseline,
        group=args.group,
        plan=Plan(level=args.level),
    )
    if args.json:
        show.as_json(result.to_dict())
    else:
        _print(result, args.level)
    return 0


def _print(result: SeedsResult, level: float) -> None:
    compared = bool(result.baseline_runs)
    print(f"{len(result.runs)} runs" + (f" less {len(result.baseline_runs)} of the baseline" if compared else ""))
    share = f"{level:.0%}"
    head = ["metric", "difference" if compared else "mean", f"{share} low", f"{share} high", "p", "between runs"]
    rows = [
        [
            score.metric,
            show.number(score.found.value, sign=compared),
            show.number(score.found.low, sign=compared),
            show.number(score.found.high, sign=compared),
            show.p_value(score.found.p_value),
            show.number(score.found.seed_deviation),
            score.reason,
        ]
        for score in result.scores
    ]
    show.table("", [*head, "reason"], rows)
