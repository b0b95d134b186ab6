"""An ONNX file with 8-bit weights: activations are rounded row by row, or by the ranges that calibration saw."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from truetune.backbones.onnx_export import need, quietly
from truetune.backbones.onnx_rows import round_by_row
from truetune.errors import ModelError

PRODUCTS = ["MatMul", "Gemm"]


def write_int8(source: Path, file: Path) -> None:
    """Write an ONNX file with weights of matrix products as 8-bit integers, a scale a channel.

    Activations are rounded as they come (dynamic quantisation), each row by its own largest value, so no calibration
    data is needed. Raises `ModelError` for a file that cannot be written so.
    """
    need("onnx", "onnxruntime")
    from onnxruntime.quantization import QuantType, quantize_dynamic

    with quietly():
        quantize_dynamic(str(source), str(file), per_channel=True, weight_type=QuantType.QInt8)
    round_by_row(file)


def write_static_int8(source: Path, file: Path, inputs: Iterable[Mapping[str, npt.NDArray[Any]]]) -> None:
    """Write an ONNX file whose activations are rounded by the range that each has over `inputs` (static quantisation).

    `inputs`: batches, named inputs of the file. Products that narrow, as the second of a feed-forward block does, are
    rounded row by row: some activations before them are far larger than the rest, and one range for all leaves the rest
    too few steps. Weights have seven bits: sums of eight overflow on processors without VNNI.
    Raises `ModelError` for a file that cannot be written so.
    """
    need("onnx", "onnxruntime")
    try:
        with quietly():
            _write_static(source, file, inputs)
    except Exception as error:  # the library checks by assertions, and raises errors of its own beside
        reason = f"{type(error).__name__}: {' '.join(str(error).split())[:300]}"
        raise ModelError(f"{source}: static int8 is not possible ({reason}); take --int8 dynamic") from error


def _write_static(source: Path, file: Path, inputs: Iterable[Mapping[str, npt.NDArray[Any]]]) -> None:
    from onnxruntime.quantization import QuantFormat, QuantType, quantize_dynamic, quantize_static

    with tempfile.TemporaryDirectory(prefix="truetune-int8-") as name:
        half = Path(name) / "half.onnx"
        # Where a `Gemm` can be a `MatMul` it is made one first, of a longer name.
        quantize_dynamic(
            str(source),
            str(half),
            per_channel=True,
            reduce_range=True,
            weight_type=QuantType.QInt8,
            nodes_to_quantize=[name + end for name in dynamic_nodes(source) for end in ("", "_MatMul")],
            extra_options={"MatMulConstBOnly": True},
        )
        quantize_static(
            str(half),
            str(file),
            _reader(inputs),
            quant_format=QuantFormat.QDQ,
            op_types_to_quantize=PRODUCTS,
            per_channel=True,
            reduce_range=True,
            activation_type=QuantType.QUInt8,
            weight_type=QuantType.QInt8,
            extra_options={"MatMulConstBOnly": True},
        )
    round_by_row(file)


def dynamic_nodes(source: Path) -> list[str]:
    """Return the names of the nodes whose activations get no fixed range: narrowing products, and look-ups of rows."""
    import onnx

    graph = onnx.load(source).graph
    shapes = {one.name: tuple(one.dims) for one in graph.initializer if len(one.dims) == 2}
    found = []
    for node in graph.node:
        weights = [shapes[name] for name in node.input if name in shapes]
        if not weights:
            continue
        turned = any(one.name == "transB" and one.i for one in node.attribute)
        wide, narrow = weights[0][::-1] if turned else weights[0]
        if node.op_type == "Gather" or (node.op_type in PRODUCTS and wide > narrow):
            found.append(node.name)
    return found


def _reader(inputs: Iterable[Mapping[str, npt.NDArray[Any]]]) -> Any:
    from onnxruntime.quantization import CalibrationDataReader

    class Reader(CalibrationDataReader):  # type: ignore[misc]  # the library has no types
        def __init__(self) -> None:
            self._left = iter(inputs)

        def get_next(self) -> Any:
            return next(self._left, None)

    return Reader()
