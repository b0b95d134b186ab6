"""`truetune evaluate`: scores of anybody's prediction files, or of a run."""

from __future__ import annotations

import argparse
from dataclasses import replace
from pathlib import Path

from truetune.cli import show
from truetune.errors import TruetuneError
from truetune.evaluation.api import scored
from truetune.evaluation.doctor.claims import claim_findings, claims_of
from truetune.evaluation.doctor.examine import told
from truetune.evaluation.evaluate import Asked, EvaluationResult, evaluated
from truetune.evaluation.tables import aligned
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named
from truetune.types import Finding


def run(args: argparse.Namespace) -> int:
    """Print the scores; 0 whatever they are, 1 where a stated score (`--claimed`) is not that of the predictions."""
    result = _result(args, Asked(args.metric, args.slice, Plan(args.level, args.resamples, args.seed)))
    wrong = _wrong_claims(args) if args.claimed else ()
    result = replace(result, findings=(*wrong, *result.findings), warnings=(*told(wrong), *result.warnings))
    if args.ledger and args.gold:
        result = replace(result, warnings=(*result.warnings, *_told_looks(args, result)))
    if args.html:
        from truetune.reports.page import scores_page, write

        write(Path(args.html), scores_page(result.to_dict(), args.language))
    if args.json:
        show.as_json(result.to_dict())
    else:
        _print(result, args.level)
    return 1 if wrong else 0


def _told_looks(args: argparse.Namespace, result: EvaluationResult) -> tuple[str, ...]:
    """Write the look into the ledger; say how many systems there are in it."""
    from truetune.workflows.looks import looked_at_files

    task = task_named(args.task)
    table = aligned(task.scoring, args.gold, {"predicted": args.predicted}, args.group)
    value = result.score(result.primary).value
    measured = (result.primary, value if value == value else None)
    number = looked_at_files(Path(args.ledger), table, args.predicted, measured)
    return (
        (f"this test set was opened for {number:,} systems so far: compare them with --ledger",) if number > 1 else ()
    )


def _wrong_claims(args: argparse.Namespace) -> tuple[Finding, ...]:
    claims = claims_of(args.claimed)
    if args.run:
        from truetune.workflows.rescore import run_table

        return tuple(claim_findings(*run_table(Path(args.run), args.data, args.group), claims))
    task = task_named(args.task)
    table = aligned(task.scoring, args.gold, {"predicted": args.predicted}, args.group)
    return tuple(claim_findings(task, table, claims))


def _result(args: argparse.Namespace, asked: Asked) -> EvaluationResult:
    if args.run and not (args.gold or args.predicted):
        from truetune.workflows.rescore import run_primary, run_table

        path = Path(args.run)
        task, table = run_table(path, args.data, args.group)
        return evaluated(task, table, slice_by=asked.slice_by, plan=asked.plan, primary=run_primary(path))
    if args.run or not (args.task and args.gold and args.predicted):
        raise TruetuneError("expected either RUN, or --task, --gold and --predicted")
    return scored(task_named(args.task), (args.gold, args.predicted), args.group, asked)


def _print(result: EvaluationResult, level: float) -> None:
    show.scores(result.scores, level)
    for part in result.slices:
        print(f"\n{part.column} = {part.value}{f' ({part.warning})' if part.warning else ''}")
        show.scores(part.scores, level)
    show.signatures(result.scores)
    for warning in result.warnings:
        show.note(f"warning: {warning}")
