"""What more labels would bring: scores at growing sizes, a power law through them, and how sure that is.

score(n) = a - b n^-c with b >= 0: the power law of learning curves (Hestness et al. 2017, Deep Learning Scaling is
Predictable, Empirically), for scores that grow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from truetune.types import Floats

EXPONENTS = tuple(round(0.1 * step, 1) for step in range(1, 16))
"""Values of c that are tried; each leaves a straight line to fit."""


PARAMETERS = 3


@dataclass(frozen=True)
class Law:
    """score(n) = a - b n^-c."""

    a: float
    b: float
    c: float

    def at(self, number: float) -> float:
        """Return the score with a number of examples."""
        return float(self.a - self.b * number**-self.c)


@dataclass(frozen=True)
class More:
    """What more examples would bring."""

    examples: int
    value: float
    low: float
    high: float

    def times(self, scale: float) -> More:
        """Return the same with every number of the gain times a scale."""
        return More(self.examples, scale * self.value, scale * self.low, scale * self.high)


def law_of(sizes: Floats, scores: Floats, most: float = np.inf) -> Law:
    """Return the power law with the least squared error, larger sizes weighing more (by sqrt(n)); a at most `most`."""
    weights = np.sqrt(sizes / sizes.max())
    fits = [_line(sizes, scores, weights, exponent, most) for exponent in EXPONENTS]
    return min(fits, key=lambda fit: fit[0])[1]


def _line(sizes: Floats, scores: Floats, weights: Floats, exponent: float, most: float) -> tuple[float, Law]:
    """Return the weighted error and the law for one exponent: a straight line in n^-c, with b >= 0 and a <= most."""
    x = sizes**-exponent
    total = weights.sum()
    x_mean, y_mean = (weights @ x) / total, (weights @ scores) / total
    spread = weights @ (x - x_mean) ** 2
    b = max(0.0, -float(weights @ ((x - x_mean) * (scores - y_mean)) / spread))
    a = float(y_mean + b * x_mean)
    if a > most:  # the line through (0, most)
        a = most
        b = max(0.0, float(weights @ (x * (most - scores)) / (weights @ x**2)))
    law = Law(a, b, exponent)
    return float(weights @ (scores - (a - b * x)) ** 2), law


def gains(sizes: Sequence[int], drawn: Floats, more: Sequence[int], level: float, most: float = np.inf) -> list[More]:
    """Return what more examples than the largest size would bring, with intervals.

    `drawn` `[1 + resamples, sizes]`: the observed scores, then those of resamples of examples and draws. What the law
    does not fit is taken for noise too: each resample is moved by as much as the observed scores lie beside the law. An
    interval holds the middle of the resamples' gains, widened to the observed one where it lies outside.
    """
    x = np.array(sizes, dtype=np.float64)
    observed = law_of(x, drawn[0], most)
    beside = drawn[0] - np.array([observed.at(size) for size in x])
    spread = np.sqrt((beside @ beside) / max(1, len(x) - PARAMETERS))
    moved = drawn + np.random.default_rng(0).normal(0.0, spread, drawn.shape)
    laws = [observed, *(law_of(x, row, most) for row in moved[1:])]
    found = []
    for number in more:
        lifts = np.array([law.at(x[-1] + number) - law.at(x[-1]) for law in laws])
        low, high = np.quantile(lifts[1:], [(1 - level) / 2, (1 + level) / 2])
        found.append(More(number, float(lifts[0]), float(min(low, lifts[0])), float(max(high, lifts[0]))))
    return found
