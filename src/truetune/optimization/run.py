"""`truetune optimize`: try changes to a config, confirm what seems better, fine-tune with it, write down why.

One folder: the data as it was split, the trials, the runs that confirm, the decisions. The test part is opened once, by
the fine-tuning at the end.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from truetune import config as configs
from truetune.backbones.pretrained import ensure_found, layers_of
from truetune.bundle.run_folder import RunFolder, finished_run, latest_run
from truetune.config import Config, Optimize
from truetune.errors import ConfigError, RunError
from truetune.files import read_json, whole_folder, write_json, write_text
from truetune.optimization.confirm import Confirmation, confirmed, confirmed_cheaper
from truetune.optimization.crew import Alone
from truetune.optimization.decisions import decisions_of
from truetune.optimization.finalists import best_rung, confirming_runs, finalists_of
from truetune.optimization.journal import Journal
from truetune.optimization.moves import cures, setting
from truetune.optimization.objectives import Aims
from truetune.optimization.optimism import optimism
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Judge, Race
from truetune.optimization.runner import FinetuneRunner, changed, halves_of
from truetune.optimization.search import Budget, Search
from truetune.optimization.space import Move, Space, default_space, holds, smaller_models, space_of, with_cures
from truetune.optimization.trial import Trial
from truetune.reports.page import search_page, write
from truetune.stats.plan import Plan
from truetune.tasks.table import task_named
from truetune.workflows.finetune import FinetuneResult, finetune
from truetune.workflows.model import model_place, need_packages, training_of
from truetune.workflows.parts import TaskData, prepared
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
    task = task_named(config.task)
    training_of(task)
    need_packages("`truetune optimize`", config.model.framework)
    place = model_place(config.model.name, shown)
    ensure_found(place)
    run = _started(config, name)
    shown.say(f"search {run.path}")
    data = prepared(task, config.data, run, shown)
    found, trials = _searched(config, place, data, run, shown)
    write(run.report, search_page(read_json(run.path / DECISIONS), run.path.name, config.track.language))
    winner = trials[found.winner]
    best = changed(config, winner.changes).model_copy(update={"optimize": Optimize()})
    write_text(run.path / FOUND, configs.to_yaml(best))
    shown.say(f"trial {winner.number} is taken: {found.why}")
    final = _final(best, f"{name}-optimized", shown)
    return OptimizeResult(run.path, read_json(run.path / DECISIONS), final)


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


def _searched(
    config: Config, place: str, data: TaskData, run: RunFolder, progress: Progress
) -> tuple[Confirmation, list[Trial]]:
    settings, plan = config.optimize, plan_of(config.evaluate)
    aims = Aims(tuple(one for one in settings.objectives if one != "score"), settings.give)
    halves = halves_of(data, config.train.metric or config.evaluate.metric, config.data.split_seed)
    judge = halves["search"].judge
    space = _space(config, place, run, progress)
    runner = FinetuneRunner(config, place, data, halves)
    search = Search(
        crew=Alone(runner),
        judge=judge,
        race=Race(settings.margin, settings.risk),
        journal=Journal(run.path),
        seed=config.train.seed,
        say=progress.say,
        aims=aims,
        weigh=runner.costs if aims.costs else None,
        given=space.given,
    )
    seed = config.train.seed + len(search.journal.trials())
    proposals = Proposals(space.moves, settings.sampler, seed, judge.sign, space.given, aims.costs)
    reserved = (1 + settings.finalists) * settings.seeds
    budget = Budget(settings.trials, 60 * settings.minutes, reserved)
    trials = search.run(proposals, budget, [change for _, change in space.first])
    found = _confirmed(search, halves["confirm"].judge, trials, config, plan)
    ended = [trial for trial in trials if trial.state == "finished"]
    rows = judge.rows([best_rung(search.journal, trial, judge.sign) for trial in ended])
    flattery = optimism(judge.metric, rows, judge.groups, plan)
    write_json(run.path / DECISIONS, decisions_of(judge.metric, space, trials, found, flattery, aims))
    return found, trials


def _confirmed(search: Search, judge: Judge, trials: list[Trial], config: Config, plan: Plan) -> Confirmation:
    """Return which finalist wins on the examples that confirm, trained again with new seeds."""
    settings = config.optimize
    finalists = finalists_of(search, trials, settings.finalists)
    if not finalists:
        return NOTHING
    runs = confirming_runs(search, finalists, [config.train.seed + 1 + place for place in range(settings.seeds)])
    if search.aims.costs:
        return confirmed_cheaper(judge, runs, {trial.number: trial for trial in trials}, search.aims, plan)
    return confirmed(judge, runs, {trial.number: len(trial.changes) for trial in trials}, plan)


def _space(config: Config, place: str, run: RunFolder, progress: Progress) -> Space:
    """Return what may be changed, and what is tried first where a diagnosis of this config asks for it.

    A search that goes on has the space that it began with, whatever was diagnosed since.
    """
    settings = config.optimize
    saved = run.path / SPACE
    diagnosed = _diagnosed(config, run)
    if saved.is_file():
        begun = read_json(saved)["diagnosis"]
        diagnosed = RunFolder(Path(begun["run"])) if begun else None
        causes = begun["causes"] if begun else []
    else:
        causes = read_json(diagnosed.diagnosis)["causes"] if diagnosed else []
        causes = [{"name": one["name"]} for one in causes]
        write_json(saved, {"diagnosis": {"run": str(diagnosed.path), "causes": causes} if diagnosed else None})
    first = cures(causes, config)
    if settings.space:
        moves = space_of(settings.space)
        known = {move.key: move for move in moves}
        inside = [all(key in known and holds(known[key], one) for key, one in change.items()) for _, change in first]
        first = [one for one, kept in zip(first, inside, strict=True) if kept][:FIRST]
    else:
        first = first[:FIRST]
        moves = default_space(config, read_json(run.facts)["splits"]["train"]["labels"])
        layers = layers_of(place) if len(settings.objectives) > 1 else 0
        moves = (*([smaller_models(layers, config.model.layers)] if layers > 1 else []), *moves)
        moves = with_cures(moves, first, lambda key: setting(config, key))
    for number, (cause, change) in enumerate(first, start=1):
        told = ", ".join(f"{key}={value}" for key, value in change.items())
        progress.say(f"trial {number} will be {told}, against {cause}, which the diagnosis names")
    _check_space(config, moves)
    given = {move.key: setting(config, move.key) for move in moves}
    return Space(moves, tuple(first), str(diagnosed.path) if diagnosed else None, given)


def _diagnosed(config: Config, run: RunFolder) -> RunFolder | None:
    """Return the run whose diagnosis the search begins with: the one that is named, else that of this config."""
    named = config.optimize.diagnosis
    if named is not None:
        found = finished_run(Path(named))
        if not found.diagnosis.is_file():
            raise ConfigError(f"{named}: has no diagnosis; make one first: truetune diagnose {named}")
        return found
    own = RunFolder(run.path.with_name(run.path.name.removesuffix("-search")))
    if own.finished and own.diagnosis.is_file() and _training(configs.load(own.config)) == _training(config):
        return own
    return None


def _training(config: Config) -> Config:
    """Return a config without what changes no training."""
    return config.model_copy(update={"optimize": Optimize(), "track": None, "evaluate": None})


SPACE = "space.json"
FIRST = 8
"""So many moves of a diagnosis are tried before the sampler is asked."""
NOTHING = Confirmation((), 0, "no other trial came to its end")


def _check_space(config: Config, space: Sequence[Move]) -> None:
    """Raise `ConfigError`, before anything is trained, for a setting or value that the config does not take."""
    for name in ("contrastive", "teacher", "hard_negatives"):
        if getattr(config.recipe, name):
            raise ConfigError(f"recipe.{name}: trials do not learn with it yet; leave it out, or fine-tune with it")
    for move in space:
        if move.key.partition(".")[0] not in ("train", "recipe", "model") or move.key == "train.seed":
            raise ConfigError(
                f"optimize.space: {move.key!r} cannot be searched; expected a setting of train, recipe or model"
            )
        for value in move.values if isinstance(move.values, tuple) else (move.values.low, move.values.high):
            changed(config, {move.key: value})
