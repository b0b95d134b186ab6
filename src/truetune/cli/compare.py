"""`truetune compare`: a gate. 0 when the candidate is shown better (or, with a margin, not worse)."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from truetune.cli import show
from truetune.errors import TruetuneError
from truetune.evaluation.api import named
from truetune.evaluation.compare import ComparisonResult, Gate, compared, with_looks
from truetune.evaluation.tables import Aligned, aligned
from truetune.evaluation.verdict import sentence
from truetune.stats.plan import Plan
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.tasks.tokenized import tokenized


def run(args: argparse.Namespace) -> int:
    """Print the paired comparisons; 1 when nothing better (or not worse) is shown."""
    task, table = _inputs(args)
    if args.tokenizer:
        task = tokenized(task.name, args.tokenizer)
    earlier = _earlier(args, table)
    gate = Gate(args.metric, args.margin, Plan(args.level, args.resamples, args.seed), earlier)
    result = compared(task, table, gate=gate, slice_by=args.slice)
    result = with_looks(result, _looks(args, table, result.primary), earlier)
    if args.html:
        from truetune.reports.page import comparison_page, write

        write(Path(args.html), comparison_page(result.to_dict(), args.language))
    if args.json:
        show.as_json(result.to_dict())
    else:
        _print(result, args.level, args.margin)
    return 0 if result.passed else 1


def _earlier(args: argparse.Namespace, table: Aligned) -> int:
    """Return for how many systems beside these the test set was opened, as the ledger has it; 0 without one."""
    from truetune.workflows.looks import others_than_files, others_than_runs

    if args.runs:
        return others_than_runs([Path(run) for run in args.runs], args.ledger)
    return others_than_files(Path(args.ledger), table) if args.ledger else 0


def _looks(args: argparse.Namespace, table: Aligned, metric: str) -> int:
    """Return for how many systems the test set was opened, as the ledger has it; 0 without one."""
    from truetune.workflows.looks import looked_at_files, looks_of_run

    if args.runs:
        return looks_of_run(Path(args.runs[0]), args.ledger)
    if not args.ledger:
        return 0
    number = 0
    for name, columns in table.systems.items():
        one = replace(table, systems={name: columns})
        number = looked_at_files(Path(args.ledger), one, name, (metric, None))
    return number


def _inputs(args: argparse.Namespace) -> tuple[Task, Aligned]:
    if args.runs and not (args.gold or args.predicted):
        from truetune.workflows.rescore import runs_table

        return runs_table([Path(run) for run in args.runs], args.group)
    if args.runs or not (args.task and args.gold and args.predicted):
        raise TruetuneError("expected either two or more RUNs, or --task, --gold and --predicted FILE FILE...")
    if len(args.predicted) < 2:
        raise TruetuneError("--predicted names one file; expected the baseline's and one or more candidates'")
    task = task_named(args.task)
    return task, aligned(task.scoring, args.gold, named(args.predicted), args.group)


def _print(result: ComparisonResult, level: float, margin: float | None) -> None:
    print(f"baseline: {result.systems[0]}; the metric that decides: {result.primary}")
    show.comparisons(result.comparisons, level)
    for part in result.slices:
        print(f"\n{part.column} = {part.value}{f' ({part.warning})' if part.warning else ''}")
        show.comparisons(part.comparisons, level)
    show.signatures(result.comparisons)
    print()
    for one in result.comparisons:
        if one.metric == result.primary:
            print(sentence(one, level, margin))
    for warning in result.warnings:
        show.note(f"warning: {warning}")
    shown = f": {', '.join(result.shown)}" if len(result.systems) > 2 else ""
    print(f"passed{shown}" if result.passed else "not passed")
