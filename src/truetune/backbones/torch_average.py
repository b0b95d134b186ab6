"""Running averages of the trained weights: what is predicted with, chosen and shipped, while others are trained."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping

import torch
from torch import Tensor
from torch.distributed.tensor import DTensor

from truetune.backbones.torch_network import Network
from truetune.backbones.torch_optimizer import trained
from truetune.backbones.torch_placed import exchange, placed
from truetune.backbones.torch_vocabulary import RowEmbedding

PREFIX = "raw/"
"""Of the names of the weights that are trained, in a state that holds their averages as its weights."""


class Average:
    """The exponential moving average of the trained weights [Polyak and Juditsky 1992].

    After step n, with w(i) the weights after step i and decay d, the average is the sum of d^(n - i) w(i) over i,
    divided by the sum of d^(n - i): the weights before the first step have no share [Kingma and Ba 2015, section 3].
    Outside `training` the network holds the averages, so that whatever reads it needs to know nothing of them.
    """

    def __init__(self, network: Network, decay: float, table: RowEmbedding | None) -> None:
        self._parameters = trained(network)
        self._decay = decay
        self._table = table
        self._other = {name: one.detach().clone() for name, one in self._parameters.items()}
        self.steps = 0
        """How many steps are averaged."""

    @contextlib.contextmanager
    def training(self) -> Iterator[None]:
        """Put the weights that are trained into the network, and the averages back at the end."""
        self._exchange()
        try:
            yield
        finally:
            self._exchange()

    def add(self) -> None:
        """Take the weights of one more step into the averages; inside `training`."""
        self.steps += 1
        share = (1 - self._decay) / (1 - self._decay**self.steps)
        with torch.no_grad():
            weights = [one.detach() for one in self._parameters.values()]
            torch._foreach_lerp_(list(self._other.values()), weights, share)

    def raw(self) -> dict[str, Tensor]:
        """Return the weights that are trained, by `raw/NAME`; outside `training`."""
        return {PREFIX + name: one for name, one in self._other.items()}

    def restore(self, arrays: Mapping[str, Tensor], steps: int) -> None:
        """Go back to what `raw` returned; without it, the network's weights are what is trained, averaged anew."""
        with torch.no_grad():
            for name, parameter in self._parameters.items():
                stored = arrays.get(PREFIX + name)
                self._other[name].copy_(parameter if stored is None else placed(stored, parameter))
        self.steps = steps

    def _exchange(self) -> None:
        for name, parameter in self._parameters.items():
            if isinstance(parameter, DTensor):
                exchange(parameter, self._other[name])
            else:
                parameter.data, self._other[name] = self._other[name], parameter.data
        if self._table is not None:
            self._table.changed()
