"""Gradient checkpointing: a layer's inner values are computed again for the gradient, not kept [Chen et al. 2016]."""

from __future__ import annotations

from functools import partial
from typing import Any

from torch.utils.checkpoint import checkpoint

from truetune.backbones.torch_dropout import Bits
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import layer_stacks


def recompute_layers(network: Network, bits: Bits) -> None:
    """Keep only the inputs of each layer for the gradient; what it computes, dropout included, is the same.

    Memory of a step then grows by one layer's inner values instead of by those of all; the forward pass of the layers
    is done twice.
    """
    for name in layer_stacks(network):
        layers: Any = network.get_submodule(name)
        for layer in layers:
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False, context_fn=bits.replayed)
