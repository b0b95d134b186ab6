"""Folders and Hub names of Transformers models, whatever framework runs them: found, read, configured, quietly."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import numpy as np

from truetune.backbones.base import ModelSettings
from truetune.backbones.marian_tokenizer import MarianTokenizer
from truetune.backbones.tokenizer import FastTokenizer
from truetune.errors import ModelError
from truetune.text import Fold
from truetune.types import Ints

_DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "dropout",
    "dropout_rate",
    "attention_dropout",
    "seq_classif_dropout",
    "resid_pdrop",
    "embd_pdrop",
    "attn_pdrop",
    "summary_first_dropout",
)
"""What configs call their dropouts."""


def ensure_found(name: str) -> None:
    """Raise ModelError where no model of that name or folder can be had, before work is spent on anything else."""
    from transformers import AutoConfig

    with quiet(), explained(name):
        AutoConfig.from_pretrained(name)


def layers_of(name: str) -> int:
    """Return of how many layers a model can leave out the upper ones; 0 for one that has not a single stack of them."""
    from transformers import AutoConfig

    with quiet(), explained(name):
        config = AutoConfig.from_pretrained(name)
    return 0 if getattr(config, "is_encoder_decoder", False) else int(getattr(config, "num_hidden_layers", 0))


def width_of(name: str) -> int:
    """Return how many numbers a hidden state of a model has."""
    from transformers import AutoConfig

    with quiet(), explained(name):
        return int(AutoConfig.from_pretrained(name).hidden_size)


def load_tokenizer(settings: ModelSettings) -> FastTokenizer:
    """Load the tokenizer of a model; for tags and answers, Chinese and Japanese are cut into single characters.

    Raises ModelError where `max_length` is more than the model takes.
    """
    from transformers import AutoConfig

    with quiet(), explained(settings.name):
        config = AutoConfig.from_pretrained(settings.name)
        positions = _positions(config)
        if positions is not None and settings.prompt_pieces >= positions:
            raise ModelError(f"recipe.prompt_pieces: leaves no room for texts; the model reads {positions} pieces")
        left = None if positions is None else positions - settings.prompt_pieces
        tokenizer = tokenizer_of(settings.name, config, left, settings.fold)
    if settings.max_length is not None:
        tokenizer.shorten(settings.max_length)
    if settings.head in ("tag", "joint", "nested", "span"):
        tokenizer.isolate_han()
    return tokenizer


def tokenizer_of(place: str, config: Any, positions: int | None, fold: tuple[Fold, ...]) -> FastTokenizer:
    """Return the tokenizer in a folder or on the Hub, of the kind that the model of `config` has."""
    from transformers import AutoTokenizer

    if config.model_type == "marian":
        return MarianTokenizer(place, config, positions, fold)
    two_sided = bool(getattr(config, "is_encoder_decoder", False))
    return FastTokenizer(AutoTokenizer.from_pretrained(place), positions, two_sided, fold)


def used_pieces(inputs: Iterable[Ints]) -> Ints:
    """Return the sorted distinct ids of training inputs, some thousand of which are in memory at a time."""
    rest = iter(inputs)
    used = np.zeros(0, dtype=np.int64)
    while some := list(islice(rest, 4096)):
        used = np.union1d(used, np.concatenate(some))
    return used


def configure(config: Any, settings: ModelSettings) -> None:
    """Write labels, problem type and dropout of the settings into a Transformers config."""
    if settings.head not in ("generate", "embed", "mask", "detect"):
        config.id2label = dict(enumerate(settings.labels))
        config.label2id = {label: position for position, label in enumerate(settings.labels)}
    if settings.head == "classify":
        config.problem_type = "multi_label_classification" if settings.multiple else "single_label_classification"
    if settings.head == "regress":
        config.problem_type = "regression"
    if settings.layers is not None:
        _shorten(config, settings)
    if settings.dropout is not None:
        for name in _DROPOUTS:
            if hasattr(config, name) or name == "classifier_dropout":
                setattr(config, name, settings.dropout)


def _shorten(config: Any, settings: ModelSettings) -> None:
    """Leave out the upper layers; raises ModelError for a model that has fewer, or two stacks of them."""
    number = getattr(config, "num_hidden_layers", 0)
    if getattr(config, "is_encoder_decoder", False) or not 0 < (settings.layers or 0) <= number:
        raise ModelError(
            f"model.layers: {settings.name} is a {config.model_type} with {number} layers, of which {settings.layers} "
            "cannot be kept; expected fewer of an encoder or a decoder"
        )
    config.num_hidden_layers = settings.layers
    if isinstance(getattr(config, "layer_types", None), list):
        config.layer_types = config.layer_types[: settings.layers]


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """Keep Transformers from printing; what matters of it is checked and raised."""
    from transformers.utils import logging

    level, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bars:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call]


@contextlib.contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn what Transformers raises for a model that is not there or not readable into a ModelError."""
    try:
        yield
    except RuntimeError as error:
        if "mismatched_sizes" not in str(error):
            raise
        raise ModelError(
            f"model {name!r} cannot be loaded: its weights have other shapes than its config.json says, so it is "
            "damaged or forged; save or fetch it again"
        ) from error
    except (OSError, ValueError, KeyError, ImportError) as error:
        if isinstance(error, ModelError):
            raise
        reason = " ".join(str(error).split())[:300]
        raise ModelError(
            f"model {name!r} cannot be loaded ({reason}); expected a name on the Hub, a folder with config.json, "
            "model.safetensors and tokenizer.json, or builtin:NAME (see `truetune models`)"
        ) from error


def labels_of(config: Any) -> tuple[str, ...]:
    """Return the labels that a config names, in the order of its outputs."""
    return tuple(str(config.id2label[position]) for position in sorted(config.id2label))


def _positions(config: Any) -> int | None:
    """Return how many pieces the position embeddings reach."""
    positions = getattr(config, "max_position_embeddings", None)
    if positions is None:
        return None
    reserved = (config.pad_token_id or 0) + 1 if config.model_type in _RESERVING else 0
    return int(positions) - reserved


_RESERVING = frozenset({"roberta", "xlm-roberta", "camembert", "xlm-roberta-xl", "longformer", "mpnet"})
"""Model types whose positions begin behind the padding id."""
