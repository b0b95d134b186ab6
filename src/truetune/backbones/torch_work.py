"""How much arithmetic a step needs by the model's formula, and how fast the machine multiplies matrices at best."""

from __future__ import annotations

import time

import torch
from torch import nn

from truetune.backbones.base import Precision, Recipe
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import EMBEDDINGS, group_of, layer_stacks, trained

SIDE, REPEATS = 1024, 9
"""Of the square matrices whose product is measured."""


class Work:
    """Floating point operations of a step: those of the model, not those that an implementation adds.

    A matrix of P weights takes 2 P a piece forward, 2 P for the gradient of what goes into it where something below is
    trained, and 2 P for its own gradient where it is trained: 6 P in all [Kaplan et al. 2020]. The two products of
    attention take 4 hidden a layer and pair of pieces, three times that with their gradients [Chowdhery et al. 2022,
    appendix B]. Norms, activations and the optimizer are not counted, padding and layers computed again neither.
    """

    def __init__(self, network: Network, recipe: Recipe) -> None:
        matrices = _matrices(network)
        own = {id(one) for one in trained(network).values()}
        groups = list(dict.fromkeys(group_of(network).values()))
        layers = sum(layer_stacks(network).values())
        numbers = [int(one.removeprefix("layer.")) for one in groups if one.startswith("layer.")]
        share = 1.0 if EMBEDDINGS in groups else 1 - min(numbers, default=layers) / layers
        whole = sum(one.numel() for one in matrices)
        learnt = sum(one.numel() for one in matrices if id(one) in own)
        passes = (2 if recipe.r_drop else 1) * (2 if recipe.fgm else 1)
        self._of_piece = passes * 2 * (whole * (1 + share) + learnt)
        self._of_pair = passes * 4 * network.model.config.hidden_size * layers * (1 + 2 * share)

    def of(self, pieces: int, pairs: int) -> float:
        """Return the operations of a step; `pairs` is the sum of the squared lengths of its inputs."""
        return float(self._of_piece * pieces + self._of_pair * pairs)


def best_speed(device: torch.device, precision: Precision) -> float:
    """Return the operations a second of a large matrix product in this precision, on all threads that training has.

    The fastest of a few counts. Other work on the machine at that moment makes it too low.
    """
    dtype = torch.bfloat16 if precision == "bfloat16" else torch.float32
    generator = torch.Generator().manual_seed(0)
    one, other = (torch.randn(SIDE, SIDE, generator=generator).to(device, dtype) for _ in range(2))
    with torch.inference_mode():
        return 2 * SIDE**3 / min(_seconds(one, other) for _ in range(REPEATS))


def _seconds(one: torch.Tensor, other: torch.Tensor) -> float:
    start = time.perf_counter()
    found = one @ other
    if found.device.type == "cuda":
        torch.cuda.synchronize(found.device)
    return time.perf_counter() - start


def _matrices(network: Network) -> list[torch.Tensor]:
    """Return every matrix that a piece is multiplied with: those of linear layers, embeddings not.

    What only the few masked pieces are multiplied with is not among them.
    """
    from transformers.pytorch_utils import Conv1D

    if network.form.masks:
        return [one.weight for one in network.body.modules() if isinstance(one, nn.Linear | Conv1D)]
    return [module.weight for module in network.modules() if isinstance(module, nn.Linear | Conv1D)]
