"""What the stages of a run share, and the metric that decides in it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.errors import ConfigError
from truetune.evaluation.families import primary_metric
from truetune.metric import Metric, PerLabel
from truetune.stats.plan import Plan
from truetune.tasks.base import Labels, Task, Training
from truetune.training.baselines import Columns, Score
from truetune.workflows.model import training_of
from truetune.workflows.parts import TaskData
from truetune.workflows.progress import Progress


@dataclass(frozen=True)
class Stage:
    """What the stages of a run share."""

    config: Config
    data: TaskData
    labels: Labels
    run: RunFolder
    plan: Plan
    progress: Progress

    @property
    def training(self) -> Training:
        """How the task is trained."""
        return training_of(self.data.task)


def deciding_metric(task: Task, gold: Mapping[str, Any], predicted: Mapping[str, Any], name: str | None) -> Metric:
    """Return the metric that decides, of those that apply to these fields; of predicted ones only the names count.

    Raises `MetricError` for one that the task lacks, or that these gold labels do (`hierarchical_f1` without levels).
    """
    scoring = task.scoring
    there = [one for one in scoring.metrics if one.gold in gold and one.predicted in predicted]
    if name is not None and scoring.refined is not None and all(one.name != name for one in there):
        there += scoring.refined(gold, dict.fromkeys(predicted, ()))
    chosen = primary_metric(task.scoring, there, name)
    found = next(one for one in there if one.name == chosen.partition("/")[0])
    if isinstance(found, PerLabel):
        raise ConfigError(f"the metric {chosen!r} is of one label; choose one of the whole to decide")
    return found


def score_of(task: Task, gold_name: str, metric_name: str | None) -> Score:
    """Return how baselines are tuned: the metric that decides, turned so that higher is better."""

    def score(gold: Sequence[Any], predicted: Columns) -> float:
        metric = deciding_metric(task, {gold_name: gold}, predicted, metric_name)
        value = float(metric.value(metric.rows(gold, predicted[metric.predicted])))
        return value if metric.better == "higher" else -value

    return score
