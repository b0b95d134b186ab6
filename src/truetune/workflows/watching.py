"""What is told of training while it runs: a line of speed beside the bar, and every step in `events.jsonl`."""

from __future__ import annotations

import math
import time
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any

from truetune.backbones.base import Backbone
from truetune.tracking.hardware import Processor, peak_bytes, resident_bytes
from truetune.tracking.local import EventLog
from truetune.training.loop import Step
from truetune.workflows.progress import Progress

RECENT = 20
"""Steps over which speed, padding and utilisation are taken together."""
READ_EVERY = 10.0
"""Seconds between two readings of the hardware."""


class Watcher:
    """Follows the steps of one training."""

    def __init__(self, log: EventLog, backbone: Backbone, progress: Progress, metric: str) -> None:
        self._log = log
        self._backbone = backbone
        self._progress = progress
        self._metric = metric
        self._peak = backbone.best_speed()
        self._recent: deque[Step] = deque(maxlen=RECENT)
        self._processor = Processor()
        self._began = self._read = time.monotonic()
        self._steps = 0
        log.write({"event": "machine", "step": 0, "best_flops_per_second": round(self._peak)})

    def seen(self, step: Step, bar: Callable[[int, str], None]) -> None:
        """Log a step, and show where training stands."""
        self._steps += 1
        self._recent.append(step)
        self._log.write(self._event(step))
        if step.scores is not None:
            self._log.write(_evaluation(step))
        if self._steps == 1 or time.monotonic() - self._read >= READ_EVERY:
            self._read = time.monotonic()
            self._log.write({"event": "hardware", "step": step.number, **self._readings()})
        bar(round(1000 * step.number / step.steps), self._line(step))
        if step.scores is not None:
            self._say(step, step.scores)

    def _event(self, step: Step) -> dict[str, Any]:
        return {
            "event": "step",
            "step": step.number,
            "steps": step.steps,
            "epoch": step.epoch,
            "loss": step.loss,
            "learning_rate": step.learning_rate,
            "inputs": step.inputs,
            "tokens": step.pieces,
            "padding": round(step.padding, 4),
            "seconds": round(step.seconds, 4),
            "utilisation": round(self._utilisation([step]), 4),
        }

    def _readings(self) -> dict[str, float]:
        known = {"memory_bytes": resident_bytes(), "peak_memory_bytes": peak_bytes()}
        found = {name: value for name, value in known.items() if value is not None}
        return {**found, "processors_busy": round(self._processor.busy(), 2), **self._backbone.readings()}

    def _line(self, step: Step) -> str:
        recent = list(self._recent)
        seconds = max(sum(one.seconds for one in recent), 1e-9)
        pieces = sum(one.pieces for one in recent)
        padding = 1 - pieces / sum(one.pieces / (1 - one.padding) for one in recent)
        memory = resident_bytes()
        left = (time.monotonic() - self._began) / self._steps * (step.steps - step.number)
        parts = [
            f"loss {step.loss:.3f}",
            f"{pieces / seconds:,.0f} tokens/s",
            f"padding {padding:.1%}",
            f"{self._utilisation(recent):.0%} of the best matrix product",
            *([] if memory is None else [f"{memory / 2**30:.2f} GiB"]),
            f"{_duration(left)} left",
        ]
        return ", ".join(parts)

    def _utilisation(self, steps: list[Step]) -> float:
        """Return operations a second by the model's formula, as a share of a large matrix product's."""
        work = sum(self._backbone.work(one.pieces, one.pairs) for one in steps)
        return work / max(sum(one.seconds for one in steps), 1e-9) / self._peak

    def _say(self, step: Step, scores: Mapping[str, float]) -> None:
        best = ", the best so far" if step.best else ""
        mean = f", mean of checkpoints {step.averaged[self._metric]:.4f}" if step.averaged else ""
        self._progress.say(
            f"epoch {step.epoch}, step {step.number:,}: {self._metric} {scores[self._metric]:.4f}{mean}{best}"
        )


def _evaluation(step: Step) -> dict[str, Any]:
    event: dict[str, Any] = {"event": "evaluation", "step": step.number, "epoch": step.epoch}
    for name, scores in (("scores", step.scores), ("averaged", step.averaged)):
        if scores is not None:
            event[name] = {metric: value for metric, value in scores.items() if math.isfinite(value)}
    return {**event, "best": step.best}


def _duration(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02d} min"
    return f"{minutes} min {rest:02d} s" if minutes else f"{rest} s"
