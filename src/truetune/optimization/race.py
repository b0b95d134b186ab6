"""When to stop a trial: paired comparison of its rows with those of the best, at the same share of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import sqrt
from typing import Any

import numpy as np

from truetune.evaluation.families import families
from truetune.metric import Metric
from truetune.rows import Rows
from truetune.stats.jackknife import influences
from truetune.stats.quantiles import normal_below
from truetune.stats.sample import Sample
from truetune.types import Ints


@dataclass(frozen=True)
class Judge:
    """The metric that decides, and the examples on which trials meet."""

    metric: Metric
    gold: Mapping[str, Sequence[Any]]
    groups: Ints | None = None

    @property
    def sign(self) -> int:
        """1 where more is better, else -1."""
        return 1 if self.metric.better == "higher" else -1

    def rows(self, systems: Sequence[Mapping[str, Sequence[Any]]]) -> tuple[Rows, ...]:
        """Return the rows of the predicted columns of several systems, over the same labels."""
        return families([self.metric], self.gold, systems)[0].rows

    def value(self, predicted: Mapping[str, Sequence[Any]]) -> float:
        """Return the score of a system."""
        return float(self.metric.value(self.rows([predicted])[0]))

    def lead(self, best: Mapping[str, Sequence[Any]], candidate: Mapping[str, Sequence[Any]]) -> Lead:
        """Return how far the candidate is ahead of the best, in the direction that is better."""
        first, second = self.rows([best, candidate])
        values = [float(self.metric.value(rows)) for rows in (first, second)]
        samples = [Sample.of(rows, self.groups) for rows in (first, second)]
        lifts = influences(self.metric, samples[1]) - influences(self.metric, samples[0])
        error = float(np.std(lifts, ddof=1)) / sqrt(len(lifts)) if len(lifts) > 1 else 0.0
        return Lead(self.sign * (values[1] - values[0]), error)


@dataclass(frozen=True)
class Lead:
    """A paired difference with its standard error (of the jackknife over examples or groups)."""

    difference: float
    """Of the candidate; above 0 where it is better."""
    error: float

    def chance(self, margin: float) -> float:
        """Return the chance that the true lead is more than the margin, by the normal approximation."""
        if self.error == 0:  # the same answers so far, which says nothing of how far they will part
            return float(self.difference >= min(margin, 0.0))
        return normal_below((self.difference - margin) / self.error)


@dataclass(frozen=True)
class Race:
    """A trial is stopped where the chance that it leads the best by more than `margin` is below `risk`.

    The risk grows with the share of training done, since what is behind early may still catch up.
    """

    margin: float = 0.0
    risk: float = 0.1

    def hopeless(self, lead: Lead, share: float) -> bool:
        """Return whether a trial with this lead, at this share of its training, is to be stopped."""
        return lead.chance(self.margin) < self.risk * share
