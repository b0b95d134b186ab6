"""The stage before fine-tuning: the honest baselines, tuned on validation, scored on the test part.

The strongest of them, chosen on validation, stands as `before`.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from truetune.backbones.base import Backbone
from truetune.bundle.run_folder import PARTS, RunFolder
from truetune.config import Config
from truetune.data.stored import Made, values_at
from truetune.errors import ConfigError, nearest
from truetune.evaluation.families import primary_metric
from truetune.files import read_json, whole_folder, write_json
from truetune.metric import Metric, PerLabel
from truetune.stats.plan import Plan
from truetune.tasks.base import Labels, Task, Training
from truetune.training.baselines import Baseline, Columns, Part, Score, majority
from truetune.training.baselines_frozen import frozen_linear
from truetune.training.baselines_lookup import all_outside, lookup
from truetune.training.baselines_pieces import frozen_pieces
from truetune.training.baselines_text import tfidf_linear
from truetune.training.baselines_window import window_linear
from truetune.types import Floats, Ints
from truetune.workflows.features import FeaturesAt, piece_features, text_features
from truetune.workflows.model import training_of
from truetune.workflows.parts import TaskData, gold_field
from truetune.workflows.progress import Progress
from truetune.workflows.systems import write_system

NAMES = {
    "classify": ("majority", "tfidf-linear", "frozen-linear"),
    "tag": ("all-O", "lookup", "window-linear", "frozen-linear"),
}
"""By head, the cheapest first."""

MOST_CHARACTERS = 200_000
"""Of how many characters of training text the frozen features are computed at most, for tags."""

FIT = "fit.json"
"""What was chosen on validation, beside the scores of a baseline."""


def deciding_metric(task: Task, gold: Mapping[str, Any], predicted: Mapping[str, Any], name: str | None) -> Metric:
    """Return the metric that decides, of those that apply to these fields."""
    there = [one for one in task.scoring.metrics if one.gold in gold and one.predicted in predicted]
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


def before(stage: Stage, backbone: Backbone) -> str:
    """Fit, score and save the baselines unless the run has them; return the name of the one that is `before`.

    A baseline that is done is not fitted again when a run is resumed.
    """
    names = _wanted(stage)
    fitters = _fitters(stage, backbone)
    for name in names:
        if not stage.run.scores(f"baselines/{name}").is_file():
            stage.progress.say(f"baseline {name}")
            fitted = fitters[name]()
            write_json(stage.run.system(f"baselines/{name}") / FIT, _fit(fitted))
            write_system(stage.run, f"baselines/{name}", name, stage.data, fitted.predicted, stage.config.evaluate)
    if not stage.run.scores("before").is_file():
        fits = {name: read_json(stage.run.system(f"baselines/{name}") / FIT) for name in names}
        values = {name: fit["validation"] for name, fit in fits.items() if fit["validation"] is not None}
        best = max(values, key=lambda name: values[name]) if values else names[-1]
        with whole_folder(stage.run.system("before")) as folder:
            shutil.copytree(stage.run.system(f"baselines/{best}"), folder, dirs_exist_ok=True)
    return str(read_json(stage.run.scores("before"))["system"])


def _wanted(stage: Stage) -> list[str]:
    known = NAMES[stage.training.head]
    asked = stage.config.evaluate.baselines
    if asked is None:
        return list(known)
    for name in asked:
        if name not in known:
            raise ConfigError(f"evaluate.baselines: unknown baseline {name!r}; {nearest(name, known)}")
    if not asked:
        raise ConfigError(f"evaluate.baselines: is empty; `before` needs one of {', '.join(known)}")
    return [name for name in known if name in asked]


def _fit(fitted: Baseline) -> dict[str, Any]:
    known = fitted.validation == fitted.validation
    return {
        "name": fitted.name,
        "validation": fitted.validation if known else None,
        "settings": dict(fitted.settings),
        "notes": list(fitted.notes),
    }


def _fitters(stage: Stage, backbone: Backbone) -> dict[str, Callable[[], Baseline]]:
    field = gold_field(stage.data.parts["train"].fields)
    score = score_of(stage.data.task, field, stage.config.evaluate.metric)
    gold = {part: Made(_hashable, stage.data.parts[part].stored(field)) for part in ("train", "validation")}
    texts = {part: stage.data.texts(part) for part in PARTS}
    train, validation = Part(texts["train"], gold["train"]), Part(list(texts["validation"]), list(gold["validation"]))
    tests, say = list(texts["test"]), stage.progress.say

    def frozen() -> Baseline:
        if stage.training.head == "tag":
            return _frozen_tags(stage, backbone, (train.gold, validation.gold), score)

        def features(part: str, positions: Ints | None = None) -> Floats:
            columns = stage.data.columns(part)
            chosen = [list(column) if positions is None else column.at(positions) for column in columns]
            return text_features(backbone, stage.training, chosen, f"features of {part}", stage.progress)

        first = Part({"mean": FeaturesAt(lambda positions: features("train", positions))}, train.gold)
        second = Part({"mean": features("validation")}, validation.gold)
        return frozen_linear(first, second, {"mean": features("test")}, stage.labels, score, say)

    return {
        "majority": lambda: majority(train, validation, len(tests), stage.labels, score),
        "tfidf-linear": lambda: tfidf_linear(train, validation, tests, stage.labels, score, say),
        "frozen-linear": frozen,
        "all-O": lambda: all_outside(validation, len(tests), score),
        "lookup": lambda: lookup(train, validation, tests, score),
        "window-linear": lambda: window_linear(train, validation, tests, score, say),
    }


def _frozen_tags(stage: Stage, backbone: Backbone, gold: tuple[Sequence[Any], Sequence[Any]], score: Score) -> Baseline:
    """Fit on as many training texts as the baseline will use; features of more would only take memory."""
    texts = stage.data.columns("train")[0]
    order = np.random.default_rng(0).permutation(len(texts))
    lengths = np.fromiter(map(len, texts), dtype=np.int64, count=len(texts))
    characters = np.cumsum(lengths[order])
    kept = np.sort(order[: int(np.searchsorted(characters, MOST_CHARACTERS)) + 1])
    columns = {part: [list(stage.data.columns(part)[0])] for part in ("validation", "test")}
    columns["train"] = [texts.at(kept)]
    features = {
        part: piece_features(backbone, stage.training, columns[part], f"features of {part}", stage.progress)
        for part in PARTS
    }
    train = Part(features["train"], values_at(gold[0], kept))
    validation = Part(features["validation"], gold[1])
    return frozen_pieces(train, validation, features["test"], score, stage.progress.say)


def _hashable(gold: Any) -> Any:
    return tuple(gold) if isinstance(gold, list) else gold
