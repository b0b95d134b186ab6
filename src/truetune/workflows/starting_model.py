"""The model that pretraining begins with: a pretrained one, or a new one with a tokenizer."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from truetune.bundle.run_folder import RunFolder
from truetune.config import Config
from truetune.errors import ConfigError, ModelError, nearest
from truetune.pretraining.new_words import frequent_words
from truetune.pretraining.words import segmented
from truetune.text import script
from truetune.types import Head
from truetune.workflows.model import model_place
from truetune.workflows.progress import Progress
from truetune.workflows.starting import found_model

KEEP = "keep"
START = "start"
"""The folder of a new model in a run, as it is before training."""
SOME = 1000
"""Documents by which the script of a corpus is known."""
KIND_OF = {"mask": "bert", "detect": "bert", "generate": "gpt"}


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
        if settings.pretrain.new_words and head == "generate":
            raise ConfigError(f"pretrain.new_words: goes with encoders, and the task is {settings.task}; set it to 0")
        return
    if settings.pretrain.new_words:
        raise ConfigError(f"pretrain.new_words: {name} gets a tokenizer of its own; set it to 0")
    if kind_of(name) != KIND_OF[head]:
        raise ConfigError(f"model.name: {name} does not learn the task {settings.task}; use new:{KIND_OF[head]}-SIZE")
    for small in ("lora_rank", "ia3"):
        if getattr(settings.recipe, small):
            raise ConfigError(f"recipe.{small}: keeps what a model knows, and {name} knows nothing yet; leave it out")
    if tokenizer == KEEP:
        raise ConfigError(
            f"pretrain.tokenizer: {name} has none to keep; expected wordpiece, bpe or unigram, which are trained on "
            "the corpus, or a model whose tokenizer is taken"
        )
    _refuse_unknown(tokenizer)


def _refuse_unknown(tokenizer: str) -> None:
    """Raise `ConfigError` for a tokenizer that is neither trained nor that of a model."""
    from truetune.backbones.pretrained import ensure_found
    from truetune.backbones.tokenizer_training import KINDS

    if tokenizer in KINDS or tokenizer.startswith("builtin:"):
        return
    try:
        ensure_found(tokenizer)
    except ModelError as error:
        raise ConfigError(
            f"pretrain.tokenizer: {tokenizer!r} is none that is trained ({nearest(tokenizer, KINDS)}), nor a model's: "
            f"{error}"
        ) from error


def place_of_start(settings: Config, run: RunFolder, texts: Sequence[str], progress: Progress) -> str:
    """Return where the model is loaded from; a new one is made and saved in the run unless it is there."""
    from truetune.backbones.torch_scratch import LONGEST, NEW, write_new_model

    folder = run.path / START
    if not settings.model.name.startswith(NEW):
        place = found_model(settings, progress)
        if settings.pretrain.new_words and not folder.is_dir():
            _grown(settings, place, folder, texts, progress)
        return str(folder) if settings.pretrain.new_words else place
    if not folder.is_dir():
        longest = settings.model.max_length or LONGEST
        tokenizer = _tokenizer(settings, texts, longest, progress)
        write_new_model(folder, settings.model.name, tokenizer, longest, settings.train.seed)
    return str(folder)


def _grown(settings: Config, place: str, folder: Path, texts: Sequence[str], progress: Progress) -> None:
    """Write a pretrained encoder that knows the frequent words of the corpus."""
    from truetune.backbones.base import ModelSettings
    from truetune.backbones.pretrained import load_tokenizer
    from truetune.backbones.torch_growth import shortened_words, write_grown_model

    asked = settings.pretrain.new_words
    tokenizer = load_tokenizer(ModelSettings(place, "mask", (), max_length=settings.model.max_length))
    small, large = tokenizer.pieces(["word", "WORD"])
    cut = segmented if script(islice(texts, SOME)) == "zh" else None
    frequent = frequent_words(texts, asked, small.ids.tolist() == large.ids.tolist(), cut)
    words = shortened_words(tokenizer, frequent)[:asked]
    if not words:
        raise ConfigError(
            f"pretrain.new_words: no frequent word of the corpus becomes one piece of the tokenizer of "
            f"{settings.model.name} (all are already, or it joins words with the space before them); set it to 0"
        )
    progress.say(f"new words: {len(words):,}, {', '.join(words[:5])}...")
    write_grown_model(place, folder, "mask", tokenizer, words)


def _tokenizer(settings: Config, texts: Iterable[str], longest: int, progress: Progress) -> Any:
    from truetune.backbones.base import ModelSettings
    from truetune.backbones.pretrained import load_tokenizer
    from truetune.backbones.tokenizer_training import KINDS, trained_tokenizer
    from truetune.backbones.torch_scratch import kind_of

    kind = settings.pretrain.tokenizer
    if kind not in KINDS:
        return load_tokenizer(ModelSettings(model_place(kind, progress), "embed", ()))
    progress.say(f"training a tokenizer: {kind}, {settings.pretrain.vocabulary:,} pieces")
    return trained_tokenizer(kind, texts, settings.pretrain.vocabulary, longest, kind_of(settings.model.name))
