"""Whether what the search found is really better: finalists again, with other seeds, on examples it never saw.

The best of many equal configurations looks better than the rest by luck of its seed and of the examples that
chose it. So finalists are trained anew, and the difference must be beyond what seeds and examples leave together.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from truetune.optimization.race import Judge
from truetune.rows import Rows
from truetune.stats.adjust import holm
from truetune.stats.plan import Plan
from truetune.stats.seeds import AcrossSeeds, seeds_difference

Predicted = Mapping[str, Sequence[Any]]


@dataclass(frozen=True)
class Confirmed:
    """One finalist against the config as it was given, over seeds and examples."""

    number: int
    difference: AcrossSeeds
    """In the units of the metric: above 0 is more, whichever direction is better."""
    p_adjusted: float
    """Holm's, over the finalists."""
    better: bool
    """Shown better than the config as it was given."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return asdict(self)


@dataclass(frozen=True)
class Confirmation:
    """What the finalists' new runs say; `winner` is 0, the config as it was given, where none is shown better."""

    finalists: tuple[Confirmed, ...]
    winner: int
    why: str


def confirmed(
    judge: Judge, runs: Mapping[int, Sequence[Predicted]], changes: Mapping[int, int], plan: Plan
) -> Confirmation:
    """Return which finalist wins; `runs` has the predictions of each trial's new seeds, those of trial 0 among them.

    `changes` says how many settings each finalist changes. Of those shown better than trial 0, the best one is
    compared with the simpler ones, and the simplest that it is not shown to beat is named.
    """
    numbers = [number for number in runs if number != 0]
    rows = _rows_of(judge, runs)
    differences = {
        number: seeds_difference(judge.metric, rows[0], rows[number], groups=judge.groups, plan=plan)
        for number in numbers
    }
    adjusted = dict(zip(numbers, holm([differences[number].p_value for number in numbers]), strict=True))
    found = tuple(
        Confirmed(
            number=number,
            difference=differences[number],
            p_adjusted=adjusted[number],
            better=adjusted[number] < plan.alpha and judge.sign * differences[number].value > 0,
        )
        for number in numbers
    )
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
