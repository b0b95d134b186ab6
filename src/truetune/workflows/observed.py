"""What is kept of examples that a model answers, the reference of a run, and drift of a file against it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from truetune.bundle.format import NAME, read_bundle
from truetune.bundle.run_folder import finished_run
from truetune.data.dataset import Dataset
from truetune.data.read import read
from truetune.errors import DataError, ModelError
from truetune.live.drift import Drift, drift
from truetune.live.features import CONFIDENCE, LABEL, Observed, features_of_answer, features_of_text
from truetune.live.reference import Reference, counted, read_reference, reference_of, write_reference
from truetune.types import Tokenizer
from truetune.workflows.predict import Model, load
from truetune.workflows.progress import Progress

AT_ONCE = 1024


def observed(
    tokenizer: Tokenizer, rows: Sequence[Sequence[Any]], answers: Sequence[Mapping[str, Any]]
) -> list[Observed]:
    """Return what is kept of rows of inputs and their answers; of inputs that are texts only."""
    unknown = getattr(tokenizer, "unknown", None)  # a tokenizer that knows every character has none
    texts = [[one for one in row if isinstance(one, str)] for row in rows]
    cut = iter(tokenizer.pieces([one for row in texts for one in row]))
    found: list[Observed] = []
    for row, answer in zip(texts, answers, strict=True):
        ids = [one.ids for one in itertools.islice(cut, len(row))]
        unread = 0 if unknown is None else sum(int((one == unknown).sum()) for one in ids)
        found.append(features_of_text(row, sum(map(len, ids)), unread) | features_of_answer(answer))
    return found


def run_reference(path: Path, progress: Progress) -> Reference | None:
    """Return the reference of a finished run from its validation part; None where that is empty."""
    run = finished_run(path)
    return part_reference(load(run.model), Dataset.open(run.data("validation")), progress)


def part_reference(model: Model, part: Dataset, progress: Progress) -> Reference | None:
    """Return the reference of a part of labelled examples; None where it is empty."""
    if not len(part):
        return None
    names = model.columns_read
    columns = [part.stored(name) for name in names]
    predicted = model.predict_columns(columns, progress) if model.answers_labels else {}
    seen = [one for some in _observed_parts(model, part, names, predicted) for one in some]
    right = None
    if "label" in part.fields and "label" in predicted:
        right = [said == gold for said, gold in zip(predicted["label"], part.column("label"), strict=True)]
    return reference_of(seen, right, part.stored_groups is not None)


def _observed_parts(
    model: Model, part: Dataset, names: Sequence[str], predicted: Mapping[str, Sequence[Any]]
) -> Iterator[list[Observed]]:
    for start in range(0, len(part), AT_ONCE):
        some = slice(start, start + AT_ONCE)
        rows = list(zip(*(part.stored(name)[some] for name in names), strict=True))
        answers = [{name: values[start + place] for name, values in predicted.items()} for place in range(len(rows))]
        yield observed(model.tokenizer, rows, answers)


def bundle_folder(path: Path) -> Path:
    """Return the folder of a bundle: a run's `model`, or the folder itself."""
    return path if (path / NAME).is_file() else path / "model"


def made_reference(path: Path, progress: Progress) -> Path:
    """Make the reference of a finished run again, write it into its bundle, and return the bundle's folder."""
    run = finished_run(path)
    reference = run_reference(path, progress)
    if reference is None:
        raise ModelError(
            f"{path}: its validation part is empty, so there is nothing to hold against; expected examples"
        )
    write_reference(run.model, reference)
    return run.model


@dataclass(frozen=True)
class Asked:
    """What drift is looked for in."""

    file: str
    alpha: float = 0.05
    seed: int = 0


def file_drift(path: Path, asked: Asked, progress: Progress) -> Drift:
    """Hold a file of inputs, or of predictions (`label`, `scores`), against the reference of a bundle.

    Inputs are predicted first. Raises `ModelError` where there is no reference, `DataError` for other files.
    """
    folder = bundle_folder(path)
    bundle = read_bundle(folder)
    reference = read_reference(folder)
    first = next((one.fields for one in read(asked.file) if not one.problem), {})
    if not first:
        raise DataError(f"{asked.file}: has no example; expected inputs, or predictions with `label` and `scores`")
    model = load(folder)
    if _has_inputs(model, first):
        seen = _seen_inputs(model, asked.file, progress)
    else:
        seen = _seen_predictions(asked.file, bundle.labels)
    return drift(reference, counted(seen), len(seen), asked.alpha, np.random.default_rng(asked.seed))


def _has_inputs(model: Model, fields: Mapping[str, Any]) -> bool:
    return all(
        name in fields or all(one in fields for one in model.columns.get(name, [name])) for name in model.input_names
    )


def _seen_inputs(model: Model, file: str, progress: Progress) -> list[Observed]:
    texts, places = [], []
    for record in read(file):
        if record.problem:
            raise DataError(f"{record.where}: {record.problem}")
        texts.append(record.fields)
        places.append(record.where)
    found: list[Observed] = []
    for start in progress.over("predicting", range(0, len(texts), AT_ONCE), -(-len(texts) // AT_ONCE)):
        rows = model.rows(texts[start : start + AT_ONCE])
        answers = model.answers(rows) if model.answers_labels else [{}] * len(rows)
        found += observed(model.tokenizer, rows, answers)
    return found


def _seen_predictions(file: str, labels: Sequence[str]) -> list[Observed]:
    found: list[Observed] = []
    for record in read(file):
        said = features_of_answer(record.fields)
        if record.problem or LABEL.name not in said:
            raise DataError(
                f"{record.where}: {record.problem or 'has neither the inputs of the model nor a `label`'}; expected "
                "inputs, or predictions as `truetune predict` writes them"
            )
        if labels and isinstance(record.fields.get("label"), str) and record.fields["label"] not in labels:
            raise DataError(
                f"{record.where}: the model has no label {record.fields['label']!r}; expected its predictions"
            )
        confidence = said.get(CONFIDENCE.name, 0.5)
        if not 0 <= float(confidence) <= 1:
            raise DataError(f"{record.where}: {confidence} is no probability; expected 0 to 1")
        found.append(said)
    return found
