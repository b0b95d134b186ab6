"""A saved PyTorch model as one ONNX file: any number of inputs of any length, the head included."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor, nn

from truetune.backbones.torch_network import Network
from truetune.backbones.torch_prefix import for_export
from truetune.backbones.torch_saved import load_saved
from truetune.errors import MissingPackageError, ModelError

INPUTS = ("ids", "mask", "segments")
"""`[batch, length]` each, 64-bit integers; a model that looks at no segments has the first two."""
OUTPUT = "logits"


def write_onnx(folder: Path, file: Path, vector: int = 0) -> None:
    """Write the network of a saved folder, in float32; raises `ModelError` for one that cannot be exported.

    Of a model that chooses it is what scores one choice: `onnx_model` puts those of a question together. `vector`: to
    how many numbers vectors are cut; 0: as the folder says.
    """
    need("onnx", "onnxscript")
    network, tokenizer, settings = load_saved(folder, torch.device("cpu"))
    network.eval()
    if vector:
        network.form = replace(network.form, vector=vector)
    if settings.prefix_pieces:
        for_export(network)
    else:
        network.model.set_attn_implementation("eager")
    network.requires_grad_(False)
    example = torch.full((2, 5), tokenizer.pad, dtype=torch.int64)
    mask = torch.tensor([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0]])
    segmented = (network.segmented and not network.form.embeds) or network.form.pooling == "marked"
    inputs = (example, mask, torch.zeros_like(example)) if segmented else (example, mask)
    batch = torch.export.Dim("batch", min=1, max=65_536)
    length = torch.export.Dim("length", min=1, max=max(settings.max_length or tokenizer.max_length, 6))
    try:
        with quietly():
            program = torch.onnx.export(
                (_Segmented if segmented else _Unsegmented)(network),
                inputs,
                dynamo=True,
                external_data=False,
                input_names=list(INPUTS[: len(inputs)]),
                output_names=[OUTPUT],
                dynamic_shapes=({0: batch, 1: length},) * len(inputs),
                verbose=False,
            )
            assert program is not None
            program.save(str(file))
    except Exception as error:  # PyTorch's exporter raises errors of many kinds
        reason = str(error).strip().splitlines()[0][:300] if str(error).strip() else type(error).__name__
        raise ModelError(f"{folder}: cannot be exported to ONNX ({reason}); serve it with PyTorch") from error


class _Segmented(nn.Module):
    """A network whose inputs hold one thing each."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, mask: Tensor, segments: Tensor) -> Tensor:
        return self.network.alone(ids, mask, segments)


class _Unsegmented(nn.Module):
    """The same without the input that it does not look at: an exporter would bind it to the example's size."""

    def __init__(self, network: Network) -> None:
        super().__init__()
        self.network = network

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        return self.network.alone(ids, mask, torch.zeros_like(ids))


def need(*packages: str) -> None:
    """Raise `MissingPackageError` for the first of the packages that is not installed."""
    import importlib.util

    for package in packages:
        if importlib.util.find_spec(package) is None:
            raise MissingPackageError(package, "exporting to ONNX", "export")


@contextlib.contextmanager
def quietly() -> Iterator[None]:
    """Keep the exporters from printing what has no bearing on the result; that is checked by the parity gate."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)
