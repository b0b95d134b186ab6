"""Trials that really train: the data of a run, read once; a model loaded and fine-tuned for each trial."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from truetune import config as configs
from truetune.backbones.base import Backbone
from truetune.backbones.choice import load_backbone
from truetune.backbones.outputs import logits_of
from truetune.config import Config
from truetune.data.keys import ranked
from truetune.errors import ConfigError
from truetune.evaluation.tables import aligned_columns, with_derived
from truetune.optimization.costs import TEXTS, costs_of
from truetune.optimization.race import Judge
from truetune.optimization.trial import Changes, Part, Rung
from truetune.tasks.base import Labels
from truetune.training.loop import train
from truetune.training.stopping import Selection
from truetune.types import Encoded, Ints
from truetune.workflows.collection import documents_of
from truetune.workflows.model import encoded_parts, pieces_at_once, recipe_of, settings_of, training_of
from truetune.workflows.parts import TaskData, gold_fields
from truetune.workflows.stage import deciding_metric
from truetune.workflows.tuning import THRESHOLD, training_plan

RUNGS = 4
"""How often a trial of a search is looked at, at least."""


@dataclass(frozen=True)
class Half:
    """Some examples: what a model reads of them, and gold."""

    columns: list[list[Any]]
    judge: Judge


def halves_of(data: TaskData, metric_name: str | None, seed: int) -> dict[Part, Half]:
    """Return validation cut in two: examples that the search chooses by, and examples that confirm.

    Groups stay whole. The cut is a function of the seed and of ids or groups, so it is the same in every session.
    """
    validation = data.parts["validation"]
    groups = validation.groups
    named = validation.ids if groups is None else groups
    keys = ranked(map(str, named), len(named), seed)
    _, place = np.unique(keys, return_inverse=True)
    first = place < (int(place.max()) + 1) / 2
    places: dict[Part, Ints] = {"search": np.flatnonzero(first), "confirm": np.flatnonzero(~first)}
    return {part: half_of(data, metric_name, "validation", some) for part, some in places.items()}


def half_of(data: TaskData, metric_name: str | None, name: str, places: Ints) -> Half:
    """Return some examples of a part of the data, with the metric that decides on them."""
    part = data.parts[name].take(places)
    known = {field: part.column(field) for field in gold_fields(part.fields)}
    nothing = {one.name: () for fields in data.task.scoring.predicted for one in fields}
    metric = deciding_metric(data.task, known, nothing, metric_name)
    fields = {name: part.column(name) for name in part.fields}
    table = aligned_columns(data.task.scoring, part.ids, fields, {}, part.groups)
    columns = [[*part.column(name)] for name in data.inputs.names]
    return Half(columns, Judge(metric, {metric.gold: table.gold[metric.gold]}, table.groups))


class FinetuneRunner:
    """Fine-tunes the config's model with a trial's changes."""

    def __init__(
        self, config: Config, place: str, data: TaskData, halves: Mapping[Part, Half], least: int = RUNGS
    ) -> None:
        """`least`: so many evaluations a training has at least; 0: as many as the config says."""
        self._config, self._place, self._data, self._halves = config, place, data, halves
        self._least = least
        self._training = training_of(data.task)
        if self._training.head == "generate":
            raise ConfigError(
                f"optimize: the task {data.task.name} writes texts; this version does not search for those"
            )
        self._labels: Labels = self._training.labels(data.gold("train"))
        if self._training.head == "embed":
            self._labels = replace(self._labels, documents=documents_of(data, config.data.documents))
        self._precision: Any = None

    def run(self, changes: Changes, seed: int, confirms: bool) -> Iterator[Rung]:
        """Train once, and yield what is predicted of the half of the search at each evaluation.

        Where it confirms, the last is what the weights that were best there predict of the other half.
        """
        config = changed(self._config, {**changes, "train.seed": seed})
        backbone, inputs = self._backbone(config)
        half = self._halves["search"]
        encoded = self._encoded(half.columns, backbone)
        said: list[dict[str, Sequence[Any]]] = []

        def evaluate() -> dict[str, float]:
            said.append(self._predicted(half, encoded, backbone))
            return {half.judge.metric.name: half.judge.value(said[-1])}

        plan = training_plan(config, self._training.head)
        plan = replace(plan, evaluations=max(plan.evaluations, math.ceil(self._least / plan.epochs)))
        selection = Selection(half.judge.metric.name, half.judge.metric.better)
        began = time.perf_counter()
        for step in train(backbone, inputs, plan, (selection, evaluate)):
            if step.scores is not None:
                yield Rung(step.number / step.steps, _best(half.judge, said), time.perf_counter() - began)
                said.clear()
        if confirms:
            unseen = self._halves["confirm"]
            predicted = self._predicted(unseen, self._encoded(unseen.columns, backbone), backbone)
            yield Rung(1.0, predicted, time.perf_counter() - began, "confirm")

    def costs(self, changes: Changes) -> dict[str, float]:
        """Return what a model with these changes costs in use (see `costs_of`); nothing is trained for it."""
        backbone, _ = self._backbone(changed(self._config, changes), whole=True)
        columns = self._halves["search"].columns
        each = [[column[place : place + 1] for column in columns] for place in range(min(TEXTS, len(columns[0])))]
        return costs_of(backbone, [self._encoded(one, backbone) for one in each])

    def _encoded(self, columns: list[list[Any]], backbone: Backbone) -> list[Encoded]:
        parts = encoded_parts(self._training, columns, None, self._labels, backbone.tokenizer)
        return [one for some in parts for one in some.inputs]

    def _predicted(self, half: Half, encoded: list[Encoded], backbone: Backbone) -> dict[str, Sequence[Any]]:
        logits = logits_of(backbone, encoded, pieces_at_once(backbone))
        found = self._training.decode(half.columns[0], encoded, logits, self._labels, THRESHOLD)
        return with_derived(self._data.task.scoring, found)

    def _backbone(self, config: Config, whole: bool = False) -> tuple[Backbone, Sequence[Encoded]]:
        """Return the pretrained model and the training inputs; `whole` with all rows of its vocabulary, as shipped."""
        from truetune.backbones.pretrained import load_tokenizer, used_pieces

        settings = settings_of(config, self._place, self._training.head, self._labels, self._training.marks)
        tokenizer = load_tokenizer(settings)
        columns, gold = self._data.columns("train"), self._data.gold("train")
        inputs = [
            one for some in encoded_parts(self._training, columns, gold, self._labels, tokenizer) for one in some.inputs
        ]
        if self._precision is not None:
            settings = replace(settings, precision=self._precision)
        trimmed = config.model.trim_vocabulary and not whole
        vocabulary = used_pieces(one.ids for one in inputs) if trimmed else None
        recipe = recipe_of(config, inputs, self._labels, self._training.head)
        backbone = load_backbone(config.model.framework, settings, recipe, tokenizer, vocabulary)
        # Measured once, so that trials differ in nothing but their changes.
        self._precision = backbone.facts["precision"]
        return backbone, inputs


def _best(judge: Judge, said: Sequence[dict[str, Sequence[Any]]]) -> dict[str, Sequence[Any]]:
    """Return the better of what the weights said at an evaluation, and their mean where there is one."""
    return max(said, key=lambda one: judge.sign * judge.value(one)) if len(said) > 1 else said[0]


def changed(config: Config, changes: Changes) -> Config:
    """Return the config with changes made; raises `ConfigError` for a key or a value that it does not take."""
    settings = config.model_dump()
    for key, value in changes.items():
        *groups, last = key.split(".")
        place = settings
        for group in groups:
            place = place.setdefault(group, {})
        place[last] = value
    return configs.from_settings(settings, "optimize.space")
