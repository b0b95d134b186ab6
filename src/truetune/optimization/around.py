"""What a search may change around a config, what it tries first, and whether that can be searched at all."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune import config as configs
from truetune.backbones.pretrained import layers_of
from truetune.bundle.run_folder import RunFolder, finished_run
from truetune.config import Config, Optimize, has
from truetune.errors import ConfigError
from truetune.files import read_json, write_json
from truetune.optimization.moves import cures, setting
from truetune.optimization.runner import changed
from truetune.optimization.space import Move, Space, default_space, holds, smaller_models, space_of, with_cures

SPACE = "space.json"
FIRST = 8
"""So many moves of a diagnosis are tried before the sampler is asked."""
Begun = Mapping[str, Any]
"""What a search began with, as JSON: `diagnosis`, None or its `run` and `causes`."""


def begun_with(config: Config, run: RunFolder) -> Begun:
    """Return what a search begins with: the diagnosis of this config, where there is one.

    A search that goes on keeps what it began with, whatever was diagnosed since.
    """
    saved = run.path / SPACE
    if not saved.is_file():
        diagnosed = _diagnosed(config, run)
        causes = read_json(diagnosed.diagnosis)["causes"] if diagnosed else []
        named = [{"name": one["name"]} for one in causes]
        write_json(saved, {"diagnosis": {"run": str(diagnosed.path), "causes": named} if diagnosed else None})
    found: Begun = read_json(saved)
    return found


def space_around(config: Config, place: str, labels: Mapping[str, int], begun: Begun) -> Space:
    """Return what may be changed, and what is tried first where a diagnosis asks for it.

    `place` is the model's, `labels` how many training examples each has. Raises `ConfigError`, before anything is
    trained, for a setting or value that the config does not take.
    """
    settings, diagnosis = config.optimize, begun["diagnosis"]
    first = cures(diagnosis["causes"] if diagnosis else [], config)
    if settings.space:
        moves = space_of(settings.space)
        known = {move.key: move for move in moves}
        inside = [all(key in known and holds(known[key], one) for key, one in change.items()) for _, change in first]
        first = [one for one, kept in zip(first, inside, strict=True) if kept][:FIRST]
    else:
        first = first[:FIRST]
        moves = default_space(config, labels)
        shortened = len(settings.objectives) > 1 and has(config.model.framework, "model.layers", 1)
        layers = layers_of(place) if shortened else 0
        moves = (*([smaller_models(layers, config.model.layers)] if layers > 1 else []), *moves)
        moves = with_cures(moves, first, lambda key: setting(config, key))
    _check(config, moves)
    given = {move.key: setting(config, move.key) for move in moves}
    return Space(moves, tuple(first), diagnosis["run"] if diagnosis else None, given)


def tell_first(space: Space, say: Callable[[str], None]) -> None:
    """Say which trials a diagnosis asks for."""
    for number, (cause, change) in enumerate(space.first, start=1):
        told = ", ".join(f"{key}={value}" for key, value in change.items())
        say(f"trial {number} will be {told}, against {cause}, which the diagnosis names")


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


def _check(config: Config, space: Sequence[Move]) -> None:
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
