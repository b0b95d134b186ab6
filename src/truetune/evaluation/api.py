"""The verbs `evaluate` and `compare` of the Python API: files or lists in, results out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune.errors import DataError
from truetune.evaluation.compare import ComparisonResult, Gate, compared
from truetune.evaluation.doctor.claims import Claim, claim_findings
from truetune.evaluation.evaluate import Asked, EvaluationResult, evaluated
from truetune.evaluation.incremental import Evaluation
from truetune.evaluation.streaming import streamable, streamed
from truetune.evaluation.tables import Source, aligned
from truetune.stats.plan import Plan
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.types import Finding


def evaluate(
    *,
    task: str | Task,
    gold: Source,
    predicted: Source,
    group: str | Sequence[Any] | None = None,
    slice: str | None = None,
    plan: Plan | None = None,
) -> EvaluationResult:
    """Score predictions against gold: every metric of the task that applies, with intervals.

    `task` is a name, or what `tokenized` returns: a task whose BLEU and TER take a tokeniser that is named.
    `gold` and `predicted` are files, or lists in the form that the files have (labels as strings, spans as
    triples, texts; or records). `group` names the column that groups examples, or lists the groups; `slice`
    names a column of gold whose values are scored by themselves too. Two Parquet files with the same ids in the
    same order are streamed: they may be larger than memory.
    """
    return scored(task_named(task), (gold, predicted), group, Asked(None, slice, plan or Plan()))


def scored(
    task: Task, files: tuple[Source, Source], group: str | Sequence[Any] | None, asked: Asked
) -> EvaluationResult:
    """Return the scores of gold and predicted; streamed, as `evaluate` tells, where that can be."""
    gold, predicted = files
    if task.scoring.together is None and (group is None or isinstance(group, str)):
        parts = streamable(gold, predicted)
        if parts is not None:
            evaluation = Evaluation(task, group=group, slice=asked.slice_by, metrics=asked.names, plan=asked.plan)
            return streamed(evaluation, *parts)
    table = aligned(task.scoring, gold, {"predicted": predicted}, group)
    return evaluated(task, table, names=asked.names, slice_by=asked.slice_by, plan=asked.plan)


def check_scores(
    *,
    task: str | Task,
    gold: Source,
    predicted: Source,
    claimed: Mapping[str, str | float],
    group: str | Sequence[Any] | None = None,
) -> tuple[Finding, ...]:
    """Return what is wrong with scores that somebody states of predictions: nothing where they are theirs.

    `claimed` maps metrics to numbers as they are printed (`"0.873"`, `"87.3%"`): their digits say how exactly they
    are known. A finding names the wrong computations that give the stated number: a mean over batches, another metric.
    """
    known = task_named(task)
    table = aligned(known.scoring, gold, {"predicted": predicted}, group)
    return tuple(claim_findings(known, table, [Claim(name, str(value)) for name, value in claimed.items()]))


def compare(
    *,
    task: str | Task,
    gold: Source,
    predicted: Sequence[Source] | Mapping[str, Source],
    group: str | Sequence[Any] | None = None,
    slice: str | None = None,
    gate: Gate | None = None,
) -> ComparisonResult:
    """Compare systems on the same examples; the first is the baseline.

    `predicted` holds two or more files or lists, or names them in a mapping. `gate` says which metric decides, how
    much worse a candidate may be at most (without a margin it must be better), and with which level, resamples and
    seed that is shown: `Gate("f1_macro", margin=0.01, plan=Plan(level=0.99))`. `slice` names a column of gold; the
    metric that decides is compared on each of its values too. `.passed` of the result is the verdict.
    """
    known = task_named(task)
    systems = predicted if isinstance(predicted, Mapping) else named(predicted)
    if len(systems) < 2:
        raise DataError(f"expected the predictions of two or more systems, found {len(systems)}")
    table = aligned(known.scoring, gold, systems, group)
    return compared(known, table, gate=gate, slice_by=slice)


def named(sources: Sequence[Source]) -> dict[str, Source]:
    """Name systems by their files, or by their place where they are lists; equal names are told apart."""
    paths = [str(source) if isinstance(source, str | Path) else "" for source in sources]
    stems = [Path(path).stem if path else f"system {place}" for place, path in enumerate(paths, start=1)]
    if len(set(stems)) < len(stems):
        stems = [path or stem for path, stem in zip(paths, stems, strict=True)]
    if len(set(stems)) < len(stems):
        stems = [f"{stem} ({place})" for place, stem in enumerate(stems, start=1)]
    return dict(zip(stems, sources, strict=True))
