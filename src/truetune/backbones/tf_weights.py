"""From the names and shapes of Transformers' safetensors to Keras variables, and back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.backbones.tf_layers import Linear, Norm, Table
from truetune.errors import ModelError
from truetune.files import read_json

Arrays = Mapping[str, npt.NDArray[Any]]
SINGLE, INDEX = "model.safetensors", "model.safetensors.index.json"
OLD_NAMES = {"LayerNorm.gamma": "LayerNorm.weight", "LayerNorm.beta": "LayerNorm.bias"}
"""What files that were once converted from TensorFlow call the parts of a norm."""


@dataclass(frozen=True, eq=False)
class Weight:
    """A variable, and how it stands in a file."""

    variable: Any
    transposed: bool = False
    table: Table | None = None
    """The embeddings that it holds, of which a file has every row."""

    def stored(self) -> npt.NDArray[Any]:
        """Return the array of a file."""
        found = self.variable.numpy() if self.table is None else self.table.whole()
        return np.ascontiguousarray(found.T if self.transposed else found)

    def fill(self, name: str, array: npt.NDArray[Any]) -> None:
        """Take the array of a file; raises ModelError for one of another shape."""
        own = array.T if self.transposed else array
        if tuple(own.shape) != tuple(self.variable.shape):
            raise ModelError(
                f"{name}: has the shape {list(array.shape)}, but config.json says "
                f"{list(reversed(self.variable.shape) if self.transposed else self.variable.shape)}; the model is "
                "damaged or forged; save or fetch it again"
            )
        self.variable.assign(own.astype(np.float32))


def weights_of(layer: Any, name: str = "") -> dict[str, Weight]:
    """Return the weights of a layer and of all in it, by their names in the files."""
    begin = f"{name}." if name else ""
    if isinstance(layer, Linear):
        return {f"{begin}weight": Weight(layer.kernel, layer.transposed), f"{begin}bias": Weight(layer.bias)}
    if isinstance(layer, Norm):
        return {f"{begin}weight": Weight(layer.gamma), f"{begin}bias": Weight(layer.beta)}
    if isinstance(layer, Table):
        return {f"{begin}weight": Weight(layer.rows, table=layer)}
    found: dict[str, Weight] = {}
    for part, inner in layer.parts.items():
        found |= weights_of(inner, f"{begin}{part}")
    return found


def read_arrays(name: str) -> dict[str, npt.NDArray[Any]]:
    """Return the weights of a folder or a model of the Hub by name, in the older spelling of none.

    Raises OSError where there are no safetensors.
    """
    from safetensors import safe_open
    from transformers.utils.hub import cached_file

    def found(file: str, needed: bool = True) -> str | None:
        place: str | None = cached_file(name, file, _raise_exceptions_for_missing_entries=needed)
        return place

    index = found(INDEX, needed=False)
    files = [SINGLE] if index is None else sorted(set(read_json(Path(index))["weight_map"].values()))
    arrays: dict[str, npt.NDArray[Any]] = {}
    for file in files:
        with safe_open(found(file), framework="np") as opened:
            for key in opened.keys():  # noqa: SIM118 - not a mapping
                arrays[_renamed(key)] = opened.get_tensor(key)
    return arrays


def _renamed(key: str) -> str:
    for old, new in OLD_NAMES.items():
        if key.endswith(old):
            return key.removesuffix(old) + new
    return key


def fill(where: str, weights: Mapping[str, Weight], arrays: Arrays, prefix: str) -> None:
    """Give every weight its array, found with or without the prefix of the whole model's class.

    Raises ModelError where some are not there: they would be random.
    """
    found = {name: arrays.get(f"{prefix}.{name}", arrays.get(name)) for name in weights}
    missing = sorted(name for name, array in found.items() if array is None)
    if missing:
        raise ModelError(
            f"{where}: {len(missing)} pretrained weights are missing ({', '.join(missing[:5])}...); they would be "
            "random. Expected the files of one model"
        )
    for name, array in found.items():
        assert array is not None
        weights[name].fill(f"{where}: {name}", array)
