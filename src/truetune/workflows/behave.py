"""`truetune check`: how a model takes small changes of texts, those of a file or of its run's validation part."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from truetune.bundle.run_folder import RunFolder
from truetune.data.dataset import Dataset
from truetune.data.parse import parsed
from truetune.data.read import read
from truetune.errors import DataError, ModelError
from truetune.evaluation.behaviour.check import Checked, checked
from truetune.stats.plan import Plan
from truetune.workflows.model import training_of
from truetune.workflows.predict import load
from truetune.workflows.progress import Progress


def behaviour(
    path: Path, data: str | None, judged: Sequence[str], limit: int, plan: Plan, device: str = "auto"
) -> tuple[Checked, ...]:
    """Return how often the model of a run, or an exported one, breaks each expectation.

    At most `limit` texts are changed, drawn by the plan's seed. Raises `ModelError` for a model that gives no labels,
    `DataError` where there are no texts.
    """
    model = load(path, device)
    training = training_of(model.task)
    if training.head != "classify" or training.inputs.given not in (("text",), ("first", "second")):
        raise ModelError(
            f"{path}: the task {model.task.name} gives no label to a text or to two; only models that do are checked"
        )
    columns = _columns(path, data, training.inputs.names, training.inputs.fields)
    if not len(columns[0]):
        raise DataError(f"{data or path}: holds no text to be changed; give texts with --data FILE")
    places = np.sort(plan.generator("texts that are changed").permutation(len(columns[0]))[:limit])
    texts = [columns[0][place] for place in places.tolist()]
    rest = [[column[place] for place in places.tolist()] for column in columns[1:]]

    def predict(rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
        given = [[text for _, text in rows], *([column[place] for place, _ in rows] for column in rest)]
        found = model.predict_columns(given, Progress(quiet=True))
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]

    return checked(texts, predict, judged, plan)


def _columns(path: Path, data: str | None, names: Sequence[str], fields: Any) -> list[list[Any]]:
    if data is not None:
        found = parsed(read(data), [fields], data)
        return [list(found.fields[name]) for name in names]
    run = RunFolder(path)
    if not run.data("validation").is_file():
        raise DataError(f"{path}: is no run with its data; give texts with --data FILE")
    part = Dataset.open(run.data("validation"))
    return [list(part.column(name)) for name in names]
