"""The model that a run trains: loaded once, with what was measured for its machine kept for when it is resumed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from truetune.backbones.base import Backbone, ModelSettings, Recipe
from truetune.backbones.choice import load_backbone
from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.errors import ConfigError
from truetune.files import read_json, write_json
from truetune.types import Ints
from truetune.workflows.starting import CHOSEN


def backbone_of(
    run: RunFolder,
    config: Config,
    begun: tuple[ModelSettings, Recipe, Any],
    vocabulary: Ints | None = None,
    together: Any = None,
) -> Backbone:
    """Return the backbone that settings, recipe and tokenizer (`begun`) describe.

    `vocabulary`: the pieces whose embeddings are trained, all where None; `together`: the processes of
    `backbones/torch_together.py` that it learns with. Raises `ConfigError` where texts cannot share a row as asked.
    """
    settings, recipe, tokenizer = begun
    chosen = run.path / CHOSEN
    if chosen.is_file():
        settings = replace(settings, precision=read_json(chosen)["precision"])
    backbone = load_backbone(config.model.framework, settings, recipe, tokenizer, vocabulary, together)
    if config.train.packing and not backbone.facts["packable"]:
        raise ConfigError(
            f"train.packing: {config.model.name} cannot have several texts in a row (only decoders that are told "
            "positions can); set it to false: batches by length hardly pad"
        )
    if not chosen.is_file():
        write_json(chosen, dict(backbone.facts))
    return backbone
