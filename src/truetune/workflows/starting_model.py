"""The model that pretraining begins with: a pretrained one, or a new one with a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.errors import ConfigError
from truetune.types import Head
from truetune.workflows.model import model_place
from truetune.workflows.progress import Progress
from truetune.workflows.starting import found_model

KEEP = "keep"
START = "start"
"""The folder of a new model in a run, as it is before training."""
KIND_OF = {"mask": "bert", "generate": "gpt"}


def check_start(settings: Config, head: Head) -> None:
    """Raise where no such model can be begun with, before any data is read."""
    from truetune.backbones.torch_scratch import NEW, kind_of

    name, tokenizer = settings.model.name, settings.pretrain.tokenizer
    if not name.startswith(NEW):
        if tokenizer != KEEP:
            raise ConfigError(
                f"pretrain.tokenizer: {tokenizer!r} goes with a new model (model.name: new:SIZE); the pieces of "
                f"{name} are what it knows, so leave it at keep"
            )
        return
    if kind_of(name) != KIND_OF[head]:
        raise ConfigError(f"model.name: {name} does not learn the task {settings.task}; use new:{KIND_OF[head]}-SIZE")
    if tokenizer == KEEP:
        raise ConfigError(
            f"pretrain.tokenizer: {name} has none to keep; expected wordpiece, bpe or unigram, which are trained on "
            "the corpus, or a model whose tokenizer is taken"
        )


def place_of_start(settings: Config, run: RunFolder, texts: Iterable[str], progress: Progress) -> str:
    """Return where the model is loaded from; a new one is made and saved in the run unless it is there."""
    from truetune.backbones.torch_scratch import LONGEST, NEW, write_new_model

    if not settings.model.name.startswith(NEW):
        return found_model(settings, progress)
    folder = run.path / START
    if not folder.is_dir():
        longest = settings.model.max_length or LONGEST
        tokenizer = _tokenizer(settings, texts, longest, progress)
        write_new_model(folder, settings.model.name, tokenizer, longest, settings.train.seed)
    return str(folder)


def _tokenizer(settings: Config, texts: Iterable[str], longest: int, progress: Progress) -> Any:
    from truetune.backbones.base import ModelSettings
    from truetune.backbones.tokenizer_training import KINDS, trained_tokenizer
    from truetune.backbones.torch import load_tokenizer
    from truetune.backbones.torch_scratch import kind_of

    kind = settings.pretrain.tokenizer
    if kind not in KINDS:
        return load_tokenizer(ModelSettings(model_place(kind, progress), "embed", ()))
    progress.say(f"training a tokenizer: {kind}, {settings.pretrain.vocabulary:,} pieces")
    return trained_tokenizer(kind, texts, settings.pretrain.vocabulary, longest, kind_of(settings.model.name))
