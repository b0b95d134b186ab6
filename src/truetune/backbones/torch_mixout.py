"""Mixout: at each step a random share of the weights is what was pretrained [Lee, Cho and Kang 2020]."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch
from torch import Tensor

from truetune.backbones.torch_dropout import Bits
from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import group_of, trained
from truetune.errors import ModelError


class Mixout:
    """Mixes pretrained weights into the matrices of the layers while a step is computed.

    With u the pretrained weight, w the trained one and a mask M that is 0 with probability p and else 1 / (1 - p),
    the step is computed with u + M (w - u), whose expectation is w: their ((1 - M') w + M' u - p u) / (1 - p). The
    gradient of w is M times that of the mixed weight. One mask serves all micro-batches and passes of a step.
    """

    def __init__(self, network: Network, probability: float, bits: Bits) -> None:
        """Raises ModelError where no pretrained matrix is trained."""
        parameters = trained(network)
        self._matrices = {
            name: parameters[name]
            for name, group in group_of(network).items()
            if group.startswith("layer.") and parameters[name].ndim > 1 and not _new(name)
        }
        if not self._matrices:
            raise ModelError(
                "recipe.mixout mixes pretrained weights into those that are trained, but no layer of the pretrained "
                "part is trained; set recipe.mixout to 0, or train layers (none of recipe.lora_rank, ia3, "
                "prompt_pieces, prefix_pieces; model.freeze_layers: 0)"
            )
        self._pretrained = {name: one.detach().clone() for name, one in self._matrices.items()}
        self._probability = probability
        self._bits = bits

    @contextlib.contextmanager
    def mixed(self) -> Iterator[None]:
        """While inside, the network computes with mixed weights; then gradients are those of the trained ones."""
        own: dict[str, Tensor] = {}
        masks: dict[str, Tensor] = {}
        for name, parameter in self._matrices.items():
            own[name] = parameter.data
            mask = self._bits.multipliers(parameter.shape, self._probability, parameter.dtype)
            masks[name] = mask.to(parameter.device)
            start = self._pretrained[name]
            parameter.data = torch.addcmul(start, masks[name], own[name] - start)
        try:
            yield
        finally:
            for name, parameter in self._matrices.items():
                parameter.data = own[name]
                if parameter.grad is not None:
                    parameter.grad.mul_(masks[name])


def _new(name: str) -> bool:
    """Return whether a matrix of the layers is new: one that is learnt beside those of the layers, or a pooler's."""
    return any(own in name for own in ("lora_", "ia3_l", "prefix_", "pooler."))
