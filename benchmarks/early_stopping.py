"""How often early stopping by an interval (`train.margin`) stops falsely, and what it saves: a simulation.

    python benchmarks/early_stopping.py [--runs 400] [--examples 500 2000]

A run has 20 evaluations. The true accuracy follows a curve; each of the validation examples has a difficulty that
stays, and some luck at each evaluation, so checkpoints agree on most examples as real ones do. A stop is false where
the run, had it gone on, would have had a checkpoint whose true accuracy is better by the margin or more than that of
the one that is kept. Beside it stands plain patience: stop after so many evaluations without a better score.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy.stats import norm

from truetune.rows import Rows
from truetune.tasks.classification import CLASSIFICATION
from truetune.training.plateau import Margin, Plateau
from truetune.training.stopping import Progress

EVALUATIONS = 20
LUCK = 0.25
"""Standard deviation of the luck of an evaluation, where that of the difficulty is 1: how much checkpoints differ."""
ACCURACY = next(one for one in CLASSIFICATION.scoring.metrics if one.name == "accuracy")

Curve = Callable[[np.ndarray], np.ndarray]
CURVES: dict[str, Curve] = {
    "fast, then flat": lambda share: 0.90 - 0.30 * np.exp(-12 * share),
    "ever slower": lambda share: 0.90 - 0.20 * np.exp(-3 * share),
    "slow and steady": lambda share: 0.80 + 0.08 * share,
    "flat": lambda share: np.full_like(share, 0.85),
    "overfitting": lambda share: 0.88 - 0.25 * np.exp(-10 * share) - 0.04 * share,
    "a step after a plateau": lambda share: np.where(share < 0.6, 0.84, 0.90) - 0.30 * np.exp(-12 * share),
}


class Stop(NamedTuple):
    """What a rule did with a run."""

    false: bool
    saved: float
    """Share of the evaluations that were not made."""


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    arguments.add_argument("--runs", type=int, default=400)
    arguments.add_argument("--examples", type=int, nargs="+", default=[500, 2000])
    arguments.add_argument("--curves", nargs="+", choices=CURVES, default=list(CURVES))
    arguments.add_argument("--margin", type=float, default=0.01)
    arguments.add_argument("--patience", type=int, default=2)
    arguments.add_argument("--seed", type=int, default=0)
    chosen = arguments.parse_args()
    print(f"margin {chosen.margin:g}, patience {chosen.patience}, {chosen.runs} runs, seed {chosen.seed}")
    print(f"{'curve':24s} {'examples':>8s} {'margin: false':>14s} {'saved':>7s} {'patience: false':>16s} {'saved':>7s}")
    for name in chosen.curves:
        for examples in chosen.examples:
            rng = np.random.default_rng([chosen.seed, examples])
            found = [
                simulated(CURVES[name], examples, (chosen.margin, chosen.patience), rng) for _ in range(chosen.runs)
            ]
            by_margin, by_patience = zip(*found, strict=True)
            print(f"{name:24s} {examples:8,d} {told(by_margin):>22s} {told(by_patience):>24s}", flush=True)


def told(stops: Sequence[Stop]) -> str:
    false, saved = (np.mean([getattr(one, part) for one in stops]) for part in Stop._fields)
    return f"{false:.1%} {saved:7.0%}"


def simulated(curve: Curve, examples: int, rule: tuple[float, int], rng: np.random.Generator) -> tuple[Stop, Stop]:
    """Return what stopping by margin and by patience do with one run."""
    least, patience = rule
    truth = curve(np.arange(1, EVALUATIONS + 1) / EVALUATIONS)
    difficulty, luck = rng.standard_normal(examples), rng.standard_normal((EVALUATIONS, examples))
    spread = np.sqrt(1 + LUCK**2)
    right = difficulty + LUCK * luck < spread * norm.ppf(truth)[:, None]
    scores = right.mean(axis=1)
    seen: list[Rows] = []
    plateau = Plateau(Margin(least, ACCURACY, lambda: seen[-1]), patience)
    progress, by_patience, by_margin = Progress(), EVALUATIONS, EVALUATIONS
    for place, score in enumerate(scores.tolist()):
        seen.append(ACCURACY.rows(["a"] * examples, ["a" if one else "b" for one in right[place]]))
        plateau.add(score)
        progress = progress.after(score, place + 1, "higher")
        if by_margin == EVALUATIONS and plateau.reached(EVALUATIONS - place - 1):
            by_margin = place + 1
        if by_patience == EVALUATIONS and progress.exhausted(patience):
            by_patience = place + 1
    return judged(truth, scores, by_margin, least), judged(truth, scores, by_patience, least)


def judged(truth: np.ndarray, scores: np.ndarray, made: int, least: float) -> Stop:
    kept = truth[int(scores[:made].argmax())]
    return Stop(bool((truth[made:] >= kept + least).any()), 1 - made / len(truth))


if __name__ == "__main__":
    main()
