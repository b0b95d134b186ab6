"""Familywise error and power of several candidates against one baseline: max-T on joint swaps beside Holm.

    python benchmarks/familywise.py [--repetitions 600] [--resamples 400] [--seed 0] [--only nDCG]

prints the table of docs/statistics.md; `--only` its rows of one metric.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass

import numpy as np
from populations import KINDS, Population, population

from truetune.rows import Rows
from truetune.stats.adjust import holm
from truetune.stats.paired import PairedTest, paired_jointly, together
from truetune.stats.plan import Plan
from truetune.types import Bools, Ints

LEVEL = 0.05


@dataclass(frozen=True)
class Cell:
    """What is drawn: a baseline, null candidates that are as good as it, and better ones."""

    kind: str
    units: int
    grouped: bool
    candidates: int
    gain: float
    """By how many standard deviations of hardness the better candidates are better."""

    @property
    def name(self) -> str:
        """The first column of the table."""
        return f"{self.kind}, {self.units} {'groups' if self.grouped else 'examples'}, {self.candidates} candidates"

    def generator(self, seed: int) -> np.random.Generator:
        """Return a generator of this cell's own."""
        return np.random.default_rng([seed, list(KINDS).index(self.kind), self.units, self.candidates])


CELLS = (
    Cell("span F1", 300, False, 4, 0.3),
    Cell("AUC", 300, False, 4, 0.3),
    Cell("nDCG", 100, True, 8, 0.15),
    Cell("accuracy", 300, False, 4, 0.3),
)


@dataclass(frozen=True)
class Setup:
    """How much is simulated."""

    repetitions: int = 600
    resamples: int = 400
    seed: int = 0


@dataclass(frozen=True)
class Families:
    """Shares of repetitions, for max-T and then for Holm's method."""

    errors: tuple[float, float]
    """Some candidate found different, where none is."""
    partial: tuple[float, float]
    """Some null candidate found different, where the other half is better."""
    power: tuple[float, float]
    """Share of better candidates that were found, where all are."""


def simulated(cell: Cell, setup: Setup) -> Families:
    """Draw test sets in which no candidate, half of them, and all are better than the baseline."""
    rng = cell.generator(setup.seed)
    half = cell.candidates // 2
    nulls, better = [0.0] * (half + 1), [cell.gain] * half
    equal = population(cell.kind, [0.0] * (cell.candidates + 1), rng, grouped=cell.grouped)
    mixed = population(cell.kind, nulls + better, rng, grouped=cell.grouped)
    ahead = population(cell.kind, [0.0] + [cell.gain] * cell.candidates, rng, grouped=cell.grouped)
    found = np.empty((setup.repetitions, 3, 2))
    for repetition in range(setup.repetitions):
        plan = Plan(resamples=setup.resamples, seed=repetition)
        none = _rejected(equal, *_exchanged(equal, cell.units, cell.candidates + 1, rng), plan)
        some = _rejected(mixed, *_exchanged(mixed, cell.units, half + 1, rng), plan)
        every = _rejected(ahead, *ahead.sample(cell.units, rng), plan)
        found[repetition] = none.any(axis=1), some[:, :half].any(axis=1), every.mean(axis=1)
    shares = found.mean(axis=0)
    errors, partial, power = ((float(max_t), float(step)) for max_t, step in shares)
    return Families(errors, partial, power)


def _exchanged(source: Population, units: int, alike: int, rng: np.random.Generator) -> tuple[list[Rows], Ints | None]:
    """Return a sample in which each unit's outputs of the first `alike` systems are put in random order."""
    systems, groups = source.sample(units, rng)
    table = np.concatenate([rows.table for rows in systems])
    starts = np.cumsum([0, *(len(rows.table) for rows in systems[:-1])])
    index = np.stack([rows.index + start for rows, start in zip(systems, starts, strict=True)])
    orders = np.argsort(rng.random((alike, units)), axis=0)
    order = orders if groups is None else orders[:, groups]
    index[:alike] = np.take_along_axis(index[:alike], order, axis=0)
    return [Rows(table, one, systems[0].labels) for one in index], groups


def _rejected(source: Population, systems: list[Rows], groups: Ints | None, plan: Plan) -> Bools:
    """Return `[method, candidates]`: whether each is found different from the first, by max-T and by Holm."""
    tests = [PairedTest([source.metric], systems[0], rows, plan) for rows in systems[1:]]
    found = [one for (one,) in paired_jointly(tests, groups=groups, plan=plan)]
    joint, _ = together(found)
    return np.array([joint, holm([one.p_value for one in found])]) <= LEVEL


def table(setup: Setup, only: str | None = None) -> list[str]:
    """Return the lines of the table, of all metrics or of one, printed as they come."""
    lines = [
        "| metric and sample | familywise error: max-T | Holm | half better: max-T | Holm | power: max-T | Holm |",
        "|---|---|---|---|---|---|---|",
    ]
    print(*lines, sep="\n")
    for cell in (cell for cell in CELLS if only in (None, cell.kind)):
        found = simulated(cell, setup)
        shares = [f"{share:.3f}" for pair in (found.errors, found.partial, found.power) for share in pair]
        lines.append(f"| {cell.name} | {' | '.join(shares)} |")
        print(lines[-1], flush=True)
    return lines


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description="Simulate familywise error and power of several candidates.")
    parser.add_argument("--repetitions", type=int, default=600)
    parser.add_argument("--resamples", type=int, default=400)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", choices=sorted({cell.kind for cell in CELLS}), metavar="METRIC")
    given = parser.parse_args()
    table(Setup(given.repetitions, given.resamples, given.seed), given.only)


if __name__ == "__main__":
    main()
