"""`truetune optimize` against the default config, random search, Optuna's TPE with median pruning, and ASHA.

    TRUETUNE_DATA=FOLDER python benchmarks/optimize_peers.py [PAIR...] [--seconds S] [--seeds N] [--runs DIR]

Each method has the same total training time, the same space, the same trainer and the same validation examples. What
it finds is fine-tuned with a seed that no search used, takes its best checkpoint on validation, and is scored on the
test part. `truetune-half` is given half of the time. A search that is finished is in the folder of `--runs` and is not
made again, and one that was killed goes on (the peers': begins again). The table has the means over seeds; below it
stands how far `truetune` and `truetune-half` are ahead of each peer, paired by set and seed, with an interval (t).

Texts are short, 250 of them train, and the models keep their lower two layers: a training takes some seconds of a core,
and a search holds dozens. All weights are trained. The first trial of every method is the config as it is given.

Time is that of training with its evaluations, as the trials report it; loading a model is in nobody's. What was spent
is saved beside each score: a training that is under way at the end, and finalists that take longer than the best trials
so far did, make it differ. Peers choose by all of validation; `truetune` chooses by one half of it and confirms on the
other, within its time. ASHA is asynchronous successive halving in one process, as Optuna has it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from task_sets import Records, sst2, trec, waimai

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.files import read_json, write_json, write_text
from truetune.optimization.confirm import confirmed
from truetune.optimization.crew import FAILURES, Alone
from truetune.optimization.finalists import confirming_runs, confirming_seconds, finalists_of
from truetune.optimization.journal import Folder
from truetune.optimization.moves import setting
from truetune.optimization.proposals import Proposals, distribution_of, param_of, value_of
from truetune.optimization.race import Judge, Race
from truetune.optimization.runner import FinetuneRunner, Half, half_of, halves_of
from truetune.optimization.search import Budget, Search
from truetune.optimization.space import Move, default_space, openings
from truetune.optimization.trial import Changes
from truetune.stats.plan import Plan
from truetune.stats.quantiles import t_quantile
from truetune.tasks.table import task_named
from truetune.workflows.model import model_place
from truetune.workflows.parts import TaskData, prepared
from truetune.workflows.progress import Progress

MINILM, E5 = "builtin:minilm-en", "builtin:e5-small-multi"
QUIET = Progress(quiet=True)


@dataclass(frozen=True)
class Pair:
    """A public set and a model; sizes of the parts that are drawn from it."""

    name: str
    read: Callable[[Path], Records]
    model: str
    train: int
    validation: int = 600
    test: int = 1000
    layers: int = 2


def short(rows: Records, words: int = 12, characters: int = 80) -> Records:
    """Return the texts that are no longer than this."""
    return [row for row in rows if len(row["text"].split()) <= words and len(row["text"]) <= characters]


PAIRS = {
    one.name: one
    for one in (
        Pair("sst-minilm", lambda data: short(sst2(data)["train"]), MINILM, 250),
        Pair("trec-minilm", lambda data: short(trec(data)["train"]), MINILM, 250),
        Pair("waimai-e5", lambda data: short(waimai(data)["train"], characters=16), E5, 250),
        Pair("trial", lambda data: short(trec(data)["train"]), MINILM, 60, 40, 60, 1),
    )
}
"""`trial` is so small that it says nothing; it shows that all of this runs."""
FINALISTS, SEEDS = 1, 3
"""So that what confirms takes five trainings of some thirty: each finalist more costs three, and an allowance."""
GIVEN = {"learning_rate": 3e-4, "tokens_per_batch": 512}
"""What two layers and few texts ask for; else the config is the default."""


@dataclass(frozen=True)
class Bench:
    """What all methods share on one pair and seed."""

    config: Config
    place: str
    data: TaskData
    space: tuple[Move, ...]
    seconds: float

    @property
    def all_validation(self) -> Half:
        """What peers choose by."""
        return half_of(self.data, None, "validation", np.arange(len(self.data.parts["validation"])))

    def runner(self, half: Half) -> FinetuneRunner:
        """Return what trains and predicts these examples."""
        return FinetuneRunner(self.config, self.place, self.data, {"search": half, "confirm": half})


Found = tuple[Mapping[str, Any], float]
"""What a search would change, and the seconds that it has trained."""


def default(bench: Bench, folder: Path, seed: int) -> Found:
    """Change nothing."""
    return {}, 0.0


def truetune_search(share: float) -> Callable[[Bench, Path, int], Found]:
    """Return the search of `truetune optimize` with a share of the time."""

    def search(bench: Bench, folder: Path, seed: int) -> Found:
        halves = halves_of(bench.data, None, 0)
        judge = halves["search"].judge
        runner = FinetuneRunner(bench.config, bench.place, bench.data, halves)
        given = {move.key: setting(bench.config, move.key) for move in bench.space}
        own = Search(Alone(runner), judge, Race(), Folder(folder), seed, _say, given=given)
        sampler_seed = seed + len(own.journal.trials())
        budget = Budget(10_000, share * bench.seconds, FINALISTS, SEEDS, SEEDS - 1, judge.sign)
        proposals = Proposals(bench.space, "tpe", sampler_seed, judge.sign, given)
        trials = own.run(proposals, budget, openings(bench.space, given))
        finalists, spent = finalists_of(own, trials, FINALISTS), sum(trial.seconds for trial in trials)
        if not finalists:
            return {}, spent
        seeds = [seed + 1 + place for place in range(SEEDS)]
        runs = confirming_runs(own, finalists, seeds)
        changes = {trial.number: len(trial.changes) for trial in trials}
        winner = confirmed(halves["confirm"].judge, runs, changes, Plan()).winner
        return trials[winner].changes, spent + (confirming_seconds(own, finalists, seeds) or 0.0)

    return search


def peer(
    sampler: Callable[[int], optuna.samplers.BaseSampler], pruner: Callable[[], optuna.pruners.BasePruner]
) -> Callable[[Bench, Path, int], Found]:
    """Return a search by Optuna that takes the best of all trials; trials begin while there is time."""

    def search(bench: Bench, folder: Path, seed: int) -> Found:
        half = bench.all_validation
        runner, sign = bench.runner(half), half.judge.sign
        study = optuna.create_study(direction="maximize", sampler=sampler(seed), pruner=pruner())
        distributions = {move.key: distribution_of(move) for move in bench.space}
        study.enqueue_trial({move.key: param_of(move, setting(bench.config, move.key)) for move in bench.space})
        best, found, spent = -np.inf, {}, 0.0
        while spent < bench.seconds:
            trial = study.ask(distributions)
            changes = {move.key: value_of(move, trial.params[move.key]) for move in bench.space}
            reached, took = -np.inf, 0.0
            training = runner.run(changes, seed, confirms=False)
            state = optuna.trial.TrialState.COMPLETE
            try:
                for place, rung in enumerate(training, start=1):  # Optuna's halving counts resources from 1
                    took = rung.seconds
                    reached = max(reached, sign * half.judge.value(rung.predicted))
                    trial.report(sign * half.judge.value(rung.predicted), place)
                    pruned = trial.should_prune()
                    if pruned or spent + took > bench.seconds:
                        state = optuna.trial.TrialState.PRUNED if pruned else state
                        training.close()  # type: ignore[attr-defined]
                        break
            except FAILURES:
                state = optuna.trial.TrialState.FAIL
            spent += took
            study.tell(trial, reached if state == optuna.trial.TrialState.COMPLETE else None, state)
            if reached > best:
                best, found = reached, changes
        return found, spent

    return search


METHODS: dict[str, Callable[[Bench, Path, int], Found]] = {
    "default": default,
    "truetune": truetune_search(1.0),
    "truetune-half": truetune_search(0.5),
    "random": peer(lambda seed: optuna.samplers.RandomSampler(seed=seed), optuna.pruners.NopPruner),
    "tpe-median": peer(lambda seed: optuna.samplers.TPESampler(seed=seed), optuna.pruners.MedianPruner),
    "asha": peer(
        lambda seed: optuna.samplers.RandomSampler(seed=seed),
        lambda: optuna.pruners.SuccessiveHalvingPruner(min_resource=1),
    ),
}


def bench_of(pair: Pair, data: Path, folder: Path, seed: int, seconds: float) -> Bench:
    """Draw the parts of a pair for a seed, and prepare them as a run does."""
    rows = list({row["text"]: {"text": row["text"], "label": row["label"]} for row in pair.read(data)}.values())
    random.Random(seed).shuffle(rows)
    source, start = folder / "data", 0
    source.mkdir(parents=True, exist_ok=True)
    for part, size in (("train", pair.train), ("validation", pair.validation), ("test", pair.test)):
        some = [{"id": f"{start + place}", **row} for place, row in enumerate(rows[start : start + size])]
        lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some)
        write_text(source / f"{part}.jsonl", lines)
        start += size
    parts = {part: str(source / f"{part}.jsonl") for part in ("train", "validation", "test")}
    model = {"name": pair.model, "layers": pair.layers}
    config = configs.from_settings({"task": "classification", "data": parts, "model": model, "train": GIVEN})
    prepared_data = prepared(task_named(config.task), config.data, RunFolder(folder), QUIET)
    labels = read_json(RunFolder(folder).facts)["splits"]["train"]["labels"]
    return Bench(config, model_place(pair.model, QUIET), prepared_data, default_space(config, labels), seconds)


def test_score(bench: Bench, found: Changes, seed: int) -> float:
    """Fine-tune with what was found and a new seed; return the test score of the best checkpoint on validation."""
    validation, test = bench.all_validation, half_of(bench.data, None, "test", np.arange(len(bench.data.parts["test"])))
    cut, gold = len(validation.columns[0]), validation.judge.metric.gold
    columns = [[*one, *other] for one, other in zip(validation.columns, test.columns, strict=True)]
    both = {gold: [*validation.judge.gold[gold], *test.judge.gold[gold]]}
    runner = bench.runner(Half(columns, Judge(validation.judge.metric, both)))
    best, value = -np.inf, float("nan")
    for rung in runner.run(found, seed, confirms=False):
        reached = validation.judge.sign * validation.judge.value(_cut(rung.predicted, slice(cut)))
        if reached > best:
            best, value = reached, test.judge.value(_cut(rung.predicted, slice(cut, None)))
    return value


def _cut(predicted: Mapping[str, Sequence[Any]], some: slice) -> dict[str, Sequence[Any]]:
    return {name: values[some] for name, values in predicted.items()}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pairs", nargs="*", default=[name for name in PAIRS if name != "trial"], metavar="PAIR")
    parser.add_argument("--seconds", type=float, default=180.0, help="of training for each search (default: 180)")
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--runs", default="runs/optimize-peers", metavar="DIR")
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=list(METHODS), metavar="METHOD")
    args = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    data, rows = Path(os.environ["TRUETUNE_DATA"]), []
    for name in args.pairs:
        scores: dict[str, list[float]] = {method: [] for method in args.methods}
        for seed in range(args.seeds):
            folder = Path(args.runs) / name / f"seed-{seed}-{args.seconds:g}s"
            bench = None
            for method in args.methods:
                saved = folder / f"{method}.json"
                if not saved.is_file():
                    bench = bench or bench_of(PAIRS[name], data, folder, seed, args.seconds)
                    began = time.perf_counter()
                    found, trained = METHODS[method](bench, folder / method, 1000 * seed)
                    searched = time.perf_counter() - began
                    score = test_score(bench, found, 1000 * seed + 999)
                    times = {"seconds": searched, "trained": trained}
                    write_json(saved, {"test": score, "changes": dict(found), **times})
                    print(f"{name} seed {seed} {method}: {score:.4f}, {trained:.0f} s, {dict(found)}", flush=True)
                scores[method].append(read_json(saved)["test"])
        rows.append((name, scores))
    print("| pair | " + " | ".join(args.methods) + " |")
    print("|---" * (1 + len(args.methods)) + "|")
    for name, scores in rows:
        cells = [
            f"{np.mean(values):.4f} ± {np.std(values, ddof=1):.4f}" if len(values) > 1 else f"{values[0]:.4f}"
            for values in scores.values()
        ]
        print(f"| {name} | " + " | ".join(cells) + " |")
    print()
    for ours in ("truetune", "truetune-half"):
        for peer_name in (one for one in args.methods if ours in args.methods and one not in (ours, "truetune")):
            for name, some in (*((name, [scores]) for name, scores in rows), ("all", [scores for _, scores in rows])):
                pairs = [np.subtract(one[ours], one[peer_name]) for one in some]
                print(f"{name}: {ours} less {peer_name}: {_with_interval(np.concatenate(pairs))}")
    return 0


def _with_interval(differences: np.ndarray[Any, Any]) -> str:
    number = len(differences)
    if number < 2:
        return f"{differences.mean():+.4f}"
    reach = t_quantile(0.975, number - 1) * float(np.std(differences, ddof=1)) / number**0.5
    return f"{differences.mean():+.4f} [{differences.mean() - reach:+.4f}, {differences.mean() + reach:+.4f}]"


def _say(line: str) -> None:
    print(f"  {line}", flush=True)


if __name__ == "__main__":
    sys.exit(main())
