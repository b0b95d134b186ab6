"""`truetune check`: how a model takes small changes of texts, those of a file or of its run's validation part.

What is found of a finished run is saved with it and stands in its report.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from truetune import config
from truetune.bundle.run_folder import RunFolder
from truetune.data.dataset import Dataset
from truetune.data.parse import parsed
from truetune.data.read import read
from truetune.errors import DataError, ModelError
from truetune.evaluation.behaviour.check import Checked, checked
from truetune.files import write_json
from truetune.reports.page import run_page, write
from truetune.stats.plan import Plan
from truetune.workflows.model import training_of
from truetune.workflows.predict import load
from truetune.workflows.progress import Progress


@dataclass(frozen=True)
class Texts:
    """Which texts are changed: those of a file, or of the run's validation part; at most so many."""

    data: str | None = None
    limit: int = 500
    judged: Sequence[str] = ()
    """Labels that a negation turns round."""


@dataclass(frozen=True)
class Behaviour:
    """How a model takes each change."""

    checks: tuple[Checked, ...]
    texts: int
    """How many were asked about, changed or not."""
    asked: Texts
    level: float
    most: float

    @property
    def above(self) -> list[str]:
        """The changes whose rate is shown to be above `most`."""
        return [one.name for one in self.checks if one.changed and one.low > self.most]

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "checks": [one.to_dict() for one in self.checks],
            "above": self.above,
            "most": self.most,
            "level": self.level,
            "texts": self.texts,
            "source": None if self.asked.data is None else Path(self.asked.data).name,
            "judged": list(self.asked.judged),
        }


def kept_with_run(path: Path, found: Behaviour) -> Path | None:
    """Save what was found in a finished run, and its report with it; None for a model that is not in one."""
    run = RunFolder(path)
    if not (run.config.is_file() and run.finished):
        return None
    write_json(run.behaviour, found.to_dict())
    write(run.report, run_page(run.path, config.load(run.config).track.language))
    return run.report


def behaviour(path: Path, asked: Texts, most: float, plan: Plan, device: str = "auto") -> Behaviour:
    """Return how often the model of a run, or an exported one, breaks each expectation.

    Texts are drawn by the plan's seed. Raises `ModelError` for a model that gives no labels,
    `DataError` where there are no texts.
    """
    model = load(path, device)
    training = training_of(model.task)
    if training.head != "classify" or training.inputs.given not in (("text",), ("first", "second")):
        raise ModelError(
            f"{path}: the task {model.task.name} gives no label to a text or to two; only models that do are checked"
        )
    data = asked.data
    columns = _columns(path, data, training.inputs.names, training.inputs.fields)
    if not len(columns[0]):
        raise DataError(f"{data or path}: holds no text to be changed; give texts with --data FILE")
    places = np.sort(plan.generator("texts that are changed").permutation(len(columns[0]))[: asked.limit])
    texts = [columns[0][place] for place in places.tolist()]
    rest = [[column[place] for place in places.tolist()] for column in columns[1:]]

    def predict(rows: Sequence[tuple[int, str]]) -> list[dict[str, Any]]:
        given = [[text for _, text in rows], *([column[place] for place, _ in rows] for column in rest)]
        found = model.predict_columns(given, Progress(quiet=True))
        return [dict(zip(found, row, strict=True)) for row in zip(*found.values(), strict=True)]

    return Behaviour(checked(texts, predict, asked.judged, plan), len(texts), asked, plan.level, most)


def _columns(path: Path, data: str | None, names: Sequence[str], fields: Any) -> list[list[Any]]:
    if data is not None:
        found = parsed(read(data), [fields], data)
        return [list(found.fields[name]) for name in names]
    run = RunFolder(path)
    if not run.data("validation").is_file():
        raise DataError(f"{path}: is no run with its data; give texts with --data FILE")
    part = Dataset.open(run.data("validation"))
    return [list(part.column(name)) for name in names]
