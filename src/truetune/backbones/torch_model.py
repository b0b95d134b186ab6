"""A Transformers model with a head, loaded quietly and checked: nothing pretrained may be missing in silence."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from truetune.backbones.base import ModelSettings
from truetune.backbones.form import Form, chosen_form, plain
from truetune.backbones.pretrained import configure, explained, labels_of, quiet
from truetune.backbones.saved_form import HEAD_FILE
from truetune.backbones.torch_attention import KNOWN, registered
from truetune.backbones.torch_network import Network, drawn, own_head
from truetune.backbones.torch_pieces import read_pieces, refuse_pieces
from truetune.errors import ModelError


def load_network(settings: ModelSettings, device: torch.device) -> Network:
    """Load a pretrained model from a folder or the Hub and give it the head of the settings, in float32.

    A head that stands in the files is kept when its labels are these, in this order; else it is drawn anew
    from the seed. Raises ModelError where the files do not hold the whole pretrained part.
    """
    from transformers import AutoConfig

    refuse_pieces(settings.name)
    with quiet(), explained(settings.name):
        config = AutoConfig.from_pretrained(settings.name)
    form = chosen_form(settings, config)
    # First and last piece are the same two outputs in every file.
    unlabelled = form.ends or form.writes or form.embeds or form.masks or form.detects
    same_labels = unlabelled or labels_of(config) == settings.labels
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
    network.to(device)
    read_pieces(network, settings, folder)
    return network


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


def _attention(config: Any, device: torch.device) -> str:
    if getattr(config, "is_encoder_decoder", False):
        return "eager"
    if device.type == "cpu" and config.model_type in KNOWN:
        return registered()
    return "sdpa"


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
