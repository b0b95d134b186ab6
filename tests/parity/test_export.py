"""Exported models answer as they did, for every head and base model; a gate that is not passed ships nothing."""

from __future__ import annotations

import importlib.util
import json
import random
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import truetune
from truetune import config as configs
from truetune.backbones.base import ModelSettings, Recipe
from truetune.backbones.onnx_export import write_onnx
from truetune.backbones.onnx_int8 import dynamic_nodes, write_int8, write_static_int8
from truetune.backbones.onnx_model import ENGINES, OnnxBackbone, engine_run, measured_engines, milliseconds_of
from truetune.backbones.saved_form import read_form
from truetune.backbones.torch import load_backbone, load_tokenizer
from truetune.bundle.format import read_bundle
from truetune.cli.main import main
from truetune.data.batch import padded
from truetune.errors import MissingPackageError, ModelError
from truetune.files import read_json, write_text
from truetune.parity.export import Wanted, exported
from truetune.stats.plan import Plan
from truetune.tasks.base import Labels, Lengths
from truetune.tasks.choice_encoding import encode_choices
from truetune.types import HEAD_MARK, TAIL_MARK, Batch, Encoded
from truetune.workflows.finetune import finetune
from truetune.workflows.progress import Progress

TEXTS = [
    "a lovely and brilliant story",
    "dull film",
    "中国人民银行",
    "x",
    "Anna visited Paris and Berlin with Bob " * 3,
]


def batch_of(texts: list[str], tokenizer: Any, marked: bool = False) -> Batch:
    inputs = []
    for pieces in tokenizer.pieces(texts):
        ids, segments, _ = tokenizer.wrapped(pieces.ids[: tokenizer.max_length - 4])
        if marked:
            segments[[0, -1]] = HEAD_MARK, TAIL_MARK
        inputs.append(Encoded(0, ids, segments, np.array(0), ids, ids))
    return padded(inputs, np.arange(len(texts)), tokenizer.pad)


def inputs_of(batch: Batch) -> dict[str, Any]:
    return {"ids": batch.ids, "mask": batch.mask.astype(np.int64), "segments": batch.segments}


SLOW = pytest.mark.slow
"""An export takes some ten seconds, however small the model."""


@pytest.mark.parametrize(
    ("model", "head", "pooling", "more"),
    [
        pytest.param("tiny_bert", "classify", "mean", {}, marks=SLOW),
        pytest.param("tiny_bert", "classify", "first", {}, marks=SLOW),
        pytest.param("tiny_bert", "classify", "marked", {}, marks=SLOW),
        pytest.param("tiny_roberta", "classify", "marked", {}, marks=SLOW),
        pytest.param("tiny_bert", "tag", "auto", {}, marks=SLOW),
        pytest.param("tiny_bert", "joint", "auto", {}, marks=SLOW),
        pytest.param("tiny_bert", "nested", "auto", {}, marks=SLOW),
        pytest.param("tiny_bert", "span", "auto", {}, marks=SLOW),
        pytest.param("tiny_gpt2", "classify", "auto", {}, marks=SLOW),
        pytest.param("tiny_llama", "classify", "auto", {}, marks=SLOW),
        pytest.param("tiny_llama", "tag", "auto", {}, marks=SLOW),
        pytest.param("tiny_bert", "classify", "mean", {"prompt_pieces": 3}, marks=SLOW),
        pytest.param("tiny_bert", "tag", "auto", {"prefix_pieces": 3}, marks=SLOW),
        pytest.param("tiny_llama", "classify", "auto", {"prompt_pieces": 3}, marks=SLOW),
        pytest.param("tiny_gpt2", "classify", "auto", {"prefix_pieces": 3}, marks=SLOW),
    ],
)
def test_logits_are_the_same_for_any_number_of_texts_of_any_length(
    request: pytest.FixtureRequest, tmp_path: Path, model: str, head: Any, pooling: Any, more: dict[str, int]
) -> None:
    folder = request.getfixturevalue(model)
    tags = ("O", "B-x", "I-x") if head == "joint" else ()
    labels = ("first", "last") if head == "span" else ("a", "b", "c")
    settings = ModelSettings(str(folder), head, labels, tags, pooling=pooling, **more)  # type: ignore[arg-type]
    tokenizer = load_tokenizer(settings)
    backbone = load_backbone(settings, Recipe(), tokenizer)
    backbone.restore(
        replace(backbone.state(), values={**backbone.state().values, "steps": 1})
    )  # what is learnt is read
    backbone.save(tmp_path / "saved")
    write_onnx(tmp_path / "saved", tmp_path / "model.onnx")
    for engine in ENGINES:
        run = engine_run(tmp_path / "model.onnx", engine)
        for texts in ([TEXTS[3]], TEXTS[:2], TEXTS):
            batch = batch_of(texts, tokenizer, pooling == "marked")
            wanted, found = backbone.predict(batch), run(inputs_of(batch))
            kept = batch.mask if head in ("tag", "joint", "nested", "span") else slice(None)
            assert found[kept] == pytest.approx(wanted[kept], abs=1e-4), (engine, len(texts))


@SLOW
@pytest.mark.parametrize(
    ("model", "head"), [(m, h) for m in ("tiny_bert", "tiny_gpt2", "tiny_llama") for h in ("choose", "embed")]
)
def test_choices_and_vectors_are_the_same_whatever_an_input_holds(
    request: pytest.FixtureRequest, tmp_path: Path, model: str, head: Any
) -> None:
    labels = ("1", "2", "3") if head == "choose" else ()
    settings = ModelSettings(str(request.getfixturevalue(model)), head, labels, max_length=60)
    tokenizer = load_tokenizer(settings)
    backbone = load_backbone(settings, Recipe(), tokenizer)
    backbone.save(tmp_path / "saved")
    write_onnx(tmp_path / "saved", tmp_path / "model.onnx")
    questions = [[("Paris", "Berlin", "a dull film"), ("Anna", "好")], [TEXTS[4], ""], ["Where?", "Who?"]]
    for engine in ENGINES:
        exported = OnnxBackbone(
            engine_run(tmp_path / "model.onnx", engine), tokenizer, read_form(tmp_path / "saved")[1]
        )
        for number in (1, 2):
            if head == "choose":
                columns = [column[-number:] for column in questions]
                inputs = encode_choices(columns, None, Labels(labels), tokenizer, Lengths(60)).inputs
                batch = padded(inputs, np.arange(number), tokenizer.pad)
            else:
                batch = batch_of(TEXTS[:number], tokenizer)
            assert exported.predict(batch) == pytest.approx(backbone.predict(batch), abs=1e-4), (engine, number)


@SLOW
@pytest.mark.parametrize("precision", ["float32", "int8-static"])
def test_choices_and_replies_stand_behind_the_gate(tmp_path: Path, tiny_bert: Path, precision: Any) -> None:
    rng = random.Random(0)
    asked: dict[str, list[dict[str, Any]]] = {"multiple-choice": [], "response-ranking": []}
    for place in range(200):
        right, wrong = rng.choice(["lovely", "great"]), rng.sample(["dull", "bad", "boring"], rng.choice([1, 2]))
        texts = rng.sample([right, *wrong], len(wrong) + 1)
        asked["multiple-choice"].append(
            {"context": f"Anna {place}", "question": "Q?", "choices": texts, "answer": right}
        )
        asked["response-ranking"].append({"history": [f"Anna {place}", "Q?"], "response": right, "candidates": texts})
    for task, rows in asked.items():
        source = tmp_path / f"{task}.jsonl"
        write_text(source, "".join(json.dumps(row) + "\n" for row in rows))
        settings = {
            "task": task,
            "data": {"source": str(source), "validation_share": 0.4, "test_share": 0.2},
            "model": {"name": str(tiny_bert), "dtype": "float32", "max_length": 32},
            "train": {"epochs": 3, "learning_rate": 3e-3, "tokens_per_batch": 512},
            "evaluate": {"resamples": 100},
            "track": {"output": str(tmp_path / "runs"), "name": task},
        }
        run = finetune(settings, progress=Progress(quiet=True)).run
        wanted = Wanted(precision, "onnxruntime", margin=0.2, plan=Plan(resamples=100))
        result = exported(run, tmp_path / task, wanted, Progress(quiet=True))
        assert result.parity.passed
        apart = {one.system: one.largest for one in result.parity.agreements}
        # A server batches otherwise, and activations that are rounded as they come are rounded by batch.
        close = 1e-6 if precision == "float32" else 0.01
        assert apart["HTTP"] == pytest.approx(list(apart.values())[-2], abs=close), "candidates are sent too"
        assert apart["ONNX float32, onnxruntime"] < 1e-5  # type: ignore[operator]
        if precision == "float32":
            given = [{name: value for name, value in row.items() if name not in ("answer", "response")} for row in rows]
            before, after = truetune.load(run).predict(given), truetune.load(tmp_path / task).predict(given)
            key = "answer" if task == "multiple-choice" else "response"
            assert [one[key] for one in before] == [one[key] for one in after]


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny_bert: Path) -> Path:
    """A run that has learnt a toy set, with 400 validation examples."""
    folder = tmp_path_factory.mktemp("run")
    rng = random.Random(0)
    lines = []
    for place in range(700):
        good = place % 2 == 0
        word = rng.choice(["lovely", "great", "warm"] if good else ["dull", "bad", "boring"])
        lines.append(f"{'pos' if good else 'neg'}\t{word} film {place}")
    write_text(folder / "reviews.txt", "\n".join(lines) + "\n")
    settings = {
        "task": "classification",
        "data": {"source": str(folder / "reviews.txt"), "validation_share": 0.6, "test_share": 0.1},
        "model": {"name": str(tiny_bert), "dtype": "float32"},
        "train": {"epochs": 4, "learning_rate": 3e-3, "tokens_per_batch": 512},
        "evaluate": {"resamples": 200, "baselines": ["majority"]},
        "track": {"output": str(folder / "runs"), "name": "tiny"},
    }
    return finetune(settings, progress=Progress(quiet=True)).run


def test_an_exported_folder_predicts_as_the_run(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status = main(["export", str(trained), str(tmp_path / "shipped"), "--json", "--resamples", "200"])
    said = json.loads(capsys.readouterr().out)
    assert (status, said["parity"]["passed"]) == (0, True)
    assert said["engine"] == min(said["milliseconds"], key=said["milliseconds"].__getitem__)
    assert [one["system"] for one in said["parity"]["agreement"]] == [f"ONNX float32, {said['engine']}", "HTTP"]
    for agreement in said["parity"]["agreement"]:
        assert agreement["same"] == agreement["examples"] == 420
        assert agreement["low"] < 1
        assert agreement["largest"] < 1e-5
    assert set(said["parity"]["scores"]) == {"PyTorch", f"ONNX float32, {said['engine']}", "HTTP"}
    folder = tmp_path / "shipped"
    assert read_json(folder / "parity.json") == said["parity"]
    assert read_bundle(folder).framework == "onnx"
    before, after = truetune.load(trained).predict(TEXTS), truetune.load(folder).predict(TEXTS)
    for one, other in zip(before, after, strict=True):
        assert one["label"] == other["label"]
        assert one["scores"] == pytest.approx(other["scores"], abs=1e-5)
    file = tmp_path / "texts.txt"
    file.write_text("\n".join(TEXTS) + "\n", encoding="utf-8")
    assert main(["predict", str(folder), str(file)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["label"] for one in lines] == [one["label"] for one in before]
    names = {one.name for one in folder.iterdir()}
    assert {"model.onnx", "tokenizer.json", "README.md", "truetune.json", "export.json", "parity.json"} <= names
    assert "model.safetensors" not in names


@SLOW
@pytest.mark.parametrize(("kind", "precision"), [("dynamic", "int8"), ("static", "int8-static")])
def test_int8_is_smaller_and_stands_behind_the_gate(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], kind: str, precision: str
) -> None:
    words = ["export", str(trained), str(tmp_path / "small"), "--int8", kind, "--margin", "0.05", "--json"]
    status = main([*words, "--engine", "onnxruntime", "--resamples", "200"])
    said = json.loads(capsys.readouterr().out)
    assert status == 0
    assert said["bytes"][precision] < said["bytes"]["float32"]
    names = ["ONNX float32, onnxruntime", f"ONNX {precision}, onnxruntime", "HTTP"]
    assert [one["system"] for one in said["parity"]["agreement"]] == names
    assert read_json(tmp_path / "small" / "export.json")["precision"] == precision
    assert not (tmp_path / "small" / "model.onnx").exists()
    assert [one["label"] for one in truetune.load(tmp_path / "small").predict(["a lovely film"])] == ["pos"]


@SLOW
def test_where_parity_is_not_shown_nothing_is_written(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def damaged(folder: Path, file: Path) -> None:
        """Write a model that says the opposite."""
        import onnx

        write_onnx(folder, file)
        model = onnx.load(file)
        for node in model.graph.node:
            node.output[:] = ["turned" if name == "logits" else name for name in node.output]
        model.graph.node.append(onnx.helper.make_node("Neg", ["turned"], ["logits"]))
        onnx.save(model, file)

    monkeypatch.setattr("truetune.backbones.onnx_export.write_onnx", damaged)
    status = main(["export", str(trained), str(tmp_path / "bad"), "--resamples", "200"])
    said = capsys.readouterr().out
    assert status == 1
    assert "not shown: ONNX float32" in said
    assert not (tmp_path / "bad").exists()


@SLOW
def test_too_few_examples_show_nothing_even_where_all_agree(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    few = tmp_path / "few.txt"
    few.write_text("".join(f"pos\ta lovely film {n}\nneg\ta dull film {n}\n" for n in range(10)), encoding="utf-8")
    words = ["export", str(trained), str(tmp_path / "x"), "--data", str(few), "--resamples", "200", "--json"]
    assert main(words) == 1
    said = json.loads(capsys.readouterr().out)
    assert (said["folder"], said["parity"]["agreement"][0]["same"]) == (None, 20)


def test_a_folder_that_is_there_is_not_overwritten(
    trained: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "there").mkdir()
    (tmp_path / "there" / "file").touch()
    assert main(["export", str(trained), str(tmp_path / "there")]) == 2
    assert "is there already" in capsys.readouterr().err


def test_weights_outside_of_the_file_are_refused(trained: Path, tmp_path: Path) -> None:
    import onnx
    from onnx import TensorProto, helper

    from truetune.bundle.safety import refuse_unsafe

    tensor = TensorProto(name="w", dims=[4], data_type=TensorProto.FLOAT, data_location=TensorProto.EXTERNAL)
    tensor.external_data.append(onnx.StringStringEntryProto(key="location", value="../../etc/secret"))
    output = helper.make_tensor_value_info("logits", TensorProto.FLOAT, [4])
    graph = helper.make_graph([helper.make_node("Identity", ["w"], ["logits"])], "g", [], [output], [tensor])
    (tmp_path / "model.onnx").write_bytes(helper.make_model(graph).SerializeToString())
    with pytest.raises(ModelError, match="names other files"):
        refuse_unsafe(tmp_path)


def test_a_file_that_no_engine_reads_is_named(tmp_path: Path) -> None:
    (tmp_path / "model.onnx").write_bytes(b"no model")
    for engine in ENGINES:
        with pytest.raises(ModelError, match="cannot run it"):
            engine_run(tmp_path / "model.onnx", engine)
    assert measured_engines(tmp_path / "model.onnx", ENGINES, 10, 64) == {}


def test_engines_are_measured_on_nothing_longer_than_the_model_takes() -> None:
    seen = set()
    assert milliseconds_of({"any": lambda inputs: seen.add(inputs["ids"].shape)}, 10, 20).keys() == {"any"}
    assert max(length for _, length in seen) == 20
    assert (6, 20) in seen


def test_onnx_needs_pytorch_and_says_so(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *at: None if name == "torch" else find(name, *at))
    with pytest.raises(MissingPackageError, match=r"exporting as ONNX needs the package 'torch'"):
        exported(trained, tmp_path / "out", Wanted(), Progress(quiet=True))


@SLOW
@pytest.mark.parametrize("static", [False, True])
def test_int8_keeps_the_form(tmp_path: Path, tiny_bert: Path, static: bool) -> None:
    settings = ModelSettings(str(tiny_bert), "tag", ("O", "B-X"))
    tokenizer = load_tokenizer(settings)
    backbone = load_backbone(settings, Recipe(), tokenizer)
    backbone.save(tmp_path / "saved")
    write_onnx(tmp_path / "saved", tmp_path / "a.onnx")
    batch = batch_of(TEXTS, tokenizer)
    if static:
        write_static_int8(tmp_path / "a.onnx", tmp_path / "b.onnx", [inputs_of(batch)])
    else:
        write_int8(tmp_path / "a.onnx", tmp_path / "b.onnx")
    found = engine_run(tmp_path / "b.onnx", "onnxruntime")(inputs_of(batch))
    wanted = backbone.predict(batch)
    assert found.shape == wanted.shape
    assert 0 < np.abs(found - wanted)[batch.mask].max() < 0.2


def product(turned: bool) -> Any:
    """Return a feed-forward block: a product from 2 to 8, and one from 8 to 2."""
    from onnx import helper, numpy_helper

    rng = np.random.default_rng(0)
    wide, narrow = rng.normal(size=(2, 8)).astype(np.float32), rng.normal(size=(8, 2)).astype(np.float32)
    weights = [
        numpy_helper.from_array(one.T.copy() if turned else one, name) for one, name in ((wide, "w"), (narrow, "n"))
    ]
    kind, settings = ("Gemm", {"transB": 1}) if turned else ("MatMul", {})
    nodes = [
        helper.make_node(kind, ["x", "w"], ["h"], name="widens", **settings),
        helper.make_node("Relu", ["h"], ["r"]),
        helper.make_node(kind, ["r", "n"], ["y"], name="narrows", **settings),
    ]
    ends = [helper.make_tensor_value_info(name, 1, ["batch", 2]) for name in ("x", "y")]
    graph = helper.make_graph(nodes, "g", ends[:1], ends[1:], weights)
    return helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid("", 18)])


@pytest.mark.parametrize("turned", [False, True])
def test_static_ranges_hold_for_products_that_widen(tmp_path: Path, turned: bool) -> None:
    import onnx

    onnx.save(product(turned), tmp_path / "a.onnx")
    assert dynamic_nodes(tmp_path / "a.onnx") == ["narrows"]
    inputs = [{"x": np.array([[1.0, -1.0], [0.5, 0.25]], np.float32)}]
    write_static_int8(tmp_path / "a.onnx", tmp_path / "b.onnx", inputs)
    kinds = {node.op_type for node in onnx.load(tmp_path / "b.onnx").graph.node}
    assert {"DequantizeLinear", "MatMulIntegerToFloat"} <= kinds, "one range is fixed, the other is of each row"
    wanted = engine_run(tmp_path / "a.onnx", "onnxruntime")(inputs[0])
    assert engine_run(tmp_path / "b.onnx", "onnxruntime")(inputs[0]) == pytest.approx(wanted, abs=0.1)
    beyond = {"x": np.array([[100.0, 0.0]], np.float32)}
    far = engine_run(tmp_path / "a.onnx", "onnxruntime")(beyond)
    cut = engine_run(tmp_path / "b.onnx", "onnxruntime")(beyond)
    assert np.abs(cut).max() < np.abs(far).max() / 10, "what lies beyond the calibrated range is cut off"


def test_a_model_that_writes_texts_is_refused(tmp_path: Path) -> None:
    settings = {"task": "translation", "data": {"source": "a.jsonl"}, "model": {"name": "m"}}
    write_text(tmp_path / "config.yaml", configs.to_yaml(configs.from_settings(settings)))
    write_text(tmp_path / "manifest.json", "{}")
    with pytest.raises(ModelError, match=r"writes texts \(translation\), which is not exported yet"):
        exported(tmp_path, tmp_path / "out", Wanted(), Progress(quiet=True))
