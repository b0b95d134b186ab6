"""A scored system of a run: its predictions on the test part and what they are worth, saved."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from truetune.bundle.run_folder import RunFolder
from truetune.config import Evaluate
from truetune.data.arrow import read_parquet_columns, write_parquet
from truetune.errors import DataError
from truetune.evaluation.evaluate import EvaluationResult, evaluated
from truetune.evaluation.tables import Aligned, aligned_columns
from truetune.evaluation.unlearnt import with_unlearnt
from truetune.files import write_json
from truetune.stats.plan import Plan
from truetune.tasks.base import Task
from truetune.workflows.origin import write_origin
from truetune.workflows.parts import TaskData
from truetune.workflows.seen import with_seen

GOLD, PREDICTED = "gold.", "predicted."
"""Prefixes of columns in the predictions table."""


def plan_of(settings: Evaluate) -> Plan:
    """Return how sure the numbers of a run are to be."""
    return Plan(settings.level, settings.resamples, settings.seed)


def table_of(data: TaskData, part: str, predicted: Mapping[str, Mapping[str, Sequence[Any]]]) -> Aligned:
    """Return gold of a part with the predictions of systems, as evaluation reads them."""
    examples = data.parts[part]
    fields = {name: examples.column(name) for name in examples.fields}
    systems = {name: with_unlearnt(columns, fields) for name, columns in predicted.items()}
    return aligned_columns(data.task.scoring, examples.ids, fields, systems, examples.groups)


def write_system(
    run: RunFolder, folder: str, name: str, data: TaskData, predicted: Mapping[str, Sequence[Any]], settings: Evaluate
) -> EvaluationResult:
    """Save a system's predictions on the test part and their scores; scores last, so that they mean done."""
    part = data.parts["test"]
    gold = data.gold("test")
    predicted = with_unlearnt(predicted, gold)
    columns: dict[str, Sequence[Any]] = {"id": part.ids}
    if part.groups is not None:
        columns["group"] = part.groups
    columns |= {name: part.column(name) for name in data.inputs.names}
    columns |= {GOLD + name: list(values) for name, values in gold.items()}
    columns |= {PREDICTED + name: values for name, values in predicted.items()}
    write_parquet(run.predictions(folder), columns)
    write_origin(run, folder)
    table = with_seen(data.task, table_of(data, "test", {name: predicted}), data.training_keys)
    result = evaluated(data.task, table, plan=plan_of(settings), primary=settings.metric)
    write_json(run.scores(folder), {"system": name, **result.to_dict()})
    return result


def read_predicted(run: RunFolder, folder: str) -> dict[str, list[Any]]:
    """Return the predicted columns of a saved system."""
    columns = read_parquet_columns(run.predictions(folder))
    return {name.removeprefix(PREDICTED): values for name, values in columns.items() if name.startswith(PREDICTED)}


def read_table(task: Task, runs: Mapping[str, RunFolder], folder: str = "after") -> Aligned:
    """Return the saved predictions of several runs over the same examples.

    Raises `DataError` where their test parts are not the same.
    """
    saved = {name: read_parquet_columns(run.predictions(folder)) for name, run in runs.items()}
    first_name, first = next(iter(saved.items()))
    systems = {}
    for name, columns in saved.items():
        place = {one: position for position, one in enumerate(columns["id"])}
        gold = [column for column in columns if column.startswith(GOLD)]
        same = set(place) == set(first["id"]) and all(
            [columns[column][place[one]] for one in first["id"]] == first.get(column) for column in gold
        )
        if not same:
            raise DataError(
                f"the runs {first_name} and {name} were tested on different examples, so they cannot be compared; "
                "give both the same data and data.split_seed"
            )
        systems[name] = {
            column.removeprefix(PREDICTED): [values[place[one]] for one in first["id"]]
            for column, values in columns.items()
            if column.startswith(PREDICTED)
        }
    fields = {name.removeprefix(GOLD): values for name, values in first.items() if name.startswith(GOLD)}
    inputs = task.training.inputs.names if task.training is not None else ()
    fields |= {name: first[name] for name in inputs if name in first}
    return aligned_columns(task.scoring, first["id"], fields, systems, first.get("group"))
