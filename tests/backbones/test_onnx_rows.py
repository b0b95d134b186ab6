"""Activations rounded row by row: the answer to a text is the same whatever stands beside it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper, numpy_helper
from onnxruntime.quantization import QuantType, quantize_dynamic

from truetune.backbones.onnx_int8 import write_int8
from truetune.backbones.onnx_model import engine_run
from truetune.backbones.onnx_rows import round_by_row
from truetune.errors import ModelError

WEIGHTS = np.array([[1.0, 0.5], [-2.0, 0.25], [0.5, 1.0]], np.float32)
ALONE = np.array([[0.3, -0.2, 0.1]], np.float32)
BESIDE = np.array([[0.3, -0.2, 0.1], [500.0, 20.0, -3.0]], np.float32)


def written(path: Path, kind: str = "MatMul") -> Path:
    """Write a file with one product."""
    nodes = [helper.make_node(kind, ["x", "w"], ["y"], name="product")]
    ends = [helper.make_tensor_value_info(name, 1, ["batch", size]) for name, size in (("x", 3), ("y", 2))]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], [numpy_helper.from_array(WEIGHTS, "w")])
    model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])
    onnx.save(model, path)
    return path


def answers(file: Path, inputs: np.ndarray) -> Any:
    return engine_run(file, "onnxruntime")({"x": inputs})


@pytest.mark.parametrize("kind", ["MatMul", "Gemm"])
def test_company_changes_no_answer(tmp_path: Path, kind: str) -> None:
    source = written(tmp_path / "a.onnx", kind)
    write_int8(source, tmp_path / "b.onnx")
    alone = answers(tmp_path / "b.onnx", ALONE)
    np.testing.assert_array_equal(answers(tmp_path / "b.onnx", BESIDE)[:1], alone)
    assert alone == pytest.approx(ALONE @ WEIGHTS, abs=0.01)


def test_as_the_library_writes_it_company_does(tmp_path: Path) -> None:
    quantize_dynamic(
        str(written(tmp_path / "a.onnx")), str(tmp_path / "b.onnx"), per_channel=True, weight_type=QuantType.QInt8
    )
    alone, beside = (answers(tmp_path / "b.onnx", inputs) for inputs in (ALONE, BESIDE))
    assert np.abs(beside[:1] - alone).max() > 0.1
    round_by_row(tmp_path / "b.onnx")
    alone, beside = (answers(tmp_path / "b.onnx", inputs) for inputs in (ALONE, BESIDE))
    np.testing.assert_array_equal(beside[:1], alone)


def test_a_row_has_127_steps_to_its_largest_value(tmp_path: Path) -> None:
    write_int8(written(tmp_path / "a.onnx"), tmp_path / "b.onnx")
    # 0.3 is 127 steps; -0.2 is -84.67 of them, so -85; 0.1 is 42.33, so 42. The largest weight of each channel is
    # 127 steps: of the first 2.0, so 1.0 is 63.5, which goes to the even 64, and 0.5 is 31.75, so 32.
    first = (127 * 64 + 85 * 127 + 42 * 32) * (0.3 / 127) * (2.0 / 127)
    assert answers(tmp_path / "b.onnx", ALONE)[0, 0] == pytest.approx(first, rel=1e-5)


def test_a_row_of_zeros_is_zero(tmp_path: Path) -> None:
    write_int8(written(tmp_path / "a.onnx"), tmp_path / "b.onnx")
    np.testing.assert_array_equal(answers(tmp_path / "b.onnx", np.zeros((2, 3), np.float32)), np.zeros((2, 2)))


def test_a_file_without_rounding_stays_as_it_is(tmp_path: Path) -> None:
    source = written(tmp_path / "a.onnx")
    before = source.read_bytes()
    round_by_row(source)
    assert source.read_bytes() == before


def test_other_nodes_behind_the_rounding_are_told(tmp_path: Path) -> None:
    nodes = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
        helper.make_node("DequantizeLinear", ["q", "s", "z"], ["y"], name="back"),
    ]
    ends = [helper.make_tensor_value_info(name, 1, ["batch", 3]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:])
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)]), tmp_path / "a.onnx")
    with pytest.raises(ModelError, match="the activations before back cannot be rounded by row"):
        round_by_row(tmp_path / "a.onnx")
