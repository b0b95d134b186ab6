"""The mean of checkpoints: the weights at evaluations of the last part of training, averaged [Izmailov et al. 2018]."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.backbones.base import Backbone, State


class CheckpointMean:
    """The running mean of the weights of checkpoints: after k of them, mean + (weights - mean) / k."""

    def __init__(self) -> None:
        self._arrays: dict[str, npt.NDArray[Any]] = {}
        self._values: Mapping[str, Any] = {}
        self.number = 0
        """How many checkpoints it is the mean of."""

    def add(self, state: State) -> None:
        """Take in the weights of one more checkpoint."""
        self.number += 1
        if self.number == 1:
            self._arrays = {name: np.array(one) for name, one in state.arrays.items()}
        else:
            # New arrays: whoever keeps an earlier mean as the best one keeps those.
            share = np.float32(self.number)
            self._arrays = {name: mean + (state.arrays[name] - mean) / share for name, mean in self._arrays.items()}
        self._values = state.values

    @property
    def state(self) -> State:
        """The mean, as a state of the backbone that the checkpoints are of."""
        return State(self._arrays, self._values)

    @contextlib.contextmanager
    def used_by(self, backbone: Backbone) -> Iterator[None]:
        """While inside, a backbone has the mean as its weights; it then goes on as if nothing had been."""
        own = backbone.state()
        backbone.restore(self.state)
        try:
            yield
        finally:
            backbone.restore(own)

    def arrays(self) -> dict[str, npt.NDArray[Any]]:
        """Return what a checkpoint keeps of it."""
        return dict(self._arrays)

    def values(self) -> dict[str, Any]:
        """Return what a checkpoint keeps of it, beside arrays, as JSON values."""
        return {"number": self.number, "values": dict(self._values)}

    def restore(self, arrays: Mapping[str, npt.NDArray[Any]], values: Mapping[str, Any]) -> None:
        """Go back to what `arrays` and `values` returned."""
        self._arrays = {name: np.array(one) for name, one in arrays.items()}
        self.number, self._values = values["number"], values["values"]
