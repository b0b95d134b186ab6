"""Predictions for a file of texts, some thousands of them in memory at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from truetune.data.parse import Field, parsed
from truetune.data.read import read
from truetune.tasks.fields import as_text
from truetune.workflows.model import training_of
from truetune.workflows.predict import Model
from truetune.workflows.progress import Progress

AT_ONCE = 4096


def predicted_file(model: Model, file: str, progress: Progress) -> Iterator[dict[str, Any]]:
    """Yield `id` and the predicted fields of each text, in the order of the file.

    The whole file is checked before the first prediction. Raises `DataError` with all its problems.
    """
    names = training_of(model.task).inputs
    columns = parsed(read(file), [tuple(Field(name, as_text) for name in names)], file)
    starts = range(0, len(columns), AT_ONCE)
    for start in progress.over("predicting", starts, len(starts)):
        texts = [columns.fields[name][start : start + AT_ONCE] for name in names]
        predicted = model.predict_columns(texts)
        ids = islice(columns.ids, start, start + AT_ONCE)
        for one, *values in zip(ids, *predicted.values(), strict=True):
            yield {"id": one, **dict(zip(predicted, values, strict=True))}
