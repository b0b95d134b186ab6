"""A fine-tuned network as a folder: safetensors, config, tokenizer, and how they belong together."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import torch

from truetune.backbones.base import ModelSettings
from truetune.backbones.pretrained import explained, quiet, tokenizer_of
from truetune.backbones.saved_form import HEAD_FILE, read_form, write_form
from truetune.backbones.tokenizer import FastTokenizer
from truetune.backbones.torch_model import build_network
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_peft import merged
from truetune.backbones.torch_pieces import bare, save_pieces
from truetune.backbones.torch_vocabulary import RowEmbedding, plain_embedding
from truetune.files import whole_folder


def save_network(network: Network, tokenizer: FastTokenizer, settings: ModelSettings, folder: Path) -> None:
    """Write the folder, whole or not at all. Plain Transformers loads it with the head where its own class has one.

    LoRA and IA3 are merged into the matrices that they stand beside, learnt pieces have a file of their own. The
    network stays as it was.
    """
    from safetensors.torch import save_file

    model = network.model
    if model.config.pad_token_id is None:
        model.config.pad_token_id = tokenizer.pad  # Transformers' own heads look for it in every batch
    table = model.get_input_embeddings()
    with whole_folder(folder) as temporary:
        try:
            if isinstance(table, RowEmbedding):
                model.set_input_embeddings(plain_embedding(table))
            with quiet(), merged(model), bare(model):
                model.save_pretrained(temporary)
        finally:
            model.set_input_embeddings(table)
        if network.own is not None:
            save_file({name: one.contiguous() for name, one in network.own.state_dict().items()}, temporary / HEAD_FILE)
        save_pieces(network, temporary)
        tokenizer.save(temporary)
        write_form(temporary, settings, network.form)


def load_saved(folder: Path, device: torch.device) -> tuple[Network, FastTokenizer, ModelSettings]:
    """Read the folder back; raises ModelError where it is not whole."""
    settings, form = read_form(folder)
    network = build_network(folder, settings, form, device)
    with quiet(), explained(str(folder)):
        tokenizer = tokenizer_of(str(folder), network.model.config, settings.max_length, settings.fold)
    return network, tokenizer, replace(settings, device=str(device))
