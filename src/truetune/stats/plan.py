"""How sure, how many resamples, which seed: the settings that every interval and test share."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

import numpy as np

from truetune.errors import MetricError


@dataclass(frozen=True, slots=True)
class Plan:
    """Settings of intervals and tests; equal plans give equal numbers.

    `level` is the nominal coverage of intervals, `1 - level` the significance level of tests.
    """

    level: float = 0.95
    resamples: int = 10_000
    seed: int = 0

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise MetricError(f"level is {self.level}; expected a share between 0 and 1, such as 0.95")
        if self.resamples < 100:
            raise MetricError(f"resamples is {self.resamples}; bounds from fewer than 100 are noise, 10,000 is usual")
        if self.seed < 0:
            raise MetricError(f"seed is {self.seed}; expected 0 or a positive integer")

    @property
    def alpha(self) -> float:
        """The significance level of tests."""
        return 1 - self.level

    @property
    def tail(self) -> float:
        """The probability of the upper quantile of a two-sided interval: 0.975 for a level of 0.95."""
        return (1 + self.level) / 2

    def generator(self, purpose: str) -> np.random.Generator:
        """Return the generator of one named purpose, independent of those of other purposes."""
        name = int.from_bytes(hashlib.sha256(purpose.encode()).digest()[:16], "little")
        return np.random.default_rng(np.random.SeedSequence([self.seed, name]))

    def resampling(self, method: str, resamples: int) -> str:
        """Return the method's name as the signature prints it, with the resamples that were drawn and the seed."""
        return f"{method}, {resamples:,} resamples, seed {self.seed}"
