"""The training loop: a generator of steps. Whatever watches it (log, progress bar, tracker) reads the steps.

It stops early where its selection says so, writes checkpoints, goes on from one exactly where an unbroken run
would be, and ends with the weights of the best evaluation: what is scored and shipped is what was chosen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NoReturn

import numpy as np

from truetune.backbones.base import Backbone
from truetune.data.batch import packed, padded, pairs_number, target_number
from truetune.errors import RunError
from truetune.training.averaging import CheckpointMean
from truetune.training.checkpoint import Checkpoints
from truetune.training.keeper import Keeper, Remembered
from truetune.training.order import Order, Plan, Turn, fingerprint
from truetune.training.plateau import Plateau
from truetune.training.schedule import Schedule
from truetune.training.stopping import PATIENCE, Progress, Selection
from truetune.types import Batch, Encoded

Evaluate = Callable[[], Mapping[str, float]]
"""Scores of the backbone on the validation part, as it is now."""


@dataclass(frozen=True)
class Step:
    """What one step did."""

    number: int
    """From 1."""
    steps: int
    """How many there are, unless training stops early."""
    epoch: int
    """From 1."""
    loss: float
    """The mean over all targets of the step, before it."""
    inputs: int
    """Texts, or windows of long texts."""
    pieces: int
    """Without padding."""
    pairs: int
    """Sum of the squared lengths of the texts: pairs of pieces that may see each other."""
    padding: float
    """Share of padding in what was computed."""
    learning_rate: float
    """Of the head; lower groups may have less."""
    seconds: float
    """Of the step alone, without evaluation and checkpoint."""
    scores: Mapping[str, float] | None = None
    """Of the validation part, where it was evaluated after this step."""
    averaged: Mapping[str, float] | None = None
    """The same of the mean of the checkpoints until then, where it was evaluated too."""
    best: bool = False
    """Whether these, or those of the mean, are the best scores so far."""


def train(
    backbone: Backbone,
    encoded: Sequence[Encoded],
    plan: Plan,
    validation: tuple[Selection, Evaluate],
    checkpoints: Checkpoints | None = None,
    resume: bool = False,
) -> Iterator[Step]:
    """Train, and yield every step; when exhausted, the backbone has its best weights.

    With `resume` it goes on after the last checkpoint, if there is one, and yields only the steps that follow
    on it; losses, scores and weights are those of an unbroken run, bit for bit on the same machine and threads.
    Where the backbone learns together with other processes, each takes its share of every micro-batch, and the first
    alone writes. A loss that is not finite stops the run with RunError; the last checkpoint stays.
    """
    selection, _ = validation
    order = Order(np.array([len(one.ids) for one in encoded], dtype=np.int64), plan)
    schedule = Schedule(plan.learning_rate, order.steps, plan.warmup, plan.layer_decay, plan.head_rate)
    plateau = Plateau(selection.margin, selection.patience or PATIENCE) if selection.margin else None
    mean = CheckpointMean() if plan.average_from is not None else None
    parts: dict[str, Remembered] = ({"plateau": plateau} if plateau else {}) | ({"mean": mean} if mean else {})
    keeper = Keeper(backbone, checkpoints, fingerprint(encoded, plan) if checkpoints else "", parts)
    done, progress = keeper.resumed() if resume else (0, Progress())

    def ended(step: int) -> bool:
        return plateau.reached(order.evaluations(step)) if plateau else progress.exhausted(selection.patience)

    for turn in order.after(done) if not ended(done) else iter(()):
        seen = plan.masking.masked(encoded, turn.epoch) if plan.masking else encoded
        step = _taken(backbone, seen, turn, schedule, packed if plan.packing else padded)
        if turn.evaluated:
            step, progress = _evaluated(step, progress, validation, (backbone, keeper))
            if plateau and step.scores:
                plateau.add(selection.score(step.scores))
            if mean and turn.number > (plan.average_from or 0) * order.steps:
                step, progress = _averaged(step, progress, validation, (backbone, keeper), mean)
        yield step
        stops = ended(turn.number)
        keeper.keep_last(turn.number, progress, now=stops or turn.number == order.steps)
        if stops:
            break
    if progress.best_step == 0:
        raise RunError(
            f"{selection.metric!r} was undefined at every evaluation, so no checkpoint is the best; "
            "look at the validation part (does it hold every label?) or choose another metric"
        )
    keeper.restore_best()


def _evaluated(
    step: Step, progress: Progress, validation: tuple[Selection, Evaluate], kept: tuple[Backbone, Keeper]
) -> tuple[Step, Progress]:
    (selection, evaluate), (backbone, keeper) = validation, kept
    scores = dict(evaluate())
    progress = progress.after(selection.score(scores), step.number, selection.better)
    best = progress.best_step == step.number
    if best:
        keeper.keep_best(backbone.state(optimizer=False))
    return replace(step, scores=scores, best=best), progress


def _averaged(
    step: Step,
    progress: Progress,
    validation: tuple[Selection, Evaluate],
    kept: tuple[Backbone, Keeper],
    mean: CheckpointMean,
) -> tuple[Step, Progress]:
    """Take a checkpoint into the mean, and keep the mean where it scores better than all before."""
    (selection, evaluate), (backbone, keeper) = validation, kept
    mean.add(backbone.state(optimizer=False))
    if mean.number == 1:
        return step, progress
    with mean.used_by(backbone):
        scores = dict(evaluate())
    judged = progress.after(selection.score(scores), step.number, selection.better)
    if judged.since:
        return replace(step, averaged=scores), progress
    keeper.keep_best(mean.state)
    return replace(step, averaged=scores, best=True), judged


def _taken(
    backbone: Backbone, encoded: Sequence[Encoded], turn: Turn, schedule: Schedule, batched: Callable[..., Batch]
) -> Step:
    start = time.perf_counter()
    batches = [batched(encoded, positions, backbone.tokenizer.pad) for positions in turn.batches]
    rates = schedule.rates(turn.number, backbone.groups)
    targets = sum(target_number(batch) for batch in batches)
    own = batches
    if backbone.together is not None:
        rank, size = backbone.together.rank, backbone.together.size
        shares = [positions[rank::size] for positions in turn.batches]
        own = [batched(encoded, share, backbone.tokenizer.pad) for share in shares if len(share)]
    loss = backbone.train_step(own, rates, targets) if targets else 0.0
    if not math.isfinite(loss):
        _stop(turn.number, batches, encoded)
    pieces = sum(int(batch.mask.sum()) for batch in batches)
    return Step(
        number=turn.number,
        steps=schedule.steps,
        epoch=turn.epoch,
        loss=loss,
        inputs=sum(len(batch.inputs) for batch in batches),
        pieces=pieces,
        pairs=sum(pairs_number(batch) for batch in batches),
        padding=1 - pieces / sum(batch.mask.size for batch in batches),
        learning_rate=rates[backbone.groups[-1]],
        seconds=time.perf_counter() - start,
    )


def _stop(number: int, batches: Sequence[Batch], encoded: Sequence[Encoded]) -> NoReturn:
    examples = sorted({encoded[place].example for batch in batches for place in batch.inputs.tolist()})
    shown = ", ".join(str(example) for example in examples[:20]) + ("..." if len(examples) > 20 else "")
    raise RunError(
        f"step {number:,}: the loss or its gradient is not a finite number, in the batch of training examples "
        f"{shown} (positions from 0); the weights were not changed by it and the last checkpoint stays. "
        "Lower train.learning_rate, set model.dtype to float32, or look at these examples"
    )
