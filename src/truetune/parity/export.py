"""`truetune export`: a run's model as ONNX or as a SavedModel, behind the parity gate."""

from __future__ import annotations

import importlib.util
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from truetune import config
from truetune.backbones.choice import need_framework
from truetune.backbones.form import check_sizes
from truetune.backbones.onnx_model import (
    ENGINES,
    EXPORT,
    Precision,
    known_inputs,
    measured_engines,
    milliseconds_of,
    model_inputs,
)
from truetune.backbones.pretrained import width_of
from truetune.backbones.saved_form import read_form, write_form
from truetune.bundle.format import ONNX, PYTORCH, TENSORFLOW, read_bundle, write_bundle
from truetune.bundle.run_folder import RunFolder, finished_run
from truetune.data.dataset import Dataset
from truetune.data.parse import parsed
from truetune.data.read import read
from truetune.errors import MissingPackageError, ModelError, RunError
from truetune.evaluation.compare import Gate
from truetune.files import read_json, whole_folder, write_json
from truetune.parity.gate import Labelled, Parity, parity
from truetune.parity.http import can_serve, http_answers
from truetune.reports.model_card import write_card
from truetune.stats.plan import Plan
from truetune.tasks.base import Task
from truetune.tasks.table import task_named
from truetune.workflows.model import training_of
from truetune.workflows.parts import input_fields
from truetune.workflows.predict import Model, load
from truetune.workflows.progress import Progress

MARGIN = 0.01
PARITY = "parity.json"
KEPT = (
    "backbone.json",
    "chat_template.jinja",
    "config.json",
    "reference.json",
    "scores.json",
    "special_tokens_map.json",
)
FRAMEWORKS = {PYTORCH: "PyTorch", TENSORFLOW: "TensorFlow"}
"""Framework -> what a model that it trained is called beside what is made of it."""
FILES: Mapping[Precision, str] = {
    "float32": "model.onnx",
    "int8": "model.int8.onnx",
    "int8-static": "model.int8-static.onnx",
}
"""Precision -> file."""
CALIBRATED, CALIBRATED_AT_ONCE = 256, 2048
"""Training texts over which ranges are measured, and pieces of one batch of them."""


@dataclass(frozen=True)
class Wanted:
    """How a model is to be exported, and what is to be shown of it."""

    precision: Precision = "float32"
    engine: Literal["auto", "onnxruntime", "openvino"] = "auto"
    """auto: the faster one that is installed, by a short measurement."""
    margin: float = MARGIN
    metric: str | None = None
    """The metric that decides; None: the run's."""
    data: str | None = None
    """Labelled examples to compare on; None: the run's validation part."""
    plan: Plan = field(default_factory=Plan)
    format: Literal["onnx", "savedmodel"] = "onnx"
    vector_size: int | None = None
    """Of rankings: to how many numbers vectors are cut; None: they stay whole."""


@dataclass(frozen=True)
class ExportResult:
    """What came of an export; the folder is there only where the gate was passed."""

    folder: Path
    parity: Parity
    engine: str
    milliseconds: Mapping[str, float]
    sizes: Mapping[str, int]
    """Weights in bytes, before and after."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "folder": str(self.folder) if self.parity.passed else None,
            "engine": self.engine,
            "milliseconds": dict(self.milliseconds),
            "bytes": dict(self.sizes),
            "parity": self.parity.to_dict(),
        }


def exported(path: Path, folder: Path, wanted: Wanted, progress: Progress) -> ExportResult:
    """Export a finished run's model to a new folder; where parity is not shown the folder is not made.

    The gate scores the run's model, ONNX in float32, where asked for int8 and static int8, and, where `truetune serve`
    can run, what a server of the exported folder answers over HTTP, on the same labelled examples. Static int8 is
    calibrated on training texts, so that the gate sees texts that are new to it. Of a SavedModel it scores that one.
    """
    run = finished_run(path)
    if wanted.format == "savedmodel" and wanted.precision != "float32":
        raise ModelError("--int8: is of ONNX; a SavedModel is written in float32")
    if wanted.format == "onnx" and importlib.util.find_spec("torch") is None:
        raise MissingPackageError("torch", "exporting as ONNX", "train")
    if folder.exists() and any(folder.iterdir()):
        raise RunError(f"{folder}: is there already; name a folder that is not, or remove it")
    task = task_named(config.load(run.config).task)
    training = training_of(task)
    if training.head == "generate":
        raise ModelError(f"{path}: writes texts ({task.name}), which is not exported yet; serve or load the run itself")
    if wanted.vector_size is not None:
        if training.head != "embed" or wanted.format != "onnx":
            raise ModelError("--vector-size: is of rankings (retrieval, response-ranking) as ONNX; leave it out")
        check_sizes([wanted.vector_size], width_of(str(run.model)), "--vector-size")
    labelled = labelled_of(run, task, wanted.data)
    if not len(labelled.ids):
        raise RunError(f"{path}: the validation part is empty, so nothing can be shown; give labelled examples: --data")
    columns = [labelled.fields[name] for name in training.inputs.names]
    own = FRAMEWORKS.get(read_bundle(run.model).framework, "the run's model")
    systems = {own: load(run.model).predict_columns(columns)}
    with tempfile.TemporaryDirectory(prefix="truetune-export-") as name:
        temporary = Path(name)
        if wanted.format == "savedmodel":
            progress.say("exporting as a SavedModel")
            found, predicting = write_saved(run.model, temporary)
            systems["SavedModel"] = predicting.predict_columns(columns)
        for precision in _precisions(wanted):
            progress.say(f"exporting in {precision}")
            texts = calibrating(run, training.inputs.names) if precision == "int8-static" else ()
            found = write_export(run.model, temporary, replace(wanted, precision=precision), texts)
            systems[f"ONNX {precision}, {found['engine']}"] = load(temporary).predict_columns(columns)
        if wanted.format == "onnx" and can_serve():
            progress.say("asking a server of it")
            systems["HTTP"] = http_answers(temporary, training.inputs, labelled.fields)
        gate = Gate(wanted.metric or config.load(run.config).evaluate.metric, wanted.margin, wanted.plan)
        result = parity(task, labelled, systems, gate)
        sizes: dict[str, int] = {
            own: sum(file.stat().st_size for file in run.model.glob("*.safetensors")),
            **{
                str(name): (temporary / file).stat().st_size
                for name, file in FILES.items()
                if (temporary / file).is_file()
            },
        }
        if wanted.format == "savedmodel":
            sizes["SavedModel"] = sum(file.stat().st_size for file in temporary.rglob("*.data-*"))
        if wanted.precision != "float32":
            (temporary / FILES["float32"]).unlink()
        write_json(temporary / PARITY, result.to_dict())
        if wanted.format == "onnx":
            write_card(temporary)
        if result.passed:
            with whole_folder(folder) as whole:
                shutil.copytree(temporary, whole, dirs_exist_ok=True)
    return ExportResult(folder, result, found["engine"], found["milliseconds"], sizes)


def _precisions(wanted: Wanted) -> tuple[Precision, ...]:
    """Return in which precisions ONNX is written: float32, of which the others are made, first."""
    if wanted.format != "onnx":
        return ()
    return ("float32",) if wanted.precision == "float32" else ("float32", wanted.precision)


def write_saved(model: Path, folder: Path) -> tuple[dict[str, Any], Model]:
    """Write a bundle as a SavedModel with its tokenizer, and return what `export.json` says, and what predicts with it.

    There is no `truetune.json` beside it: a SavedModel is a program, and truetune runs none from a folder.
    """
    need_framework(TENSORFLOW, "exporting as a SavedModel")
    from truetune.backbones import tf_saved_model as saved

    bundle = read_bundle(model)
    place = folder / saved.FOLDER
    saved.write_saved_model(model, place)
    for source in model.iterdir():
        if source.name == "config.json" or source.name.startswith(("tokenizer", "special_tokens")):
            shutil.copyfile(source, folder / source.name)
    predictor = saved.saved_model_backbone(model, place)
    vocabulary = int(read_json(model / "config.json")["vocab_size"])
    stored = {
        "file": saved.FOLDER,
        "engine": TENSORFLOW,
        "precision": "float32",
        "signature": saved.SIGNATURE,
        "inputs": ["ids", "mask", "segments"],
        "outputs": [saved.OUTPUT],
        "task": bundle.task,
        "labels": list(bundle.labels),
        "max_length": bundle.max_length,
        "threshold": bundle.threshold,
        "licence": bundle.licence,
        "milliseconds": milliseconds_of({TENSORFLOW: predictor.run}, vocabulary, bundle.max_length),
    }
    write_json(folder / EXPORT, stored)
    return stored, Model(bundle, predictor)


def labelled_of(run: RunFolder, task: Task, data: str | None) -> Labelled:
    """Return the run's validation part, or the labelled examples of a file."""
    if data is not None:
        columns = parsed(read(data), input_fields(task), data, renamed=read_bundle(run.model).columns)
        return Labelled(columns.ids, columns.fields, columns.others.get("group"))
    part = Dataset.open(run.data("validation"))
    return Labelled(part.ids, {name: part.column(name) for name in part.fields}, part.groups)


def calibrating(run: RunFolder, names: Sequence[str]) -> list[list[Any]]:
    """Return columns of some of a run's training examples, evenly spaced; raises `RunError` where it kept none."""
    part = Dataset.open(run.data("train"))
    if not len(part):
        raise RunError(f"{run.path}: its training part is empty, so static int8 has no texts to be calibrated on")
    some = part.take(np.unique(np.linspace(0, len(part) - 1, CALIBRATED).astype(np.int64)))
    return [some.column(name) for name in names]


def write_export(
    model: Path, folder: Path, wanted: Wanted, calibration: Sequence[Sequence[Any]] = ()
) -> dict[str, Any]:
    """Write a bundle as the folder of one precision, without any gate, and return what its `export.json` says.

    For int8 the float32 file has to be in the folder; for static int8 `calibration` has columns of inputs.
    """
    from truetune.backbones.onnx_export import write_onnx
    from truetune.backbones.onnx_int8 import write_int8, write_static_int8

    bundle = read_bundle(model)
    if bundle.framework not in FRAMEWORKS:
        raise ModelError(f"{model}: is of {bundle.framework}; only a model as it was trained is exported")
    file = folder / FILES[wanted.precision]
    if wanted.precision == "float32":
        write_onnx(model, file, wanted.vector_size or 0)
    elif wanted.precision == "int8":
        write_int8(folder / FILES["float32"], file)
    else:
        known = known_inputs(folder / FILES["float32"])
        batches = load(model, "cpu").batches(calibration, CALIBRATED_AT_ONCE)
        _, form = read_form(model)
        named = (model_inputs(batch, form) for batch in batches)
        inputs = [{name: one for name, one in several.items() if name in known} for several in named]
        write_static_int8(folder / FILES["float32"], file, inputs)
    for source in model.iterdir():
        if source.name in KEPT or source.name.startswith("tokenizer"):
            shutil.copyfile(source, folder / source.name)
    if wanted.vector_size:
        settings, form = read_form(model)
        write_form(folder, settings, replace(form, vector=wanted.vector_size))
    vocabulary = int(read_json(model / "config.json")["vocab_size"])
    engines = ENGINES if wanted.engine == "auto" else (wanted.engine,)
    times = measured_engines(file, engines, vocabulary, bundle.max_length)
    if not times:
        raise ModelError(f"none of {', '.join(engines)} can run the model; run: pip install 'truetune[export]'")
    stored = {
        "file": file.name,
        "engine": min(times, key=times.__getitem__),
        "precision": wanted.precision,
        "vector_size": wanted.vector_size,
        "milliseconds": times,
    }
    write_json(folder / EXPORT, stored)
    write_bundle(folder, replace(bundle, framework=ONNX))
    return stored
