"""Activations of an 8-bit ONNX file, each row rounded by its own largest value, so that it depends on no other text."""

from __future__ import annotations

from collections import defaultdict
from pathlib import Path
from typing import Any

from truetune.errors import ModelError

STEPS = 127
"""Between 0 and the largest value of a row."""
MIDDLE, ONE, STEPS_NAME, LEAST, LAST = (f"truetune.{name}" for name in ("middle", "one", "steps", "least", "last"))


def round_by_row(file: Path) -> None:
    """Rewrite a dynamically quantised ONNX file in place: rows of activations get scales of their own.

    As the library writes it, one range is taken from the whole batch, so that the answer to a text changes with
    what stands beside it. Here a row `x` is `round(127 x / max|x|)`, and its product with 8-bit weights is multiplied
    by `max|x| / 127` and the weights' scales. Raises `ModelError` where other nodes follow than the library writes.
    """
    import onnx
    from onnx import helper

    model = onnx.load(file)
    if not any(node.op_type == "DynamicQuantizeLinear" for node in model.graph.node):
        return
    nodes = _by_row(list(model.graph.node), file)
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.extend(_constants())
    if not any(one.domain == "com.microsoft" for one in model.opset_import):
        model.opset_import.append(helper.make_opsetid("com.microsoft", 1))
    onnx.save(model, file)


def _by_row(nodes: list[Any], file: Path) -> list[Any]:
    users: dict[str, list[Any]] = defaultdict(list)
    makers = {name: node for node in nodes for name in node.output}
    for node in nodes:
        for name in node.input:
            users[name].append(node)
    found: dict[str, list[Any]] = {}
    """What stands in the place of a node, by its first output."""
    for node in nodes:
        if node.op_type != "DynamicQuantizeLinear":
            continue
        rounded, scale, _ = node.output
        found[rounded] = _rounded(node.input[0], rounded, scale)
        for product in users[rounded]:
            try:
                (cast,) = users[product.output[0]]
                (scaled,) = users[cast.output[0]]
                (both,) = (makers[name] for name in scaled.input if name != cast.output[0])
                (weights,) = (name for name in both.input if name != scale)
                kinds = (product.op_type, cast.op_type, scaled.op_type, both.op_type)
                if kinds != ("MatMulInteger", "Cast", "Mul", "Mul"):
                    raise ValueError(kinds)
            except (ValueError, KeyError) as error:
                raise ModelError(
                    f"{file}: the activations before {product.name or product.op_type} cannot be rounded by row "
                    f"({error}); export without --int8, or with another version of onnxruntime"
                ) from None
            found |= {product.output[0]: [], cast.output[0]: [], both.output[0]: []}
            found[scaled.output[0]] = _product(product, weights, scale, scaled.output[0])
    return [new for node in nodes for new in found.get(node.output[0], [node])]


def _rounded(values: str, rounded: str, scale: str) -> list[Any]:
    from onnx.helper import make_node

    sizes, largest, safe, even = (f"{rounded}.{name}" for name in ("sizes", "largest", "safe", "even"))
    return [
        make_node("Abs", [values], [sizes]),
        make_node("ReduceMax", [sizes, LAST], [largest], keepdims=1),
        make_node("Max", [largest, LEAST], [safe]),
        make_node("Div", [safe, STEPS_NAME], [scale]),
        make_node("Div", [values, scale], [even]),
        make_node("QuantizeLinear", [even, ONE, MIDDLE], [rounded]),
    ]


def _product(product: Any, weights: str, scale: str, output: str) -> list[Any]:
    """One node multiplies and applies the weights' scales: it is faster than the standard's three."""
    from onnx.helper import make_node

    rounded, matrix, _, *zeros = product.input
    inputs = [rounded, matrix, ONE, weights, MIDDLE, *zeros]
    return [
        make_node("MatMulIntegerToFloat", inputs, [f"{output}.even"], domain="com.microsoft"),
        make_node("Mul", [f"{output}.even", scale], [output]),
    ]


def _constants() -> list[Any]:
    import numpy as np
    from onnx.numpy_helper import from_array

    values = {
        MIDDLE: np.array(128, np.uint8),
        ONE: np.array(1, np.float32),
        STEPS_NAME: np.array(STEPS, np.float32),
        LEAST: np.array(1e-12, np.float32),
        LAST: np.array([-1], np.int64),
    }
    return [from_array(value, name) for name, value in values.items()]
