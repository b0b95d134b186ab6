"""The configuration of a run: frozen, in small groups, checked at birth.

A YAML file and `section.key=value` overrides become one `Config`. Unknown keys are refused with the
nearest known one; every error names file, line and key, and all of them are listed together.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, field_validator, model_validator

from truetune.config.data import Data as Data
from truetune.config.decide import Decide as Decide
from truetune.config.evaluate import Evaluate as Evaluate
from truetune.config.framework import has as has
from truetune.config.framework import lacking
from truetune.config.group import Group
from truetune.config.model import Generate as Generate
from truetune.config.model import Model as Model
from truetune.config.optimize import Optimize as Optimize
from truetune.config.pretrain import Pretrain as Pretrain
from truetune.config.track import Track as Track
from truetune.config.train import BESIDE
from truetune.config.train import Recipe as Recipe
from truetune.config.train import Train as Train
from truetune.errors import ConfigError, nearest
from truetune.faults import explained
from truetune.yaml_text import line_of_keys, overridden, parsed


class Config(Group):
    """All settings of one run."""

    task: str = Field(description="What to learn (see `truetune tasks`)")
    data: Data
    model: Model
    train: Train = Train()
    recipe: Recipe = Recipe()
    generate: Generate = Generate()
    evaluate: Evaluate = Evaluate()
    decide: Decide = Decide()
    pretrain: Pretrain = Pretrain()
    optimize: Optimize = Optimize()
    track: Track = Track()
    scale: Literal["single", "torchrun", "ray"] = Field(
        default="single",
        description="torchrun: fine-tune in `workers` processes on this machine; ray: here or on several machines",
    )
    workers: int = Field(default=1, ge=1, description="Processes that fine-tune together, each a share of every step")

    shard: bool = Field(
        default=False,
        description="Each of the workers holds a share of the weights (FSDP), for models whose training fits no device",
    )

    @model_validator(mode="after")
    def _scaled(self) -> Config:
        if self.workers > 1 and self.scale == "single":
            raise ValueError(f"`workers: {self.workers}` needs `scale: torchrun` or `scale: ray`")
        if self.shard and self.workers == 1:
            raise ValueError("`shard: true` spreads weights over several `workers`, found 1; set `workers` and `scale`")
        if self.shard and self.recipe.contrastive:
            raise ValueError("`recipe.contrastive` fits a head to the whole model; set it or `shard` to false")
        if self.shard and self.recipe.mixout:
            raise ValueError("`recipe.mixout` needs all pretrained weights beside the trained; set it or `shard` to 0")
        if self.workers > 1 and self.recipe.fgm:
            raise ValueError("`recipe.fgm` moves words by the gradient of a whole step; set it to 0, or `workers` to 1")
        return self

    @model_validator(mode="after")
    def _one_beside(self) -> Config:
        """Of what is trained in the place of a frozen model there is one."""
        names = [name for name in BESIDE if getattr(self.recipe, name)]
        if len(names) > 1:
            raise ValueError(f"`recipe.{names[0]}` and `recipe.{names[1]}` each keep the model frozen; leave one out")
        if self.recipe.prompt_pieces or self.recipe.prefix_pieces:
            if self.model.freeze_layers:
                raise ValueError(f"`recipe.{names[0]}` keeps all layers frozen; leave out `model.freeze_layers`")
            if self.shard:
                raise ValueError(f"`recipe.{names[0]}` trains too little to be shared; set `shard` to false")
        return self

    @model_validator(mode="after")
    def _there(self) -> Config:
        if missing := lacking(self):
            raise ValueError(
                f"`{'`, `'.join(missing)}`: not there with `model.framework: {self.model.framework}`; "
                "leave it out, or set `model.framework` to pytorch"
            )
        return self

    @field_validator("task")
    @classmethod
    def _not_empty(cls, value: str) -> str:
        if not value:
            raise ValueError("name a task; `truetune tasks` lists them")
        return value


def load(path: str | Path, overrides: Sequence[str] = (), tasks: Collection[str] = ()) -> Config:
    """Return the config of a YAML file with `section.key=value` overrides applied.

    Paths in `data` are relative to the config file's folder (or, where nothing is there, to the
    current folder). With `tasks`, the config's is one of these. Raises `ConfigError`, which lists every fault.
    """
    file = Path(path)
    try:
        text = file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ConfigError(f"{file}: cannot be read ({error.strerror}); expected a YAML config") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file}: byte {error.start} is not UTF-8; save the config as UTF-8") from error
    settings = overridden(parsed(text, str(file)), overrides)
    places = {key: f"{file}:{line}" for key, line in line_of_keys(text).items()}
    places |= {override.partition("=")[0]: f"override {override}" for override in overrides}
    config = from_settings(settings, str(file), places, folder=file.parent)
    if tasks and config.task not in tasks:
        raise ConfigError(f"{places['task']}: task: unknown task {config.task!r}; {nearest(config.task, tasks)}")
    return config


def from_settings(
    settings: Mapping[str, Any],
    where: str = "config",
    places: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Config:
    """Return the config that nested settings describe; `where` and `places` (key -> file and line) make
    errors findable.
    """
    try:
        config = Config.model_validate(dict(settings))
    except ValidationError as error:
        raise ConfigError(explained(error, Config, where, places or {})) from None
    return config if folder is None else _with_paths(config, folder)


def to_yaml(config: Config) -> str:
    """Return the whole config, defaults included, as YAML that `load` reads back to an equal config."""
    text: str = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return text


def schema() -> dict[str, Any]:
    """Return the JSON schema of the config file, for editors."""
    return Config.model_json_schema()


def _with_paths(config: Config, folder: Path) -> Config:
    def found(name: str | None) -> str | None:
        if name is None or name.startswith(("builtin:", "hub:")) or Path(name).is_absolute():
            return name
        return str(folder / name) if (folder / name).exists() else name

    data = config.data
    places = {key: found(getattr(data, key)) for key in ("source", "train", "validation", "test", "documents")}
    probed = config.pretrain.model_copy(update={"probe": found(config.pretrain.probe)})
    return config.model_copy(update={"data": data.model_copy(update=places), "pretrain": probed})
