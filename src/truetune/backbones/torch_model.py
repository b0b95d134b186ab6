"""A Transformers model with a head, loaded quietly and checked: nothing pretrained may be missing in silence."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch_attention import KNOWN, registered
from truetune.backbones.torch_network import Form, Network, chosen_form, drawn, own_head
from truetune.errors import ModelError

HEAD_FILE = "head.safetensors"
"""Where a head of ours is saved, beside the plain model."""

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


def load_network(settings: ModelSettings, device: torch.device) -> Network:
    """Load a pretrained model from a folder or the Hub and give it the head of the settings, in float32.

    A head that stands in the files is kept when its labels are these, in this order; else it is drawn anew
    from the seed. Raises ModelError where the files do not hold the whole pretrained part.
    """
    from transformers import AutoConfig

    with quiet(), explained(settings.name):
        config = AutoConfig.from_pretrained(settings.name)
    form = chosen_form(settings, config)
    # First and last piece are the same two outputs in every file.
    same_labels = form.ends or form.writes or form.embeds or form.masks or _labels(config) == settings.labels
    configure(config, settings)
    with quiet(), explained(settings.name), torch.random.fork_rng(devices=[]):
        torch.manual_seed(settings.seed)
        model, info = model_class(settings, form, config).from_pretrained(
            settings.name,
            config=config,
            attn_implementation=_attention(config, device),
            dtype=torch.float32,
            ignore_mismatched_sizes=True,
            output_loading_info=True,
            use_safetensors=True,
        )
        if plain(form) and config.model_type in KNOWN:
            model.pooler = None
        network = Network(model, form, own_head(settings, form, config))
        if not same_labels:
            _draw_outputs(network, len(settings.labels))
    _refuse_missing(settings.name, network, info)
    return network.to(device)


def build_network(folder: Path, settings: ModelSettings, form: Form, device: torch.device) -> Network:
    """Load a network that was saved whole: every weight, the head's too, must be in the folder."""
    from safetensors.torch import load_file
    from transformers import AutoConfig

    with quiet(), explained(str(folder)):
        config = AutoConfig.from_pretrained(folder)
        model, info = model_class(settings, form, config).from_pretrained(
            folder,
            config=config,
            attn_implementation=_attention(config, device),
            dtype=torch.float32,
            output_loading_info=True,
            use_safetensors=True,
        )
        head = own_head(settings, form, config)
        if head is not None:
            head.load_state_dict(load_file(folder / HEAD_FILE))
    if plain(form) and config.model_type in KNOWN:
        model.pooler = None
    network = Network(model, form, head)
    missing = [key for key in info["missing_keys"] if key in network.model.state_dict()]
    if missing:
        raise ModelError(f"{folder}: model.safetensors lacks {', '.join(sorted(missing)[:5])}; save the model again")
    return network.to(device)


def model_class(settings: ModelSettings, form: Form, config: Any) -> Any:
    """Return the Transformers class that has the head, or the plain one under a head of ours."""
    from transformers import (
        AutoModel,
        AutoModelForCausalLM,
        AutoModelForMaskedLM,
        AutoModelForQuestionAnswering,
        AutoModelForSeq2SeqLM,
        AutoModelForSequenceClassification,
        AutoModelForTokenClassification,
    )

    if plain(form):
        return AutoModel
    if form.writes:
        return AutoModelForSeq2SeqLM if config.is_encoder_decoder else AutoModelForCausalLM
    if form.masks:
        return AutoModelForMaskedLM
    if form.ends:
        return AutoModelForQuestionAnswering
    return AutoModelForTokenClassification if settings.head == "tag" else AutoModelForSequenceClassification


def plain(form: Form) -> bool:
    """Return whether the Transformers model stands without a head: ours is on it, or none."""
    return form.own_head or form.embeds


def configure(config: Any, settings: ModelSettings) -> None:
    """Write labels, problem type and dropout of the settings into a Transformers config."""
    if settings.head not in ("generate", "embed", "mask"):
        config.id2label = dict(enumerate(settings.labels))
        config.label2id = {label: position for position, label in enumerate(settings.labels)}
    if settings.head == "classify":
        config.problem_type = "multi_label_classification" if settings.multiple else "single_label_classification"
    if settings.head == "regress":
        config.problem_type = "regression"
    if settings.dropout is not None:
        for name in _DROPOUTS:
            if hasattr(config, name) or name == "classifier_dropout":
                setattr(config, name, settings.dropout)


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


def _attention(config: Any, device: torch.device) -> str:
    if getattr(config, "is_encoder_decoder", False):
        return "eager"
    if device.type == "cpu" and config.model_type in KNOWN:
        return registered()
    return "sdpa"


def _labels(config: Any) -> tuple[str, ...]:
    return tuple(str(config.id2label[position]) for position in sorted(config.id2label))


def _draw_outputs(network: Network, labels: int) -> None:
    """Draw the output layer anew: what stands in the files was learnt for other labels, or for another order."""
    inside = {id(module) for module in network.body.modules()}
    for module in network.model.modules():
        if isinstance(module, nn.Linear) and id(module) not in inside and module.out_features == labels:
            drawn(module, network.model.config)


def _refuse_missing(name: str, network: Network, info: Mapping[str, Any]) -> None:
    """Raise where pretrained weights are not in the files; a pooler is no part of it."""
    prefix = "" if plain(network.form) or network.form.writes else f"{network.model.base_model_prefix}."
    keys = [*info["missing_keys"], *(key[0] for key in info["mismatched_keys"])]
    # A pooler that many files lack is new, as the head is.
    faults = [key for key in keys if key.startswith(prefix) and "pooler" not in key and "position_ids" not in key]
    if faults:
        raise ModelError(
            f"{name}: {len(faults)} pretrained weights are missing or of another shape "
            f"({', '.join(sorted(faults)[:5])}...); they would be random. Expected the files of one model"
        )
