"""What a diagnosis looks at: a finished run with its data, and what its model says of validation and of training texts.

The test part is neither read nor predicted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, sqrt
from pathlib import Path
from typing import Any, Literal

import numpy as np

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder, finished_run
from truetune.config import Config
from truetune.evaluation.tables import with_derived
from truetune.files import read_json
from truetune.metric import Metric
from truetune.optimization.diagnosis.curve import Curve, curve_of
from truetune.optimization.race import Judge, Lead
from truetune.optimization.runner import Half, half_of
from truetune.stats.jackknife import influences
from truetune.stats.quantiles import normal_quantile
from truetune.stats.sample import Sample
from truetune.tasks.base import Labels
from truetune.tasks.table import task_named
from truetune.tracking.local import events
from truetune.types import Floats, Ints
from truetune.workflows.model import training_of
from truetune.workflows.parts import TaskData, prepared
from truetune.workflows.predict import load
from truetune.workflows.progress import Progress

Predicted = Mapping[str, Sequence[Any]]
Part = Literal["train", "validation"]
MOST_TRAINING = 2000
"""Training examples that are looked at, drawn at random where there are more."""
MOST_WRITTEN = 100
"""The same where each answer is written piece by piece."""
WORTH = 0.01
"""What is sought, as a share of the highest value of the metric; of one without, in its units."""


@dataclass(frozen=True)
class Evidence:
    """A run as the checks of a diagnosis look at it."""

    run: RunFolder
    config: Config
    data: TaskData
    labels: Labels
    curve: Curve
    sample: Ints
    """Positions of the training examples that are looked at."""
    halves: Mapping[Part, Half]
    """Texts and gold of those training examples, and of all of validation."""
    predicted: Mapping[Part, Predicted]
    """What the run's model says of them."""
    baselines: Mapping[str, float]
    """The baselines' validation scores, turned so that higher is better."""
    worth: float
    """A gain of less is not looked for, in the units of the metric."""

    @property
    def writes(self) -> bool:
        """Whether the model writes texts."""
        return training_of(self.data.task).head == "generate"

    @property
    def judge(self) -> Judge:
        """The metric that decides, on validation."""
        return self.halves["validation"].judge

    @property
    def level(self) -> float:
        """Of intervals."""
        return self.config.evaluate.level

    @property
    def one_label(self) -> bool:
        """Whether an example has one label, which is what most checks can look at."""
        return self.judge.metric.gold == "label"

    def gold(self, part: Part) -> list[str]:
        """Return the labels of a part, where an example has one."""
        return [str(label) for label in self.halves[part].judge.gold["label"]]

    def probabilities(self, part: Part) -> Floats:
        """Return `[examples, labels]` probabilities, labels in the order of the schema."""
        scores = self.predicted[part]["scores"]
        return np.array([[row[name] for name in self.labels.names] for row in scores], dtype=np.float64)

    def codes(self, part: Part) -> Ints:
        """Return the place of each gold label in the schema; -1 for one that training did not have."""
        place = {name: position for position, name in enumerate(self.labels.names)}
        return np.array([place.get(label, -1) for label in self.gold(part)], dtype=np.int64)

    def value(self, part: Part) -> float:
        """Return the score of the run's model on a part."""
        return self.halves[part].judge.value(self.predicted[part])

    def error(self, part: Part) -> float:
        """Return the standard error of that score, by the jackknife over examples (or groups)."""
        judge = self.halves[part].judge
        return standard_error(judge.metric, judge, self.predicted[part])

    def bounds(self, lead: Lead, among: int = 1) -> tuple[float, float]:
        """Return the interval of a lead, where it is one of several that are looked at (Bonferroni)."""
        reach = normal_quantile(1 - (1 - self.level) / (2 * among)) * lead.error
        return lead.difference - reach, lead.difference + reach


def standard_error(metric: Metric, judge: Judge, predicted: Predicted) -> float:
    """Return the standard error of a score, by the jackknife."""
    lifts = influences(metric, Sample.of(judge.rows([predicted])[0], judge.groups))
    return float(np.std(lifts, ddof=1)) / sqrt(len(lifts)) if len(lifts) > 1 else float("nan")


def gathered(path: Path, worth: float | None, progress: Progress) -> Evidence:
    """Return the evidence of a finished run; raises `RunError` for any other folder. `worth` None: `WORTH`."""
    run = finished_run(path)
    config = configs.load(run.config)
    task = task_named(config.task)
    training = training_of(task)
    data = prepared(task, config.data, run, progress)
    total = len(data.parts["train"])
    sample, most = np.arange(total), MOST_WRITTEN if training.head == "generate" else MOST_TRAINING
    if total > most:
        sample = np.sort(np.random.default_rng(0).permutation(total)[:most])
    name = config.train.metric or config.evaluate.metric
    halves: dict[Part, Half] = {
        "train": half_of(data, name, "train", sample),
        "validation": half_of(data, name, "validation", np.arange(len(data.parts["validation"]))),
    }
    model = load(run.model, config.model.device)
    predicted: dict[Part, Predicted] = {
        part: with_derived(task.scoring, model.undecided_columns(half.columns, progress))
        for part, half in halves.items()
    }
    return Evidence(
        run=run,
        config=config,
        data=data,
        labels=training.labels(data.gold("train")),
        curve=curve_of(events(run.events)),
        sample=sample,
        halves=halves,
        predicted=predicted,
        baselines=_baselines(run),
        worth=usual_worth(halves["validation"].judge.metric) if worth is None else worth,
    )


def usual_worth(metric: Metric) -> float:
    """Return which gain is looked for where nobody says: a hundredth of the metric's highest value."""
    highest = 1.0 if metric.limits is None else metric.limits[1]
    return WORTH * highest if isfinite(highest) else WORTH


def _baselines(run: RunFolder) -> dict[str, float]:
    found = {file.parent.name: read_json(file)["validation"] for file in sorted(run.path.glob("baselines/*/fit.json"))}
    return {name: value for name, value in found.items() if value is not None}
