"""Learning rates by step: a linear warm-up, then a linear decay [Devlin et al. 2019]."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from truetune.errors import ConfigError


@dataclass(frozen=True)
class Schedule:
    """The learning rate of every step and parameter group.

    Step n of N (from 1) with W warm-up steps has the share n / W of the peak while n <= W, and afterwards
    (N - n + 1) / (N - W + 1): no step is wasted on a rate of 0.
    """

    peak: float
    steps: int
    warmup: float = 0.1
    """Share of steps."""
    layer_decay: float = 1.0
    """Each group below the last has its upper neighbour's rate times this [Howard and Ruder 2018]."""
    head: float | None = None
    """The peak of the last group, which is new and has further to go than what is pretrained; None: as the others."""

    def __post_init__(self) -> None:
        for key, peak in (("learning_rate", self.peak), ("head_learning_rate", self.head)):
            if peak is not None and not 0 < peak < math.inf:
                raise ConfigError(f"train.{key}: expected a number above 0, found {peak}")
        if not 0 <= self.warmup < 1 or not 0 < self.layer_decay <= 1:
            raise ConfigError(
                f"expected a warm-up share in [0, 1) and a layer decay in (0, 1], found {self.warmup} and "
                f"{self.layer_decay}"
            )

    def share(self, step: int) -> float:
        """Return the share of the peak at a step, counted from 1."""
        warm = math.ceil(self.warmup * self.steps)
        if step <= warm:
            return step / warm
        return max(self.steps - step + 1, 0) / (self.steps - warm + 1)

    def rates(self, step: int, groups: Sequence[str]) -> dict[str, float]:
        """Return the rate of each group at a step; `groups` go from input to output."""
        share, last = self.share(step), len(groups) - 1
        peaks = {group: self.peak * self.layer_decay ** (last - place) for place, group in enumerate(groups)}
        if self.head is not None:
            peaks[groups[last]] = self.head
        return {group: peak * share for group, peak in peaks.items()}
