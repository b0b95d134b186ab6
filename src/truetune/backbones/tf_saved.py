"""A network on TensorFlow from a pretrained or a saved folder, and to one: the folders are those of PyTorch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.form import Form, chosen_form, plain
from truetune.backbones.pretrained import configure, explained, labels_of, quiet
from truetune.backbones.saved_form import HEAD_FILE, read_form, write_form
from truetune.backbones.tf_limits import refuse_model, refuse_settings
from truetune.backbones.tf_network import Network
from truetune.backbones.tf_weights import SINGLE, Arrays, Weight, fill, read_arrays
from truetune.backbones.tokenizer import FastTokenizer
from truetune.files import whole_folder

PREFIXES = {"bert": "bert", "gpt2": "transformer"}
"""Model type -> what stands before the names of the pretrained part in the files of a model with a head."""


def load_network(settings: ModelSettings) -> Network:
    """Load a pretrained model from a folder or the Hub and give it the head of the settings.

    A head that stands in the files is kept when its labels are these, in this order; else it is drawn from the seed.
    Raises ModelError where the files do not hold the whole pretrained part, or TensorFlow cannot run it.
    """
    from transformers import AutoConfig

    with quiet(), explained(settings.name):
        config = AutoConfig.from_pretrained(settings.name)
    form = chosen_form(settings, config)
    refuse_model(settings.name, config, form)
    kept = not form.own_head and (form.ends or labels_of(config) == settings.labels)
    configure(config, settings)
    network = Network(config, form, settings)
    with quiet(), explained(settings.name):
        arrays = read_arrays(settings.name)
    body, head = _parts(network)
    fill(settings.name, body, arrays, _prefix(config))
    if kept and all(name in arrays and _fits(weight, arrays, name) for name, weight in head.items()):
        fill(settings.name, head, arrays, "")
    return network


def load_saved(folder: Path) -> tuple[Network, FastTokenizer, ModelSettings]:
    """Read back a folder that either framework saved; raises ModelError where it is not whole."""
    from safetensors.numpy import load_file
    from transformers import AutoConfig, AutoTokenizer

    settings, form = read_form(folder)
    with quiet(), explained(str(folder)):
        config = AutoConfig.from_pretrained(folder)
        tokenizer = FastTokenizer(AutoTokenizer.from_pretrained(folder), settings.max_length, fold=settings.fold)
    refuse_settings(settings, Recipe())
    refuse_model(str(folder), config, form)
    network = Network(config, form, settings)
    body, head = _parts(network)
    with quiet(), explained(str(folder)):
        arrays = read_arrays(str(folder))
        own = load_file(folder / HEAD_FILE) if form.own_head else arrays
    fill(str(folder), body, arrays, _prefix(config))
    fill(str(folder), head, own, "")
    return network, tokenizer, settings


def save_network(network: Network, tokenizer: FastTokenizer, settings: ModelSettings, folder: Path) -> None:
    """Write the folder, whole or not at all; plain Transformers and the PyTorch backbone load it."""
    from safetensors.numpy import save_file

    config, form = network.config, network.form
    config.architectures = [_class_name(settings, form, config)]
    config.dtype = "float32"
    if config.pad_token_id is None:
        config.pad_token_id = tokenizer.pad  # Transformers' own heads look for it in every batch
    body, head = _parts(network)
    before = "" if plain(form) else f"{_prefix(config)}."
    arrays = {f"{before}{name}": one.stored() for name, one in body.items()}
    own = {name: one.stored() for name, one in head.items()}
    with whole_folder(folder) as temporary:
        config.save_pretrained(temporary)
        save_file(arrays if form.own_head else arrays | own, temporary / SINGLE, metadata={"format": "pt"})
        if form.own_head:
            save_file(own, temporary / HEAD_FILE)
        tokenizer.save(temporary)
        write_form(temporary, settings, form)


def _parts(network: Network) -> tuple[dict[str, Weight], dict[str, Weight]]:
    """Return the weights of the pretrained part and of the head, each by the name in its file."""
    weights = network.weights()
    head = {name: one for name, one in weights.items() if name.startswith("head/")}
    body = {name: one for name, one in weights.items() if name not in head}
    return body, {name.removeprefix("head/"): one for name, one in head.items()}


def _prefix(config: Any) -> str:
    return PREFIXES.get(config.model_type, "roberta")


def _fits(weight: Weight, arrays: Arrays, name: str) -> bool:
    return sorted(arrays[name].shape) == sorted(weight.variable.shape)


def _class_name(settings: ModelSettings, form: Form, config: Any) -> str:
    """Return the class of Transformers that reads the weights, as its own saving would write it."""
    from transformers.models.auto import modeling_auto as auto

    if plain(form):
        names: Any = auto.MODEL_MAPPING_NAMES
    elif form.writes:
        names = auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
    elif form.ends:
        names = auto.MODEL_FOR_QUESTION_ANSWERING_MAPPING_NAMES
    else:
        names = auto.MODEL_FOR_TOKEN_CLASSIFICATION_MAPPING_NAMES
    return str(names[config.model_type])
