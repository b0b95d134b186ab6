"""Weights spread over processes: each holds a share of every matrix, and a layer is whole only while it computes.

PyTorch's `fully_shard` [Zhao et al. 2023] over the layers and over what stands around them. Gradients and the running
means of the optimizer are spread alike, so that a process needs 1 / processes of what training remembers, and one layer
more. What is shared this way computes in step: all processes must run the network forward, and backward, equally often.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard

from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import layer_stacks


def spread(network: Network, device: torch.device, processes: int) -> None:
    """Spread the weights of a network, which all processes have loaded alike, over processes with such a device.

    Gradients are then sums over the processes.
    """
    mesh = init_device_mesh(device.type, (processes,))
    for name in layer_stacks(network):
        layers: Any = network.get_submodule(name)
        for layer in layers:
            fully_shard(layer, mesh=mesh)
    fully_shard(network, mesh=mesh, reshard_after_forward=True)
    for module in network.modules():
        if isinstance(module, FSDPModule):
            module.set_gradient_divide_factor(1.0)
            module.set_force_sum_reduction_for_comms(True)  # gloo scales no sums


@contextlib.contextmanager
def reachable(network: Network) -> Iterator[None]:
    """While inside, parts of a network may be called by themselves, by all processes alike."""
    if not isinstance(network, FSDPModule):
        yield
        return
    network.unshard()
    try:
        yield
    finally:
        network.reshard()
