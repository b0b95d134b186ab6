"""A search set up: the data cut in halves, who trains, where trials are kept, what is proposed."""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from math import ceil

from truetune.bundle.run_folder import RunFolder
from truetune.config import Config, Optimize
from truetune.errors import ConfigError
from truetune.files import read_json
from truetune.optimization.around import Begun, space_around, tell_first
from truetune.optimization.crew import Alone, Crew
from truetune.optimization.journal import Folder, Journal
from truetune.optimization.objectives import Aims
from truetune.optimization.proposals import Proposals
from truetune.optimization.race import Race
from truetune.optimization.runner import FinetuneRunner, Half, halves_of
from truetune.optimization.search import WAIT, Budget, Search
from truetune.optimization.space import Space, openings
from truetune.optimization.trial import Part, Trial
from truetune.workflows.parts import TaskData
from truetune.workflows.progress import Progress


@dataclass(frozen=True)
class Setup:
    """What a search is of: a config, the model's place, the data, the folder of this process, and a name."""

    config: Config
    place: str
    data: TaskData
    run: RunFolder
    name: str

    @cached_property
    def halves(self) -> Mapping[Part, Half]:
        """Validation, cut in two."""
        config = self.config
        return halves_of(self.data, config.train.metric or config.evaluate.metric, config.data.split_seed)


@contextmanager
def searching(setup: Setup, begun: Begun | None, progress: Progress) -> Iterator[tuple[Search, Space]]:
    """Yield a search and its space; `begun` is None for a process that helps with a search of another one."""
    config, settings = setup.config, setup.config.optimize
    runner = FinetuneRunner(config, setup.place, setup.data, setup.halves)
    aims = Aims(tuple(one for one in settings.objectives if one != "score"), settings.give)
    with _journal(setup, begun, progress.say) as (journal, agreed), _crew(setup, runner, progress.say) as crew:
        labels = read_json(setup.run.facts)["splits"]["train"]["labels"]
        space = space_around(config, setup.place, labels, agreed)
        tell_first(space, progress.say)
        search = Search(
            crew=crew,
            judge=setup.halves["search"].judge,
            race=Race(settings.margin, settings.risk),
            journal=journal,
            seed=config.train.seed,
            say=progress.say,
            aims=aims,
            weigh=runner.costs if aims.costs else None,
            given=space.given,
            # A diagnosis was made of this very training, and costs are weighed against its score.
            own_counts=space.diagnosis is None and not aims.costs,
        )
        yield search, space


def searched(search: Search, space: Space, config: Config) -> list[Trial]:
    """Return all trials, within what the config allows."""
    settings = config.optimize
    seed = config.train.seed + len(search.journal.trials())
    if search.journal.shared:  # else two processes that know the same would propose the same
        seed = secrets.randbelow(2**31)
    proposals = Proposals(space.moves, settings.sampler, seed, search.judge.sign, space.given, search.aims.costs)
    budget = Budget(
        trials=settings.trials,
        seconds=60 * settings.minutes,
        finalists=settings.finalists,
        seeds=settings.seeds,
        given_seeds=settings.seeds - search.own_counts,
        sign=search.judge.sign,
    )
    asked = [change for _, change in space.first]
    return search.run(proposals, budget, [*asked, *openings(space.moves, space.given)])


def ensure_time(trials: Sequence[Trial], settings: Optimize, own_counts: bool) -> None:
    """Raise `ConfigError` where there was no time for any trial but the config itself, so that nothing was searched."""
    if len(trials) != 1 or settings.trials == 1:
        return
    own, later = trials[0].seconds, (1 + settings.finalists) * settings.seeds - own_counts
    raise ConfigError(
        f"optimize.minutes: {settings.minutes:g} leave no time to try anything: the config's own training took "
        f"{own / 60:.1f}, and beside one trial {later} trainings confirm. Expected {ceil((2 + later) * own / 60):,} or "
        "more (what is trained is kept), or fewer optimize.finalists or optimize.seeds"
    )


def new_seeds(config: Config) -> list[int]:
    """Return the seeds of the runs that confirm."""
    return [config.train.seed + 1 + place for place in range(config.optimize.seeds)]


@contextmanager
def _crew(setup: Setup, runner: FinetuneRunner, say: Callable[[str], None]) -> Iterator[Crew]:
    """Yield who trains: this process, or so many workers under Ray."""
    if setup.config.scale != "ray":
        yield Alone(runner)
        return
    from truetune.optimization.under_ray import OfSearch, RayCrew

    with RayCrew(OfSearch(str(setup.run.path.resolve())), setup.config.workers, say) as crew:
        yield crew


@contextmanager
def _journal(setup: Setup, begun: Begun | None, say: Callable[[str], None]) -> Iterator[tuple[Journal, Begun]]:
    """Yield where trials are kept, and what the search began with: a helper is told by the database."""
    storage = setup.config.optimize.storage
    if storage is None:
        assert begun is not None
        yield Folder(setup.run.path), begun
        return
    from truetune.optimization.database import Database

    with Database(storage, setup.name, _terms(setup)) as journal:
        agreed = journal.agreed("begun", None if begun is None else json.dumps(begun))
        if agreed is None:
            say(f"waiting for the search {setup.name} to begin")
        while agreed is None:
            time.sleep(WAIT)
            agreed = journal.agreed("begun", None)
        yield journal, json.loads(agreed)


def _terms(setup: Setup) -> dict[str, str]:
    """Return what all processes of a search must have the same of, by its name in a config."""
    settings = setup.config.model_dump(mode="json")
    for name in ("trials", "minutes", "storage", "diagnosis"):
        settings["optimize"].pop(name)
    groups = ("task", "model", "train", "recipe", "optimize", "evaluate")
    return {**{name: json.dumps(settings[name], sort_keys=True) for name in groups}, "data": _fingerprint(setup.data)}


def _fingerprint(data: TaskData) -> str:
    """Return a digest of what is trained on and scored: ids, texts and gold in their order."""
    digest = hashlib.sha256()
    for name in ("train", "validation"):
        part = data.parts[name]
        for column in chain([part.stored_ids], (part.stored(field) for field in part.fields)):
            for value in column:
                digest.update(repr(value).encode("utf-8", "surrogatepass") + b"\0")
    return digest.hexdigest()
