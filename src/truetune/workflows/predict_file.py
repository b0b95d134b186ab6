"""Predictions for a file of texts, some thousands of them in memory at a time."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from truetune.data.dataset import read_dataset
from truetune.data.parse import reading
from truetune.data.read import read
from truetune.workflows.model import training_of
from truetune.workflows.predict import Model
from truetune.workflows.progress import Progress

AT_ONCE = 4096


def predicted_file(
    model: Model, file: str, progress: Progress, done: Callable[[str], int] = lambda fingerprint: 0
) -> Iterator[dict[str, Any]]:
    """Yield `id` and the predicted fields of each text, in the order of the file.

    The whole file is checked, and kept on disk, before the first prediction. Raises `DataError` with all its problems.
    `done`, given the fingerprint of the texts, says how many of the first are predicted already; they are left out.
    """
    inputs = training_of(model.task).inputs
    with tempfile.TemporaryDirectory(prefix="truetune-predict-") as folder:
        found = reading(read(file), [inputs.fields], file, renamed=model.columns)
        data = read_dataset(found, Path(folder) / "texts.arrow", grouped=False)
        starts = range(done(data.fingerprint), len(data), AT_ONCE)
        for start in progress.over("predicting", starts, len(starts)):
            predicted = model.predict_columns([data.stored(name)[start : start + AT_ONCE] for name in inputs.names])
            ids = data.stored_ids[start : start + AT_ONCE]
            for one, *values in zip(ids, *predicted.values(), strict=True):
                yield {"id": one, **dict(zip(predicted, values, strict=True))}
