"""A saved model as a SavedModel of TensorFlow: logits for any number of inputs of any length, the head included."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from truetune.backbones.onnx_model import OnnxBackbone, saved_tokenizer
from truetune.backbones.saved_form import read_form
from truetune.backbones.tf_saved import load_saved
from truetune.backbones.tf_start import tf
from truetune.errors import ModelError

FOLDER = "saved_model"
SIGNATURE, OUTPUT = "serving_default", "logits"
"""The function that is called, and what it returns; its inputs are `ids`, `mask` and `segments`, `[batch, length]`."""


def write_saved_model(model: Path, folder: Path) -> None:
    """Write the network of a saved folder, in float32; raises ModelError for one that writes texts."""
    network, _, _ = load_saved(model)
    if network.form.writes:
        raise ModelError(f"{model}: writes texts, which is not exported yet; serve or load the run itself")
    inputs = [tf.TensorSpec((None, None), tf.int64, name=name) for name in ("ids", "mask", "segments")]

    def logits(ids: Any, mask: Any, segments: Any) -> dict[str, Any]:
        return {OUTPUT: network.logits(ids, mask > 0, segments)}

    served = tf.Module()
    served.weights = [one.variable.value for one in network.weights().values()]
    served.logits = tf.function(logits, input_signature=inputs, autograph=False, jit_compile=False)
    tf.saved_model.save(served, str(folder), signatures={SIGNATURE: served.logits})


class SavedModelRun:
    """Runs a SavedModel. It is a program: only what was just written here may be given."""

    def __init__(self, folder: Path) -> None:
        self._loaded = tf.saved_model.load(str(folder))  # its variables live as long as it does
        self._function = self._loaded.signatures[SIGNATURE]

    def __call__(self, inputs: Mapping[str, npt.NDArray[Any]]) -> npt.NDArray[Any]:
        """Return the logits of named inputs."""
        found = self._function(**{name: tf.constant(np.asarray(one, np.int64)) for name, one in inputs.items()})
        logits: npt.NDArray[Any] = found[OUTPUT].numpy()
        return logits


def saved_model_backbone(model: Path, folder: Path) -> OnnxBackbone:
    """Return what predicts with the SavedModel in a folder that was made of a saved model."""
    settings, form = read_form(model)
    return OnnxBackbone(SavedModelRun(folder), saved_tokenizer(model, settings), form)
