"""`truetune optimize`: try changes to a config, confirm what seems better, fine-tune with it, write down why.

One folder: the data as it was split, the trials, the runs that confirm, the decisions. The test part is opened once, by
the fine-tuning at the end.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from truetune import config as configs
from truetune.backbones.pretrained import ensure_found
from truetune.bundle.run_folder import RunFolder, latest_run
from truetune.config import Config, Optimize
from truetune.errors import ConfigError, RunError
from truetune.files import read_json, whole_folder, write_json, write_text
from truetune.optimization.around import begun_with
from truetune.optimization.confirm import Confirmation, confirmed, confirmed_cheaper
from truetune.optimization.decisions import decisions_of
from truetune.optimization.finalists import (
    best_rung,
    confirmed_before,
    confirming_runs,
    confirming_seconds,
    finalists_of,
)
from truetune.optimization.optimism import optimism
from truetune.optimization.runner import changed
from truetune.optimization.search import Search
from truetune.optimization.searching import Setup, ensure_time, new_seeds, searched, searching
from truetune.optimization.trial import Trial
from truetune.reports.page import search_page, write
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named
from truetune.workflows.finetune import FinetuneResult, finetune
from truetune.workflows.model import model_place, need_packages, training_of
from truetune.workflows.parts import prepared
from truetune.workflows.progress import Progress
from truetune.workflows.systems import plan_of

DECISIONS, FOUND = "decisions.json", "found.yaml"


@dataclass(frozen=True)
class OptimizeResult:
    """What a search found, and the fine-tuning with it."""

    folder: Path
    decisions: Mapping[str, Any]
    final: FinetuneResult

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {"folder": str(self.folder), **self.decisions, "final": self.final.to_dict()}


def optimize(config: Config, name: str, *, progress: Progress | None = None) -> OptimizeResult:
    """Search around a config as its group `optimize` says, and return what came of it.

    A search of the same name and settings goes on where it was; `optimize.trials` and `optimize.minutes` may be
    raised in between. Raises `ConfigError` where the folder has other settings.
    """
    shown = progress or Progress()
    place = _usable(config, shown)
    run = _started(config, name)
    shown.say(f"search {run.path}")
    data = prepared(task_named(config.task), config.data, run, shown)
    setup = Setup(config, place, data, run, f"{name}-search")
    with searching(setup, begun_with(config, run), shown) as (search, space):
        trials = searched(search, space, config)
        ensure_time(trials, config.optimize, search.own_counts)
        found = _confirmed(search, setup, finalists_of(search, trials, config.optimize.finalists), trials)
        flattery = _optimism(search, trials, plan_of(config.evaluate))
        log = decisions_of(search.judge.metric, space, trials, found, flattery, search.aims)
    write_json(run.path / DECISIONS, log)
    write(run.report, search_page(read_json(run.path / DECISIONS), run.path.name, config.track.language))
    winner = next(trial for trial in trials if trial.number == found.winner)
    best = changed(config, winner.changes).model_copy(update={"optimize": Optimize()})
    write_text(run.path / FOUND, configs.to_yaml(best))
    shown.say(f"trial {winner.number} is taken: {found.why}")
    final = _final(best, f"{name}-optimized", shown)
    return OptimizeResult(run.path, read_json(run.path / DECISIONS), final)


def help_optimize(config: Config, name: str, *, progress: Progress | None = None) -> int:
    """Train for a search that another process has begun, until it needs no more; return how many trials it has.

    What is trained stands in the database of `optimize.storage` alone. Raises `ConfigError` without one.
    """
    shown = progress or Progress()
    if config.optimize.storage is None:
        raise ConfigError(
            "optimize.storage: is not set, and a worker needs a database that it shares with the search; name one, "
            "such as postgresql://HOST/DATABASE, in the config of all of them"
        )
    place = _usable(config, shown)
    with tempfile.TemporaryDirectory(prefix="truetune-worker-") as folder:
        run = RunFolder(Path(folder))
        write_text(run.config, configs.to_yaml(config))
        data = prepared(task_named(config.task), config.data, run, shown)
        with searching(Setup(config, place, data, run, f"{name}-search"), None, shown) as (search, space):
            trials = searched(search, space, config)
            finalists = finalists_of(search, trials, config.optimize.finalists)
            if finalists:
                confirming_runs(search, finalists, new_seeds(config))
    return len(trials)


def _usable(config: Config, progress: Progress) -> str:
    """Return where the model is; raises what keeps a config from being searched around."""
    training_of(task_named(config.task))
    need_packages("`truetune optimize`", config.model.framework)
    place = model_place(config.model.name, progress)
    ensure_found(place)
    return place


def _final(best: Config, name: str, progress: Progress) -> FinetuneResult:
    """Fine-tune with what was found, which opens the test part; a run of the same settings is gone on with."""
    settings = best.model_copy(update={"track": best.track.model_copy(update={"name": name})})
    try:
        begun = configs.load(latest_run(Path(settings.track.output), name).config) == settings
    except RunError:
        begun = False
    return finetune(settings, resume=begun, progress=progress)


def _started(config: Config, name: str) -> RunFolder:
    run = RunFolder(Path(config.track.output) / f"{name}-search")
    if not run.config.is_file():
        with whole_folder(run.path) as folder:
            write_text(RunFolder(folder).config, configs.to_yaml(config))
    elif _comparable(configs.load(run.config)) != _comparable(config):
        raise ConfigError(
            f"{run.path}: holds a search with other settings; expected the same ones, except optimize.trials and "
            "optimize.minutes. Name another one with track.name, or remove the folder"
        )
    return run


def _comparable(config: Config) -> Config:
    budget = {"trials": 1, "minutes": 1.0}
    return config.model_copy(update={"optimize": config.optimize.model_copy(update=budget)})


def _confirmed(search: Search, setup: Setup, finalists: list[Trial], trials: list[Trial]) -> Confirmation:
    """Return which finalist wins on the examples that confirm, after trainings with seeds that chose nothing."""
    if not finalists:
        return NOTHING
    plan, judge, seeds = plan_of(setup.config.evaluate), setup.halves["confirm"].judge, new_seeds(setup.config)
    finalists = finalists + [one for one in confirmed_before(search, trials, seeds) if one not in finalists]
    runs = confirming_runs(search, finalists, seeds)
    if search.aims.costs:
        found = confirmed_cheaper(judge, runs, {trial.number: trial for trial in trials}, search.aims, plan)
    else:
        found = confirmed(judge, runs, {trial.number: len(trial.changes) for trial in trials}, plan)
    failed = tuple(trial.number for trial in finalists if trial.number not in runs)
    return replace(found, failed=failed, seconds=confirming_seconds(search, finalists, seeds))


def _optimism(search: Search, trials: list[Trial], plan: Plan) -> float:
    """Return by how much the best trial looks better than it is."""
    ended = [trial for trial in trials if trial.state == "finished"]
    rows = search.judge.rows([best_rung(search.journal, trial, search.judge.sign) for trial in ended])
    return optimism(search.judge.metric, rows, search.judge.groups, plan)


NOTHING = Confirmation((), 0, "no other trial came to its end")
