"""Which system do judges prefer? Bradley-Terry, Elo and win rates with intervals, from one table of games."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import numpy as np

from truetune.errors import MetricError
from truetune.evaluation.evaluate import EvaluationResult, evaluated
from truetune.evaluation.tables import Source, aligned
from truetune.metrics.preference import win_rows
from truetune.metrics.win_rate import games_from_pairs
from truetune.stats.plan import Plan
from truetune.tasks.preference import PREFERENCE, ratings
from truetune.types import Floats, Score


@dataclass(frozen=True)
class PreferenceResult:
    """What `preference` found; `to_dict()` is the JSON of the command line."""

    result: EvaluationResult
    systems: tuple[str, ...]
    points: Floats
    """`[systems, systems]`: points of one system over another, a tie half a point each"""

    @property
    def scores(self) -> tuple[Score, ...]:
        """`win_rate/SYSTEM`, `bradley_terry/SYSTEM` and `elo/SYSTEM`."""
        return self.result.scores

    @property
    def warnings(self) -> tuple[str, ...]:
        """What is odd about the games."""
        return self.result.warnings

    def score(self, metric: str) -> Score:
        """Return one score; raises `MetricError` with the nearest names for an unknown one."""
        return self.result.score(metric)

    @property
    def win_rates(self) -> Floats:
        """`[systems, systems]`: the share of points of one system against another, NaN where they did not meet."""
        met = self.points + self.points.T
        with np.errstate(invalid="ignore"):
            rates: Floats = self.points / met
        return rates

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; `win_rates[x][y]` is x's share of the points against y."""
        rates = {
            one: {
                other: None if math.isnan(rate) else float(rate)
                for other, rate in zip(self.systems, row, strict=True)
                if other != one
            }
            for one, row in zip(self.systems, self.win_rates, strict=True)
        }
        return {**self.result.to_dict(), "systems": list(self.systems), "win_rates": rates}


def preference(
    games: Source, *, group: str | Sequence[Any] | None = None, prior: float = 0.0, plan: Plan | None = None
) -> PreferenceResult:
    """Return the ratings of systems from a file or records with `a`, `b` and `winner` (`a`, `b` or `tie`).

    The lines are in the order of the games, which matters to Elo alone. `group` names the column of games that
    depend on each other, such as those of one judge or of one prompt (default: `group` where it is there;
    `none` for none), or lists the groups. `prior` ties of each system with one of mean strength make
    Bradley-Terry ratings finite where a system was never beaten.
    """
    if not (math.isfinite(prior) and prior >= 0):
        raise MetricError(f"prior is {prior}; expected a number of ties of at least 0")
    scoring = PREFERENCE.scoring
    table = aligned(scoring, games, {"winner": games}, group)
    played = games_from_pairs(table.gold["pair"], table.predicted["winner"])
    points = np.asarray(win_rows(played).totals(), dtype=np.float64)
    assert scoring.together is not None
    together = replace(scoring.together, scores=partial(ratings, prior=prior))
    task = replace(PREFERENCE, scoring=replace(scoring, together=together))
    return PreferenceResult(evaluated(task, table, plan=plan), played.systems, points)
