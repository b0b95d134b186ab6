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
from truetune.evaluation.evaluate import Asked, EvaluationResult, Slice, evaluated
from truetune.evaluation.tables import Aligned, aligned
from truetune.evaluation.weak import FEWEST_EXAMPLES, WeakSlices, weak_slices
from truetune.stats.plan import Plan
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.tasks.tokenized import tokenized


def run(args: argparse.Namespace) -> int:
    """Print the scores; 0 whatever they are, 1 where a stated score (`--claimed`) is not that of the predictions."""
    files = args.task and args.gold and args.predicted
    if not (args.run or files) or (args.run and (args.gold or args.predicted)):
        raise TruetuneError("expected either RUN, or --task, --gold and --predicted")
    table, task = _table(args), _task(args)
    result = _result(args, task, table)
    wrong = tuple(claim_findings(task, table, claims_of(args.claimed))) if args.claimed and table else ()
    result = replace(result, findings=(*wrong, *result.findings), warnings=(*told(wrong), *result.warnings))
    if table and (args.ledger or (args.run and args.data)):
        result = replace(result, warnings=(*result.warnings, *_told_looks(args, table, result)))
    weak = weak_slices(table, Plan(args.level, args.resamples, args.seed)) if args.weak and table else None
    saved = result.to_dict() | ({"weak": weak.to_dict() if weak else None} if args.weak else {})
    if args.html:
        from truetune.reports.page import scores_page, write

        write(Path(args.html), scores_page(saved, args.language))
    if args.json:
        show.as_json(saved)
    else:
        _print(result, args.level)
        if args.weak:
            _print_weak(weak)
    return 1 if wrong else 0


def _table(args: argparse.Namespace) -> Aligned | None:
    """Return what is scored, read once; None for files of which the scores alone are asked: they may be streamed."""
    if args.run:
        from truetune.workflows.rescore import run_table

        return run_table(Path(args.run), args.data, args.group)[1]
    if not (args.claimed or args.ledger or args.weak):
        return None
    return aligned(_task(args).scoring, args.gold, {"predicted": args.predicted}, args.group)


def _told_looks(args: argparse.Namespace, table: Aligned, result: EvaluationResult) -> tuple[str, ...]:
    """Write the look into the ledger (of a run the one beside it, unless it is named); say how many systems it has."""
    value = result.score(result.primary).value
    measured = (result.primary, value if value == value else None)
    if args.run:
        number = _looks_of_run(args, table, measured)
    else:
        from truetune.workflows.looks import looked_at_files

        number = looked_at_files(Path(args.ledger), table, args.predicted, measured)
    return (
        (f"this test set was opened for {number:,} systems so far: compare them with --ledger",) if number > 1 else ()
    )


def _looks_of_run(args: argparse.Namespace, table: Aligned, measured: tuple[str, float | None]) -> int:
    from truetune.bundle.run_folder import finished_run
    from truetune.workflows.looks import looked, looked_at_data
    from truetune.workflows.rescore import run_table

    run = finished_run(Path(args.run))
    if not args.data:
        return looked(Path(args.ledger), run, measured)
    return looked_at_data(run, (table, run_table(run.path)[1]), measured, Path(args.ledger) if args.ledger else None)


def _task(args: argparse.Namespace) -> Task:
    """Return the task of a run or of files."""
    if args.run:
        from truetune.bundle.run_folder import RunFolder
        from truetune.workflows.rescore import run_task

        task = run_task(RunFolder(Path(args.run)))
        return tokenized(task.name, args.tokenizer) if args.tokenizer else task
    return tokenized(args.task, args.tokenizer) if args.tokenizer else task_named(args.task)


def _result(args: argparse.Namespace, task: Task, table: Aligned | None) -> EvaluationResult:
    asked = Asked(args.metric, args.slice, Plan(args.level, args.resamples, args.seed))
    if table is None:
        return scored(task, (args.gold, args.predicted), args.group, asked)
    primary = None
    if args.run:
        from truetune.workflows.rescore import run_primary

        primary = run_primary(Path(args.run))
        if asked.names and primary not in asked.names:
            primary = None
    return evaluated(task, table, names=asked.names, slice_by=asked.slice_by, plan=asked.plan, primary=primary)


def _print_weak(found: WeakSlices | None) -> None:
    if found is None:
        show.note(f"note: --weak needs {FEWEST_EXAMPLES} examples and a task whose single examples can be wrong")
        return
    print(
        f"\nwhere it is worst: {found.rules:,} rules ranked on {found.found_on:,} examples, the worst measured on "
        f"{found.confirmed_on:,} others ({found.loss}, mean {show.number(found.mean)})"
    )
    rows = [
        [
            " and ".join(f"{one.what} {one.value}".strip() for one in part.rule),
            f"{part.examples:,}",
            *(show.number(value) for value in (part.value, part.low, part.high, part.rest)),
            show.p_value(part.p_adjusted),
            "shown" if part.shown else "not shown",
        ]
        for part in found.slices
    ]
    show.table("", ["rule", "examples", "there", "low", "high", "all others", "adjusted p", "worse"], rows)


def _print(result: EvaluationResult, level: float) -> None:
    show.scores(result.scores, level)
    for part in result.slices:
        print(f"\n{part.column} = {part.value}{f' ({part.warning})' if part.warning else ''}{_rest(part)}")
        show.scores(part.scores, level)
    show.signatures(result.scores)
    for warning in result.warnings:
        show.note(f"warning: {warning}")
    for one in result.findings:
        if one.severity == "note":
            show.note(f"note: {one.check} ({one.count:,}): {one.advice}")


def _rest(part: Slice) -> str:
    found = part.against_rest
    if found is None or found.difference != found.difference:
        return ""
    p_value = "" if part.p_adjusted != part.p_adjusted else f", adjusted p {show.p_value(part.p_adjusted)}"
    return f": {found.difference:+.4f} against the rest{p_value}"
