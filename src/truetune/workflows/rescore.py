"""Runs as evaluations: their saved predictions, or their model on another labelled file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from truetune import config
from truetune.bundle.run_folder import RunFolder, finished_run
from truetune.data.dataset import Dataset
from truetune.data.keys import Keys
from truetune.data.parse import Columns, parsed
from truetune.data.read import read
from truetune.errors import DataError, RunError, nearest
from truetune.evaluation.api import named
from truetune.evaluation.tables import NO_GROUPS, Aligned, aligned_columns
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.workflows.model import training_of
from truetune.workflows.origin import stale_findings
from truetune.workflows.parts import input_fields, joined_columns, training_keys
from truetune.workflows.seen import with_seen
from truetune.workflows.systems import read_table


def run_task(run: RunFolder) -> Task:
    """Return the task of a run."""
    return task_named(config.load(run.config).task)


def run_primary(path: Path) -> str | None:
    """Return the metric that decides a run by its config; None for the task's primary one."""
    return config.load(finished_run(path).config).evaluate.metric


def run_table(path: Path, data: str | None = None, group: str | None = None) -> tuple[Task, Aligned]:
    """Return a run's task with its saved test predictions, or with its model's predictions for a labelled file."""
    run = finished_run(path)
    task = run_task(run)
    if data is None:
        return task, _examined(run, task, _grouped(read_table(task, {"after": run}), group))
    from truetune.workflows.predict import load

    training = training_of(task)
    renamed = joined_columns(config.load(run.config).data.columns)
    columns = parsed(read(data), input_fields(task), data, renamed=renamed)
    model = load(run.model)
    if training.head == "classify":
        _refuse_unknown(columns, model.bundle.labels)
    predicted = model.predict_columns([columns.fields[name] for name in training.inputs.names])
    groups = columns.others.get(group or "group") if group != NO_GROUPS else None
    table = aligned_columns(task.scoring, columns.ids, columns.fields, {"after": predicted}, groups)
    return task, with_seen(task, table, _trained_on(run))


def _examined(run: RunFolder, task: Task, table: Aligned) -> Aligned:
    """Return saved predictions with what is wrong with where they come from."""
    seen = with_seen(task, table, _trained_on(run))
    return replace(seen, findings=(*stale_findings(run), *seen.findings))


def _trained_on(run: RunFolder) -> Keys | None:
    return training_keys(Dataset.open(run.data("train"))) if run.data("train").is_file() else None


def _refuse_unknown(columns: Columns, known: Sequence[str]) -> None:
    """Raise `DataError` that lists every label which the model gives no probability."""
    problems = [
        f"{place}: the model does not know label {label!r}; {nearest(label, known)}"
        for name in ("label", "labels")
        for place, value in zip(columns.places, columns.fields.get(name, ()), strict=False)
        for label in ([value] if isinstance(value, str) else value or ())
        if label not in known
    ]
    if problems:
        raise DataError(f"{columns.where}: {len(problems):,} labels unknown to the model", problems)


def runs_table(paths: Sequence[Path], group: str | None = None) -> tuple[Task, Aligned]:
    """Return the task of several runs with the test predictions of each; the first is the baseline.

    Raises `RunError` for a single run, and for runs of different tasks.
    """
    if len(paths) < 2:
        raise RunError(f"one run was given ({paths[0]}); expected the baseline and one or more candidates")
    runs = {name: finished_run(Path(str(path))) for name, path in named([str(path) for path in paths]).items()}
    tasks = {run_task(run).name for run in runs.values()}
    if len(tasks) > 1:
        raise RunError(f"the runs are of different tasks ({', '.join(sorted(tasks))}); compare runs of one task")
    task = task_named(tasks.pop())
    table = _grouped(read_table(task, runs), group)
    stale = [
        replace(one, examples=tuple(f"{name}: {changed}" for changed in one.examples))
        for name, run in runs.items()
        for one in stale_findings(run)
    ]
    return task, replace(table, findings=tuple(stale))


def _grouped(table: Aligned, group: str | None) -> Aligned:
    """Saved tables have one group column; `none` sets it aside."""
    if group in (None, "group"):
        return table
    if group != NO_GROUPS:
        raise RunError(f"a run has the groups of its data.group; --group {group} goes with files. Use --group none")
    return Aligned(table.ids, table.gold, table.systems, None, table.others, table.warnings)
