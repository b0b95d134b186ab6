"""Early stopping by an interval: training ends when no improvement that could matter is likely any more.

Gains get smaller as training goes on: what the last h evaluations gained, the next h will hardly surpass. So with r
evaluations left, h of the past are looked at, as many as are left (at least the patience p, at most all but the
first). Let R be the best evaluation before these h, and U the upper bound of the true advantage over R of the last p
checkpoints, the greatest of them, from the validation examples that both answered. Training stops when U max(1, r / h)
is below the margin. That gains do not grow is an assumption: `benchmarks/early_stopping.py` shows how often stopping
was wrong where it holds, and where it does not.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats.paired import paired
from truetune.stats.plan import Plan
from truetune.types import Ints

LEVEL = 0.90
"""Of the two-sided interval of an advantage; its upper bound alone is one of 95 %."""
RESAMPLES = 1000
"""Of metrics whose interval is drawn."""


@dataclass(frozen=True)
class Margin:
    """The least improvement that matters, in the metric's own unit, and how the validation part tells of it."""

    least: float
    metric: Metric
    rows: Callable[[], Rows]
    """What each validation example contributed to the metric at the last evaluation, always in the same order."""
    groups: Ints | None = None
    """`[examples]`: examples that are not independent of each other."""


@dataclass(frozen=True)
class _Evaluation:
    score: float
    rows: Rows


class Plateau:
    """All evaluations so far, and the rule over them."""

    def __init__(self, margin: Margin, patience: int) -> None:
        self._margin = margin
        self._patience = patience
        self._kept: list[_Evaluation] = []

    def add(self, score: float) -> None:
        """Take in the evaluation that was just made; one without a defined score never becomes the best."""
        self._kept.append(_Evaluation(score, self._margin.rows()))

    def reached(self, left: int) -> bool:
        """Return whether, with so many evaluations left, no improvement that could matter is likely any more."""
        if len(self._kept) <= self._patience or not left:
            return False
        back = min(max(left, self._patience), len(self._kept) - 1)
        reference = self._best(self._kept[:-back])
        scale = max(1.0, left / back)
        return all(
            self._advantage(reference, one) * scale < self._margin.least for one in self._kept[-self._patience :]
        )

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what a checkpoint keeps of it."""
        kept = enumerate(self._kept)
        return {f"{place}/{name}": getattr(one.rows, name) for place, one in kept for name in ("table", "index")}

    def values(self) -> list[dict[str, Any]]:
        """Return what a checkpoint keeps of it, beside arrays, as JSON values."""
        return [
            {"score": None if math.isnan(one.score) else one.score, "labels": list(one.rows.labels)}
            for one in self._kept
        ]

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], values: list[dict[str, Any]]) -> None:
        """Go back to what `arrays` and `values` returned."""
        self._kept = [
            _Evaluation(
                math.nan if one["score"] is None else one["score"],
                Rows(arrays[f"{place}/table"], arrays[f"{place}/index"], tuple(one["labels"])),
            )
            for place, one in enumerate(values)
        ]

    def _best(self, some: Sequence[_Evaluation]) -> _Evaluation:
        """Return the best evaluation; of equal ones the first, of undefined ones any."""
        sign = 1 if self._margin.metric.better == "higher" else -1
        return max(some, key=lambda one: -math.inf if math.isnan(one.score) else sign * one.score)

    def _advantage(self, reference: _Evaluation, other: _Evaluation) -> float:
        """Return the upper bound of how much better the other one is; infinite where nothing is known of it."""
        metric = self._margin.metric
        plan = Plan(LEVEL, RESAMPLES)
        (found,) = paired([metric], reference.rows, other.rows, groups=self._margin.groups, plan=plan)
        bound = found.high if metric.better == "higher" else -found.low
        return bound if np.isfinite(bound) else math.inf
