"""TensorFlow and Keras, imported once and quietly: every other file of this backbone takes them from here."""

from __future__ import annotations

import importlib.util
import os

from truetune.errors import MissingPackageError, ModelError

__all__ = ["keras", "tf"]

for _package in ("tensorflow", "keras"):
    if importlib.util.find_spec(_package) is None:
        raise MissingPackageError(_package, "model.framework: tensorflow", "tensorflow")

# What TensorFlow tells about processors it was built for, and not for, has no bearing on a result.
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("KERAS_BACKEND", "tensorflow")

import keras  # noqa: E402
import tensorflow as tf  # noqa: E402

if keras.backend.backend() != "tensorflow":
    raise ModelError(
        f"model.framework: tensorflow needs Keras on TensorFlow, but KERAS_BACKEND is {keras.backend.backend()!r}; "
        "unset it, or set it to tensorflow"
    )


# It counts every model that is loaded as one more building of the same graph.
tf.get_logger().setLevel("ERROR")


def _take_threads() -> None:
    """Use as many threads as PyTorch would: those of OMP_NUM_THREADS, where it is set."""
    told = os.environ.get("OMP_NUM_THREADS", "")
    if told.isdigit() and int(told) > 0:
        try:
            tf.config.threading.set_intra_op_parallelism_threads(int(told))
        except RuntimeError:  # TensorFlow ran before: it keeps what it began with
            return


_take_threads()
