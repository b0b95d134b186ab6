"""What a search makes small beside a good score, and what of the score may be given for it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from truetune.optimization.race import Race
from truetune.optimization.trial import Trial, best_of, best_value

Costs = Mapping[str, float]
LATENCY, SIZE = "latency", "size"
UNITS = {LATENCY: "ms", SIZE: "MiB"}
TIE = 0.02
"""Costs that are nearer to each other than this share are equal."""


@dataclass(frozen=True)
class Aims:
    """Which costs count, the most important first, and how much of the score may be given for less of them."""

    costs: tuple[str, ...] = ()
    give: float = 0.0


SCORE_ALONE = Aims()


def no_dearer(one: Costs, other: Costs) -> bool:
    """Return whether no cost of the first is above that of the second."""
    return all(one[name] <= other[name] * (1 + TIE) for name in other)


def cheaper(one: Costs, other: Costs) -> bool:
    """Return whether the first costs less in something and more in nothing."""
    return no_dearer(one, other) and any(one[name] < other[name] * (1 - TIE) for name in other)


def front(trials: Sequence[Trial], sign: int) -> list[Trial]:
    """Return the finished trials that no other one beats in score or cost without being worse in the other.

    Of trials that are equal in all, the first stands for them.
    """
    finished = [trial for trial in trials if trial.state == "finished" and math.isfinite(best_value(trial, sign))]

    def beaten(one: Trial, by: Trial) -> bool:
        ours, theirs = sign * best_value(one, sign), sign * best_value(by, sign)
        better = theirs > ours or cheaper(by.costs, one.costs) or (theirs == ours and by.number < one.number)
        return theirs >= ours and no_dearer(by.costs, one.costs) and better

    return [one for one in finished if not any(beaten(one, by) for by in finished if by is not one)]


def rival_of(trials: Sequence[Trial], costs: Costs, sign: int, race: Race, aims: Aims) -> tuple[Trial, Race] | None:
    """Return whom a trial of these costs must beat, and by what; None where none has finished.

    The best trial that is no dearer, as in a search by the score alone; where all are dearer, the best of all, and then
    the trial may be behind by what may be given.
    """
    finished = [trial for trial in trials if trial.state == "finished"]
    if not finished:
        return None
    alike = [trial for trial in finished if no_dearer(trial.costs, costs)]
    if alike:
        return best_of(alike, sign), race
    return best_of(finished, sign), Race(-aims.give, race.risk)


def how_cheap(costs: Costs, given: Costs) -> float:
    """Return by how much costs are less than those of the config as it was given: a mean logarithm, below 0 if so."""
    return sum(math.log(costs[name] / given[name]) for name in given) / max(1, len(given))
