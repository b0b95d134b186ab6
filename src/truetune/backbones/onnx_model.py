"""An exported model: ONNX Runtime or OpenVINO gives the logits, the tokenizer is the one it was trained with."""

from __future__ import annotations

import importlib.util
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar, cast, get_args

import numpy as np
import numpy.typing as npt

from truetune.backbones.base import ModelSettings
from truetune.backbones.form import Form
from truetune.backbones.onnx_choices import choice_scores, choices_apart
from truetune.backbones.saved_form import read_form
from truetune.backbones.tokenizer import FastTokenizer
from truetune.errors import MissingPackageError, ModelError, nearest
from truetune.files import read_json
from truetune.types import Batch, Floats, Told, Writing, Written

Engine = Literal["onnxruntime", "openvino"]
ENGINES: tuple[Engine, ...] = get_args(Engine)

EXPORT = "export.json"
"""Which file, engine and precision an exported folder has."""

Precision = Literal["float32", "int8", "int8-static"]
"""int8: weights are integers, activations are rounded row by row; int8-static: by ranges seen in calibration."""

SLOWER = ["SkipLayerNormFusion"]
"""What ONNX Runtime puts together although on processors the parts are faster."""

PIECES, LENGTHS = 128, (32, 9, 21, 16, 64, 25, 12, 42)
"""Of the batches that engines are measured with, and of each text in them."""

Name = TypeVar("Name", bound=str)

Run = Callable[[Mapping[str, npt.NDArray[Any]]], npt.NDArray[Any]]
"""Named inputs -> logits."""


@dataclass(frozen=True)
class Exported:
    """What `export.json` says."""

    file: str
    engine: Engine
    precision: Precision
    milliseconds: Mapping[str, float]
    """Engine -> what a batch took in the measurement by which it was chosen."""


class OnnxBackbone:
    """The `Predictor` of an exported model; several threads may ask it at a time."""

    together: None = None
    """It does not learn."""

    def __init__(self, run: Run, tokenizer: FastTokenizer, form: Form) -> None:
        """`run`: what returns logits; of a form that chooses, the score of one choice."""
        self.tokenizer = tokenizer
        self.run = run
        self._form = form

    def predict(self, batch: Batch) -> Floats:
        """Return logits, `[batch, labels]` or `[batch, length, labels]`, or vectors, `[batch, hidden]`."""
        logits = self.run(model_inputs(batch, self._form)).astype(np.float64)
        return choice_scores(logits, batch, self._form.chooses) if self._form.chooses else logits

    def write(self, batch: Batch, writing: Writing, told: Told | None = None) -> list[Written]:
        """Raise `ModelError`: a model that writes texts is not exported."""
        raise ModelError("an exported model gives logits only; to write texts, load the run's own model")


def model_inputs(batch: Batch, form: Form) -> dict[str, npt.NDArray[Any]]:
    """Return the named inputs of an exported model; of one that chooses, each choice is a row.

    Only a model whose head reads marks is given them: others may know two segments.
    """
    read = choices_apart(batch) if form.chooses else batch
    segments = read.segments if form.pooling == "marked" else np.where(read.segments > 1, 0, read.segments)
    return {"ids": read.ids, "mask": read.mask.astype(np.int64), "segments": segments}


def known_inputs(file: Path) -> frozenset[str]:
    """Return the names of the inputs that an ONNX file has: one without segments does not take them."""
    import onnxruntime

    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    return frozenset(one.name for one in session.get_inputs())


def exported_backbone(folder: Path) -> OnnxBackbone:
    """Load an exported folder; raises `ModelError` where it is damaged."""
    try:
        stored = read_json(folder / EXPORT)
        exported = Exported(stored["file"], stored["engine"], stored["precision"], stored["milliseconds"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{folder / EXPORT}: is damaged ({error}); export the model again from its run") from None
    settings, form = read_form(folder)
    run = engine_run(folder / exported.file, exported.engine)
    return OnnxBackbone(run, saved_tokenizer(folder, settings), form)


def saved_tokenizer(folder: Path, settings: ModelSettings) -> FastTokenizer:
    """Load the tokenizer of a saved folder."""
    if importlib.util.find_spec("transformers") is None:
        raise MissingPackageError("transformers", f"predicting with {folder}", "train")
    from transformers import AutoTokenizer

    try:
        return FastTokenizer(AutoTokenizer.from_pretrained(folder), settings.max_length, fold=settings.fold)
    except (OSError, ValueError) as error:
        raise ModelError(f"{folder}: its tokenizer cannot be loaded ({error}); export the model again") from error


def engine_run(file: Path, engine: Engine) -> Run:
    """Return what runs an ONNX file; raises `ModelError` where the engine cannot, or there is no such engine."""
    if engine not in ENGINES:
        raise ModelError(f"engine {engine!r} is not known; {nearest(engine, ENGINES)}")
    if importlib.util.find_spec(engine) is None:
        raise MissingPackageError(engine, f"running {file}", "export")
    try:
        return (_onnxruntime if engine == "onnxruntime" else _openvino)(file)
    except Exception as error:  # both raise errors of their own for a file that they cannot read
        reason = " ".join(str(error).split())[:300]
        raise ModelError(f"{file}: {engine} cannot run it ({reason}); export the model again from its run") from error


def measured_engines(file: Path, engines: Sequence[Engine], vocabulary: int, longest: int) -> dict[Engine, float]:
    """Return engine -> milliseconds, as `milliseconds_of` measures them.

    Engines that are not installed, or cannot run the file, are left out.
    """
    runs: dict[Engine, Run] = {}
    for engine in engines:
        if importlib.util.find_spec(engine) is None:
            continue
        try:
            runs[engine] = engine_run(file, engine)
            runs[engine](_works(vocabulary, longest)[0][0])
        except Exception:  # an engine that cannot run this file is not chosen
            runs.pop(engine, None)
    return milliseconds_of(runs, vocabulary, longest)


def milliseconds_of(runs: Mapping[Name, Run], vocabulary: int, longest: int) -> dict[Name, float]:
    """Return name -> milliseconds of a lone short input and of eight batches, two at a time: the fastest of five turns.

    Batches are of 128 pieces and of unlike lengths, as a server makes them: an engine that is faster on one batch again
    and again may be slower on these. None is longer than the model takes (`longest`).
    """
    works = _works(vocabulary, longest)
    times: dict[Name, list[list[float]]] = {name: [[] for _ in works] for name in runs}
    with ThreadPoolExecutor(2) as pool:
        for _ in range(5):
            for name, run in runs.items():
                for place, work in enumerate(works):
                    begin = time.perf_counter()
                    list(pool.map(run, work))
                    times[name][place].append(time.perf_counter() - begin)
    return {name: round(1000 * sum(map(min, found)), 3) for name, found in times.items()}


def _works(vocabulary: int, longest: int) -> list[list[dict[str, npt.NDArray[Any]]]]:
    """Return what is asked in one go: one text, and eight batches."""
    rng = np.random.default_rng(0)

    def batch(rows: int, length: int) -> dict[str, npt.NDArray[Any]]:
        ids = rng.integers(0, vocabulary, (rows, length))
        return {"ids": ids, "mask": np.ones_like(ids), "segments": np.zeros_like(ids)}

    lengths = [min(length, longest) for length in LENGTHS]
    return [[batch(1, min(32, longest))], [batch(PIECES // length, length) for length in lengths]]


def _onnxruntime(file: Path) -> Run:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    # Threads that wait for work by counting take the processor from whoever brings it.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    session = onnxruntime.InferenceSession(
        str(file), options, providers=["CPUExecutionProvider"], disabled_optimizers=SLOWER
    )
    known = {one.name for one in session.get_inputs()}

    def run(inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        (logits,) = session.run(None, {name: value for name, value in inputs.items() if name in known})
        return cast("npt.NDArray[Any]", logits)

    return run


def _openvino(file: Path) -> Run:
    import openvino

    settings = {"INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY"}
    model = openvino.Core().compile_model(str(file), "CPU", settings)
    # A request holds the tensors of one call, so each thread has its own.
    own = threading.local()
    known = {name for one in model.inputs for name in one.get_names()}

    def run(inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        if not hasattr(own, "request"):
            own.request = model.create_infer_request()
        found = own.request.infer({name: value for name, value in inputs.items() if name in known})
        return np.array(found[0])

    return run
