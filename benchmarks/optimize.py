"""Does the search name a winner where there is none? And does it name one where there is?

    python benchmarks/optimize.py null  [--repeats 200]    labels shuffled: every configuration is equally useless
    python benchmarks/optimize.py equal [--repeats 200]    labels as they are, and settings that change only the luck:
                                                           models differ in quality by the seed alone
    python benchmarks/optimize.py real  [--repeats 20]     the same search with the labels as they are

The model is a linear head on fixed features (hashed words) behind the protocol of real trials: hundreds of whole
searches (trials, racing, confirmation with new seeds) take minutes. Data: SST-2 in the folder of TRUETUNE_DATA;
each repetition draws its own texts, labels and seeds.
"""

from __future__ import annotations

import argparse
import os
import platform
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.feature_extraction.text import HashingVectorizer
from sklearn.linear_model import SGDClassifier

from truetune.optimization.confirm import confirmed
from truetune.optimization.crew import Alone
from truetune.optimization.finalists import confirming_runs, finalists_of
from truetune.optimization.journal import Folder
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Judge, Race
from truetune.optimization.search import Budget, Search
from truetune.optimization.space import Move, Range
from truetune.optimization.trial import Changes, Part, Rung, best_of, best_value
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named

SPACE = (
    Move("alpha", Range(1e-6, 1e-2, log=True), "regularisation"),
    Move("rate", Range(1e-3, 1.0, log=True), "step size"),
    Move("average", (False, True), "averages of the weights"),
)
RUNGS, TRAIN, HALF = 4, 600, 400


@dataclass(frozen=True)
class LinearTrials:
    """A linear head on hashed words, trained by stochastic gradient descent; four rungs of two passes each."""

    features: Any
    labels: np.ndarray[Any, Any]
    equal: bool = False
    """Whether all settings are one and the same, but for the order of the training texts that each draws."""

    def judge(self, part: Part) -> Judge:
        """Return the examples of a half of validation and the metric."""
        accuracy = next(one for one in task_named("classification").scoring.metrics if one.name == "accuracy")
        return Judge(accuracy, {"label": self.labels[self._places(part)].tolist()})  # type: ignore[arg-type]

    def run(self, changes: Changes, seed: int, confirms: bool) -> Iterator[Rung]:
        """Train and yield predictions after a quarter, a half, three quarters and all of it; see `Runner`."""
        used: Changes = {} if self.equal else changes
        model = SGDClassifier(
            loss="log_loss",
            alpha=used.get("alpha", 1e-4),
            learning_rate="constant",
            eta0=used.get("rate", 0.1),
            average=used.get("average", False),
        )
        luck = list(f"{sorted(changes.items())}".encode()) if self.equal else [7]
        rng, began = np.random.default_rng([seed, *luck]), time.perf_counter()
        best, unseen = -1.0, []
        for rung in range(RUNGS):
            for _ in range(2):
                order = rng.permutation(TRAIN)
                model.partial_fit(self.features[order], self.labels[order], classes=np.unique(self.labels))
            seen = self._places("search")
            said = model.predict(self.features[seen])
            if (reached := float(np.mean(said == self.labels[seen]))) > best:
                best, unseen = reached, model.predict(self.features[self._places("confirm")]).tolist()
            yield Rung((rung + 1) / RUNGS, {"label": said.tolist()}, time.perf_counter() - began)
        if confirms:
            yield Rung(1.0, {"label": unseen}, time.perf_counter() - began, "confirm")

    def _places(self, part: Part) -> np.ndarray[Any, Any]:
        start = TRAIN + HALF if part == "confirm" else TRAIN
        return np.arange(start, start + HALF)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("which", choices=("null", "equal", "real"))
    parser.add_argument("--repeats", type=int)
    parser.add_argument("--trials", type=int, default=15)
    parser.add_argument("--data", default=os.environ.get("TRUETUNE_DATA"))
    args = parser.parse_args()
    repeats = args.repeats or {"null": 200, "equal": 200, "real": 20}[args.which]
    texts, labels = sst(Path(args.data))
    features = HashingVectorizer(n_features=4096).transform(texts)
    began, found = time.perf_counter(), []
    for repeat in range(repeats):
        rng = np.random.default_rng(repeat)
        places = rng.permutation(len(labels))[: TRAIN + 2 * HALF]
        drawn = rng.permutation(labels[places]) if args.which == "null" else labels[places]
        linear = LinearTrials(features[places], drawn, args.which == "equal")
        found.append(_searched(linear, args.trials, 100 * repeat))
        if (repeat + 1) % 20 == 0:
            print(f"{repeat + 1} searches, {sum(one['winner'] != 0 for one in found)} winners", flush=True)
    winners = sum(one["winner"] != 0 for one in found)
    saved = 1 - np.mean([one["rungs"] for one in found]) / (RUNGS * args.trials)
    seconds = time.perf_counter() - began
    print(f"{args.which}: {winners} winners in {repeats} searches of {args.trials} trials, {seconds:,.0f} s")
    chosen, later = (np.mean([one[name] for one in found]) for name in ("gain", "confirmed"))
    print(f"racing left out {saved:.0%} of the training")
    seeds = np.mean([one["seeds"] for one in found])
    print(f"standard deviation of the accuracy between seeds: {seeds:.4f}")
    print(f"best trial less config: {chosen:+.4f} on the examples that chose it, {later:+.4f} on those that confirm")
    print(f"Python {platform.python_version()}, {platform.system()} {platform.machine()}")


def _searched(runner: LinearTrials, trials: int, seed: int) -> dict[str, float]:
    judge = runner.judge("search")
    with tempfile.TemporaryDirectory() as folder:
        search = Search(Alone(runner), judge, Race(), Folder(Path(folder)), seed, lambda line: None)
        done = search.run(Proposals(SPACE, "tpe", seed, judge.sign), Budget(trials, 1e9))
        finalists = finalists_of(search, done, 3)
        runs = confirming_runs(search, finalists, [seed + 1, seed + 2, seed + 3])
        changes = {trial.number: len(trial.changes) for trial in done}
        found = confirmed(runner.judge("confirm"), runs, changes, Plan())
    best = best_of(done, judge.sign)
    return {
        "winner": found.winner,
        "rungs": sum(len(trial.rungs) for trial in done),
        "gain": best_value(best, 1) - best_value(done[0], 1),
        "confirmed": found.finalists[0].difference.value if found.finalists else 0.0,
        "seeds": found.finalists[0].difference.seed_deviation if found.finalists else 0.0,
    }


def sst(folder: Path) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Return the training texts of SST-2 and their labels."""
    lines = (folder / "classification/sst_en/stsa.binary.train").read_text(encoding="utf-8").splitlines()
    parts = [line.partition(" ") for line in lines]
    return [text for _, _, text in parts], np.array([label for label, _, _ in parts])


if __name__ == "__main__":
    main()
