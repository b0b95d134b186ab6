"""Whether what the search found is really better: finalists again, with other seeds, on examples it never saw.

The best of many equal configurations looks better than the rest by luck of its seed and of the examples that
chose it. So finalists are trained anew, and the difference must be beyond what seeds and examples leave together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from truetune.optimization.objectives import TIE, Aims, cheaper
from truetune.optimization.race import Judge
from truetune.optimization.trial import Trial
from truetune.rows import Rows
from truetune.stats.adjust import holm
from truetune.stats.plan import Plan
from truetune.stats.quantiles import t_quantile
from truetune.stats.seeds import AcrossSeeds, seeds_difference

Predicted = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Confirmed:
    """One finalist against the config as it was given, over seeds and examples."""

    number: int
    difference: AcrossSeeds
    """In the units of the metric: above 0 is more, whichever direction is better."""
    p_adjusted: float
    """One-sided, of being better, and Holm's over the finalists."""
    better: bool
    """Shown better than the config as it was given."""
    kept: bool | None = None
    """Shown to lose less of the score than may be given for lower costs; None where only the score counts."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class Confirmation:
    """What the finalists' new runs say; `winner` is 0, the config as it was given, where none is shown better."""

    finalists: tuple[Confirmed, ...]
    winner: int
    why: str
    failed: tuple[int, ...] = ()
    """Trials that were to be confirmed and could not be trained with one of the new seeds."""
    seconds: float | None = 0.0
    """Of training, of all runs that confirm, those of trial 0 and failed ones among them, beyond what the search itself
    took; None: not all of them say."""


def confirmed(
    judge: Judge, runs: Mapping[int, Sequence[Predicted]], changes: Mapping[int, int], plan: Plan
) -> Confirmation:
    """Return which finalist wins; `runs` has the predictions of each trial's runs, those of trial 0 among them.

    Only what is better replaces the config, so the tests are one-sided: of searches among equals at most the share
    that the plan calls alpha names a winner.
    `changes` says how many settings each finalist changes. Of those shown better than trial 0, the best one is
    compared with the simpler ones, and the simplest that it is not shown to beat is named.
    """
    rows = _rows_of(judge, runs)
    return _simplest(judge, rows, _against_given(judge, rows, plan), changes, plan)


def confirmed_cheaper(
    judge: Judge, runs: Mapping[int, Sequence[Predicted]], trials: Mapping[int, Trial], aims: Aims, plan: Plan
) -> Confirmation:
    """Return which finalist wins where costs count too.

    Of those that cost less than trial 0 and are shown to lose less of the score than may be given for that, the
    cheapest, by the first cost, then the next; a finalist shown better where there is none. Shown means that the
    one-sided bound of the difference, at the level of the plan and with Bonferroni's allowance for the finalists, is
    above what may be given.
    """
    rows = _rows_of(judge, runs)
    found = tuple(
        replace(one, kept=_least(one.difference, judge.sign, plan, len(rows) - 1) > -aims.give)
        for one in _against_given(judge, rows, plan)
    )
    given = trials[0].costs
    kept = [one.number for one in found if one.kept and cheaper(trials[one.number].costs, given)]
    if kept:
        return Confirmation(found, _cheapest(kept, trials, aims), "the cheapest of those shown to keep the score")
    winner = _simplest(judge, rows, found, {number: len(trials[number].changes) for number in runs}, plan)
    if winner.winner:
        return winner
    return Confirmation(found, 0, "no finalist is shown to keep the score and to cost less, or to be better")


def _cheapest(numbers: Sequence[int], trials: Mapping[int, Trial], aims: Aims) -> int:
    """Return the one with the least of the first cost; those as good as equal there are told apart by the next."""
    left = list(numbers)
    for name in aims.costs:
        least = min(trials[number].costs[name] for number in left)
        left = [number for number in left if trials[number].costs[name] <= least * (1 + TIE)]
    return left[0]


def _least(difference: AcrossSeeds, sign: int, plan: Plan, among: int) -> float:
    """Return the one-sided lower bound of a difference, in the direction that is better, as one of several."""
    half = (difference.high - difference.low) / 2
    error = half / t_quantile(plan.tail, difference.degrees) if half > 0 else 0.0
    return sign * difference.value - t_quantile(1 - plan.alpha / among, difference.degrees) * error


def _against_given(judge: Judge, rows: Mapping[int, Sequence[Rows]], plan: Plan) -> tuple[Confirmed, ...]:
    numbers = [number for number in rows if number != 0]
    differences = {
        number: seeds_difference(judge.metric, rows[0], rows[number], groups=judge.groups, plan=plan)
        for number in numbers
    }
    ahead = [_p_ahead(differences[number], judge.sign) for number in numbers]
    adjusted = dict(zip(numbers, holm(ahead), strict=True))
    return tuple(
        Confirmed(
            number=number,
            difference=differences[number],
            p_adjusted=adjusted[number],
            better=adjusted[number] < plan.alpha and judge.sign * differences[number].value > 0,
        )
        for number in numbers
    )


def _p_ahead(difference: AcrossSeeds, sign: int) -> float:
    """Return the one-sided p-value of being better."""
    return difference.p_value / 2 if sign * difference.value > 0 else 1 - difference.p_value / 2


def _simplest(
    judge: Judge,
    rows: Mapping[int, Sequence[Rows]],
    found: tuple[Confirmed, ...],
    changes: Mapping[int, int],
    plan: Plan,
) -> Confirmation:
    better = [one for one in found if one.better]
    if not better:
        return Confirmation(found, 0, "no finalist is shown better than the config as it was given")
    best = max(better, key=lambda one: judge.sign * one.difference.value).number
    for simpler in sorted((one.number for one in better), key=lambda number: (changes[number], number)):
        if simpler == best:
            break
        ahead = seeds_difference(judge.metric, rows[simpler], rows[best], groups=judge.groups, plan=plan)
        if ahead.p_value >= plan.alpha:
            return Confirmation(found, simpler, f"the simplest of those that trial {best} is not shown to beat")
    return Confirmation(found, best, "shown better than the config as it was given, beyond seeds and examples")


def _rows_of(judge: Judge, runs: Mapping[int, Sequence[Predicted]]) -> dict[int, list[Rows]]:
    """Return the rows of every run, all over the same labels."""
    flat = iter(judge.rows([predicted for each in runs.values() for predicted in each]))
    return {number: [next(flat) for _ in each] for number, each in runs.items()}
