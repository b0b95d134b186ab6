"""The training loop: a generator of steps. Whatever watches it (log, progress bar, tracker) reads the steps.

It stops early where its selection says so, writes checkpoints, goes on from one exactly where an unbroken run
would be, and ends with the weights of the best evaluation: what is scored and shipped is what was chosen.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NoReturn

import numpy as np

from truetune.backbones.base import Backbone, State
from truetune.data.batch import padded, target_number
from truetune.errors import RunError
from truetune.training.checkpoint import Checkpoint, Checkpoints, read_checkpoint, write_checkpoint
from truetune.training.order import Order, Plan, Turn, fingerprint
from truetune.training.schedule import Schedule
from truetune.training.stopping import Progress, Selection
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
    padding: float
    """Share of padding in what was computed."""
    learning_rate: float
    """Of the head; lower groups may have less."""
    seconds: float
    """Of the step alone, without evaluation and checkpoint."""
    scores: Mapping[str, float] | None = None
    """Of the validation part, where it was evaluated after this step."""
    best: bool = False
    """Whether these are the best scores so far."""


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
    A loss that is not finite stops the run with RunError; the last checkpoint stays.
    """
    selection, evaluate = validation
    order = Order(np.array([len(one.ids) for one in encoded], dtype=np.int64), plan)
    schedule = Schedule(plan.learning_rate, order.steps, plan.warmup, plan.layer_decay, plan.head_rate)
    keeper = _Keeper(backbone, checkpoints, fingerprint(encoded, plan) if checkpoints else "")
    done, progress = keeper.resumed() if resume else (0, Progress())
    turns = order.after(done) if not progress.exhausted(selection.patience) else iter(())
    for turn in turns:
        step = _taken(backbone, encoded, turn, schedule)
        if turn.evaluated:
            scores = dict(evaluate())
            progress = progress.after(selection.score(scores), turn.number, selection.better)
            best = progress.best_step == turn.number
            step = replace(step, scores=scores, best=best)
            if best:
                keeper.keep_best()
        yield step
        stops = progress.exhausted(selection.patience)
        keeper.keep_last(turn.number, progress, now=stops or turn.number == order.steps)
        if stops:
            break
    if progress.best_step == 0:
        raise RunError(
            f"{selection.metric!r} was undefined at every evaluation, so no checkpoint is the best; "
            "look at the validation part (does it hold every label?) or choose another metric"
        )
    keeper.restore_best()


def _taken(backbone: Backbone, encoded: Sequence[Encoded], turn: Turn, schedule: Schedule) -> Step:
    start = time.perf_counter()
    batches = [padded(encoded, positions, backbone.tokenizer.pad) for positions in turn.batches]
    rates = schedule.rates(turn.number, backbone.groups)
    targets = sum(target_number(batch) for batch in batches)
    loss = backbone.train_step(batches, rates, targets) if targets else 0.0
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


class _Keeper:
    """Keeps the best weights and the last checkpoint: on disk, or the best in memory where there is no folder."""

    def __init__(self, backbone: Backbone, checkpoints: Checkpoints | None, origin: str) -> None:
        self._backbone = backbone
        self._checkpoints = checkpoints
        self._origin = origin
        self._best: State | None = None
        self._saved = time.monotonic()

    def resumed(self) -> tuple[int, Progress]:
        """Bring the backbone back to the last checkpoint; return the steps done and the progress until then."""
        if self._checkpoints is None or not self._checkpoints.last.exists():
            return 0, Progress()
        found = read_checkpoint(self._checkpoints.last)
        if found.loop["origin"] != self._origin:
            raise RunError(
                f"{self._checkpoints.last}: belongs to other data or other `train` settings; resume with those "
                "of its config.yaml, or start a new run"
            )
        self._backbone.restore(found.state)
        return found.loop["step"], _progress(found.loop["progress"])

    def keep_best(self) -> None:
        state = self._backbone.state(optimizer=False)
        if self._checkpoints is None:
            self._best = state
        else:
            write_checkpoint(self._checkpoints.best, Checkpoint(state, {"origin": self._origin}))

    def keep_last(self, step: int, progress: Progress, now: bool) -> None:
        """Write the last checkpoint, where enough time has passed or `now`, and the ones kept at every n steps."""
        if self._checkpoints is None:
            return
        late = time.monotonic() - self._saved >= self._checkpoints.seconds
        kept = self._checkpoints.kept(step)
        if not (now or late or kept):
            return
        loop = {"origin": self._origin, "step": step, "progress": _values(progress)}
        checkpoint = Checkpoint(self._backbone.state(), loop)
        for path in (self._checkpoints.last, *([kept] if kept else [])):
            write_checkpoint(path, checkpoint)
        self._saved = time.monotonic()

    def restore_best(self) -> None:
        state = self._best
        if self._checkpoints is not None:
            state = read_checkpoint(self._checkpoints.best).state
        assert state is not None
        self._backbone.restore(state)


def _values(progress: Progress) -> dict[str, Any]:
    return {**asdict(progress), "best": None if math.isnan(progress.best) else progress.best}


def _progress(values: Mapping[str, Any]) -> Progress:
    return Progress(**{**values, "best": math.nan if values["best"] is None else values["best"]})
