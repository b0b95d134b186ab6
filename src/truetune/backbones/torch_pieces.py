"""What is trained in the place of a frozen model, and cannot be merged into it: pieces that no text has.

Prompt tuning: their vectors stand in the input [Lester et al. 2021]. Prefix tuning: their keys and values stand before
those of every attention [Li and Liang 2021]. Both begin as those of pieces drawn from the vocabulary. Until the first
step is taken the model reads as it was pretrained, so that it can be compared with.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from truetune.backbones.base import ModelSettings
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_peft import trained_whole
from truetune.backbones.torch_prefix import read_through, recorded
from truetune.backbones.torch_prompt import Prompt, reads_vectors
from truetune.errors import ModelError

FILE = "pieces.safetensors"
"""Beside the weights: `prompt` `[pieces, width]`, or `NAME.prefix_key` and `NAME.prefix_value` of each attention."""
PROMPT = "prompt"
KEY, VALUE = "prefix_key", "prefix_value"


def with_pieces(network: Network, settings: ModelSettings, known: Tensor) -> None:
    """Give a network the pieces that its settings ask for, drawn from the ids `known`; off until training begins.

    Raises ModelError for a model that cannot have them.
    """
    number = settings.prompt_pieces or settings.prefix_pieces
    rng = np.random.default_rng([settings.seed, number])
    ids = known[torch.from_numpy(rng.integers(0, len(known), number))]
    if settings.prompt_pieces:
        if not reads_vectors(network):
            raise ModelError(
                f"recipe.prompt_pieces: {network.model.config.model_type} does not read vectors in the place of "
                "pieces as they are; set it to 0, and take recipe.prefix_pieces or recipe.lora_rank"
            )
        with torch.no_grad():
            _prompt(network, network.model.get_input_embeddings()(ids.to(_device(network))).float().clone())
    else:
        _prefix(network, recorded(network, ids.to(_device(network))))
    network.begun.on = False


def keep_pretrained(network: Network) -> None:
    """Train nothing but the pieces, the head, and a pooler."""
    whole = trained_whole(network)
    network.requires_grad_(False)
    for parameter in (*whole, *_own(network).values()):
        parameter.requires_grad_(True)


def save_pieces(network: Network, folder: Path) -> None:
    """Write the pieces, where there are any."""
    from safetensors.torch import save_file

    if found := _own(network):
        save_file({name: one.detach().contiguous() for name, one in found.items()}, folder / FILE)


def read_pieces(network: Network, settings: ModelSettings, folder: Path) -> None:
    """Give a network the pieces that were saved; raises ModelError where they are not whole."""
    from safetensors.torch import load_file

    if not settings.learns_pieces:
        return
    file = folder / FILE
    if not file.is_file():
        raise ModelError(f"{file}: is not there, but the model reads {_told(settings)}; save the model again")
    stored = load_file(file, device=str(_device(network)))
    if settings.prompt_pieces:
        fits = stored.keys() == {PROMPT} and len(stored[PROMPT]) == settings.prompt_pieces
        if fits:
            _prompt(network, stored[PROMPT])
    else:
        names = {name.rpartition(".")[0] for name in stored}
        modules = dict(network.model.named_modules())
        fits = names <= modules.keys() and stored.keys() == {f"{name}.{own}" for name in names for own in (KEY, VALUE)}
        if fits:
            _prefix(network, {name: (stored[f"{name}.{KEY}"], stored[f"{name}.{VALUE}"]) for name in names})
    if not fits:
        raise ModelError(f"{file}: does not hold {_told(settings)}; save the model again")


def refuse_pieces(name: str) -> None:
    """Raise ModelError for a folder with pieces of its own: whoever reads the weights alone has another model."""
    if (Path(name) / FILE).is_file():
        raise ModelError(
            f"{name}: answers with pieces that it learnt ({FILE}), which fine-tuning it again would lose; name the "
            "model that it was made of"
        )


@contextlib.contextmanager
def bare(model: Any) -> Iterator[None]:
    """While inside, no attention of a model has a prefix: what is saved of it are its own weights."""
    stored = [
        (module, module._parameters.pop(own)) for module in model.modules() for own in (KEY, VALUE) if _has(module, own)
    ]
    try:
        yield
    finally:
        for place, (module, parameter) in enumerate(stored):
            module.register_parameter((KEY, VALUE)[place % 2], parameter)


def _prompt(network: Network, vectors: Tensor) -> None:
    network.prompt = Prompt(nn.Parameter(vectors), 0 if network.reads_from_the_left else 1)


def _prefix(network: Network, pieces: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    for name, (key, value) in pieces.items():
        module = network.model.get_submodule(name)
        module.register_parameter(KEY, nn.Parameter(key))
        module.register_parameter(VALUE, nn.Parameter(value))
        module.prefix_begun = network.begun
    read_through(network)


def _own(network: Network) -> dict[str, nn.Parameter]:
    """Return the pieces by their names in the file."""
    if network.prompt is not None:
        return {PROMPT: network.prompt.vectors}
    return {name: one for name, one in network.model.named_parameters() if name.endswith((f".{KEY}", f".{VALUE}"))}


def _has(module: nn.Module, name: str) -> bool:
    return name in module._parameters


def _told(settings: ModelSettings) -> str:
    kind = "a prompt" if settings.prompt_pieces else "a prefix"
    return f"{kind} of {settings.prompt_pieces or settings.prefix_pieces} pieces"


def _device(network: Network) -> torch.device:
    return next(network.parameters()).device
