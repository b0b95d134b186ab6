"""The stage of fine-tuning: the loop, its log and its progress bar; the best checkpoint becomes the model."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from truetune.backbones.base import Backbone
from truetune.backbones.outputs import features_of
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.data.encoded import kept
from truetune.decisions.fitting import Fitted, fitted
from truetune.decisions.known import Known
from truetune.errors import RunError
from truetune.evaluation.families import applicable, families
from truetune.evaluation.tables import group_codes
from truetune.metric import Metric, PerLabel
from truetune.metrics.qa import best_no_answer_threshold
from truetune.rows import Rows
from truetune.tasks.windows import SHOWN
from truetune.tracking.local import EventLog
from truetune.tracking.trackers import Trackers
from truetune.training.checkpoint import Checkpoints, read_checkpoint
from truetune.training.hard_negatives import drawn_negatives
from truetune.training.linear_head import linear_heads
from truetune.training.loop import Evaluate, train
from truetune.training.order import Plan
from truetune.training.plateau import Margin
from truetune.training.stopping import Selection
from truetune.types import Encoded, Finding, Floats, Head, Tokenizer
from truetune.workflows.distilled import taught_targets
from truetune.workflows.model import encoded_parts, outputs_of, pieces_at_once
from truetune.workflows.parts import gold_field, gold_fields, write_findings
from truetune.workflows.progress import Progress
from truetune.workflows.stage import Stage, deciding_metric
from truetune.workflows.systems import table_of
from truetune.workflows.watching import Watcher

THRESHOLD = 0.5
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(1, 20))
"""From which probability on a label is given, where an example may carry several; chosen on validation."""


HEAD_RATE = 1e-3
"""Of a head that tags, unless `train.head_learning_rate` says otherwise: most pieces are O, and at the rate of what
is pretrained a new head does not get beyond saying so (docs/training.md has the measurement)."""


def encoded_training(stage: Stage, tokenizer: Tokenizer, audited: bool = True) -> Sequence[Encoded]:
    """Return the inputs of the training part, on disk where they are many; what was lost is added to the audit.

    Not where that is not to be `audited`, because another process does it.
    """
    findings: list[Finding] = []
    taught = taught_targets(stage)

    def parts() -> Iterator[list[Encoded]]:
        columns, gold = stage.data.columns("train"), dict[str, Sequence[Any]](stage.data.gold("train"))
        if stage.config.recipe.hard_negatives:
            gold["negatives"] = _negatives(stage)
        for encoding in encoded_parts(stage.training, columns, gold, stage.labels, tokenizer):
            findings.extend(encoding.findings)
            if taught is None:
                yield encoding.inputs
            else:
                yield [replace(one, target=taught[one.example]) for one in encoding.inputs]

    inputs = kept(parts(), stage.run.path / "data")
    if audited:
        write_findings(stage.run, together(findings))
    return inputs


def _negatives(stage: Stage) -> list[tuple[str, ...]]:
    """Return a wrong document for each document of each training query."""
    number, seed = stage.config.recipe.hard_negatives, stage.config.train.seed
    documents = list(stage.data.gold("train")["documents"])
    return drawn_negatives(list(stage.data.texts("train")), documents, number, np.random.default_rng(seed))


def together(findings: Iterable[Finding]) -> list[Finding]:
    """Return findings of parts of the data as findings of the whole."""
    found: dict[tuple[str, str], Finding] = {}
    for one in findings:
        known = found.get((one.check, one.advice))
        if known is not None:
            examples = (*known.examples, *one.examples)[:SHOWN]
            one = replace(known, count=known.count + one.count, examples=examples)
        found[one.check, one.advice] = one
    return list(found.values())


def training_plan(config: Config, head: Head) -> Plan:
    """Return how long and in which portions a config's training reads its inputs."""
    settings = config.train
    return Plan(
        learning_rate=settings.learning_rate,
        epochs=settings.epochs,
        tokens=settings.tokens_per_batch,
        packing=settings.packing,
        warmup=settings.warmup,
        layer_decay=settings.layer_decay,
        head_rate=settings.head_learning_rate or (HEAD_RATE if head in ("tag", "joint", "nested") else None),
        evaluations=settings.evaluations_per_epoch,
        average_from=config.recipe.swa,
        seed=settings.seed,
    )


@dataclass(frozen=True)
class Follow:
    """Whether training goes on from a checkpoint, and who else is told of its events."""

    resume: bool
    trackers: Trackers


@dataclass(frozen=True)
class Room:
    """Where a training is written and shown."""

    run: RunFolder
    config: Config
    progress: Progress
    title: str = "fine-tuning"
    """Of its progress bar."""


def tuned(stage: Stage, backbone: Backbone, inputs: Sequence[Encoded], validation: Validation, follow: Follow) -> None:
    """Fine-tune, and leave the backbone with the weights that scored best on validation."""
    settings = stage.config.train
    metric = validation.metric(settings.metric or stage.config.evaluate.metric)
    selection = Selection(metric.name, metric.better, settings.patience, validation.margin(metric, settings.margin))
    room = Room(stage.run, stage.config, stage.progress)
    learnt = Learnt(backbone, inputs, training_plan(stage.config, stage.training.head))
    followed_training(room, learnt, (selection, validation.scores), follow)


@dataclass(frozen=True)
class Learnt:
    """Which model learns what, and in which portions."""

    backbone: Backbone
    inputs: Sequence[Encoded]
    plan: Plan


def followed_training(room: Room, learnt: Learnt, validation: tuple[Selection, Evaluate], follow: Follow) -> None:
    """Train with checkpoints, log and progress bar, and leave the backbone with the weights that scored best."""
    run, settings, backbone = room.run, room.config.train, learnt.backbone
    checkpoints = Checkpoints(run.checkpoints, settings.checkpoint_seconds, settings.keep_every)
    done = 0
    if follow.resume and checkpoints.last.exists():
        done = int(read_checkpoint(checkpoints.last).loop["step"])
        room.progress.say(f"going on after step {done:,}")
    steps = train(backbone, learnt.inputs, learnt.plan, validation, checkpoints, follow.resume)
    if backbone.together is not None and backbone.together.rank:
        deque(steps, maxlen=0)
        return
    # Whatever was logged after the last checkpoint will happen, and be logged, again.
    with EventLog(run.events, done, follow.trackers.event) as log:
        watcher = Watcher(log, backbone, room.progress, validation[0].metric)
        with room.progress.bar(room.title, 1000) as bar:
            for step in steps:
                watcher.seen(step, bar)


class Validation:
    """The validation part, encoded once: it chooses the checkpoint and, of several labels, the threshold."""

    def __init__(self, stage: Stage, backbone: Backbone, inputs: Sequence[Encoded] = ()) -> None:
        """`inputs` are those of the training part, on which a head is fitted where it is not trained."""
        self._stage, self._backbone, self._inputs = stage, backbone, inputs
        self._columns = stage.data.columns("validation")
        parts = encoded_parts(stage.training, self._columns, None, stage.labels, backbone.tokenizer)
        self._rows: dict[str, Rows] = {}
        self._encoded = kept((part.inputs for part in parts), stage.run.path / "data")

    def metric(self, name: str | None) -> Metric:
        """Return the metric that decides, by its name, or the task's primary one."""
        nothing = {field.name: () for fields in self._stage.data.task.scoring.predicted for field in fields}
        part = self._stage.data.parts["validation"]
        gold = {field: part.column(field) for field in gold_fields(part.fields)}
        return deciding_metric(self._stage.data.task, gold, nothing, name)

    def margin(self, metric: Metric, least: float | None) -> Margin | None:
        """Return how the validation part tells of gains in a metric; None without a margin."""
        if least is None:
            return None
        groups = self._stage.data.parts["validation"].groups
        codes = None if groups is None else group_codes(groups)
        return Margin(least, metric, lambda: self._rows[metric.name], codes)

    def scores(self) -> dict[str, float]:
        """Return every metric of the whole, without intervals: they choose, they do not measure."""
        if self._stage.config.recipe.contrastive:
            self._fit_head()
        return self._scored(self._logits(), THRESHOLD)

    def of_cut_vectors(self, sizes: Sequence[int], metric: Metric) -> dict[int, float]:
        """Return what a ranking scores by vectors cut to their first so many numbers, by size; the whole come last."""
        vectors = self._logits()
        views = {size: [one[:size] / np.linalg.norm(one[:size]) for one in vectors] for size in sorted(set(sizes))}
        views[len(vectors[0])] = vectors
        return {size: self._scored(some, THRESHOLD)[metric.name] for size, some in views.items()}

    def _fit_head(self) -> None:
        """Give the backbone the linear head, fitted on the training part, that is best here."""
        settings, pieces = self._stage.config, pieces_at_once(self._backbone)
        codes = np.array([int(one.target) for one in self._inputs], dtype=np.int64)
        train, own = (features_of(self._backbone, some, pieces) for some in (self._inputs, self._encoded))
        metric = self.metric(settings.train.metric or settings.evaluate.metric)
        sign = 1 if metric.better == "higher" else -1

        def value(head: tuple[Floats, Floats]) -> float:
            found = self._scored(list(own @ head[0].T + head[1]), THRESHOLD).get(metric.name, math.nan)
            return sign * found if math.isfinite(found) else -math.inf

        self._backbone.set_head(*max(linear_heads(train, codes, len(self._stage.labels.names)), key=value))

    def threshold(self, metric: Metric) -> float:
        """Return the threshold with the best score; the usual one where an example has one label."""
        if self._stage.labels.optional:
            return self._no_answer_threshold(metric)
        if not self._stage.labels.multiple:
            return THRESHOLD
        logits = self._logits()
        values = {one: self._scored(logits, one).get(metric.name, math.nan) for one in THRESHOLDS}
        sign = 1 if metric.better == "higher" else -1
        return max(
            (one for one in values if math.isfinite(values[one])),
            key=lambda one: (sign * values[one], -abs(one - THRESHOLD)),
            default=THRESHOLD,
        )

    def decision(self, threshold: float) -> Fitted | None:
        """Return what is made of probabilities, fitted on these examples; None where nothing is asked for."""
        settings, labels = self._stage.config.decide, self._stage.labels
        if settings.nothing:
            return None
        said = self._stage.training.decode(self._columns[0], self._encoded, self._logits(), labels, threshold)
        part = self._stage.data.parts["validation"]
        field = gold_field(part.fields)
        sets = [set(value) if labels.multiple else {value} for value in part.column(field)]
        names = labels.names
        known = Known(
            names,
            labels.multiple,
            np.array([[row[name] for name in names] for row in said["scores"]]).reshape(-1, len(names)),
            np.array([[name in one for name in names] for one in sets], dtype=np.bool_).reshape(-1, len(names)),
            None if part.groups is None else group_codes(part.groups),
            np.array([len(one.difference(names)) for one in sets], dtype=np.int64),
        )
        return fitted(settings, known, threshold, self._stage.plan)

    def _no_answer_threshold(self, metric: Metric) -> float:
        """Return above which no-answer probability no answer is best given."""
        training, labels = self._stage.training, self._stage.labels
        said = training.decode(self._columns[0], self._encoded, self._logits(), labels, 1.0)
        gold = self._stage.data.parts["validation"].column("answers")
        measure: Literal["exact_match", "qa_f1"] = "exact_match" if metric.name == "exact_match" else "qa_f1"
        return best_no_answer_threshold(gold, said["answer"], said["no_answer_probability"], measure).threshold

    def _logits(self) -> list[Any]:
        outputs = outputs_of(self._backbone, self._encoded, self._stage.labels)
        if any(isinstance(one, np.ndarray) and np.isnan(one).any() for one in outputs):
            raise RunError(
                "what the model says of the validation part is not a number any more: training drove its weights too "
                "far. Lower train.learning_rate (and train.head_learning_rate), or set model.dtype to float32"
            )
        return outputs

    def _scored(self, logits: list[Any], threshold: float) -> dict[str, float]:
        task = self._stage.data.task
        said = self._stage.training.decode(self._columns[0], self._encoded, logits, self._stage.labels, threshold)
        table = table_of(self._stage.data, "validation", {"model": said})
        whole = [
            metric
            for metric in applicable(task.scoring, table.gold, table.predicted)
            if not isinstance(metric, PerLabel)
        ]
        found = families(whole, table.gold, [table.predicted])
        self._rows = {metric.name: family.rows[0] for family in found for metric in family.metrics}
        return {metric.name: float(metric.value(family.rows[0])) for family in found for metric in family.metrics}
