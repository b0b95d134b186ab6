"""`truetune label-next`: of texts without labels, which to label next for a run, and why."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from truetune import config as configs
from truetune.bundle.run_folder import RunFolder, finished_run
from truetune.data.dataset import read_dataset
from truetune.data.parse import reading
from truetune.data.read import read
from truetune.errors import DataError, TruetuneError
from truetune.evaluation.conditions import Condition, true_of
from truetune.evaluation.derived import texts_of
from truetune.evaluation.weak import Weak, weak_slices
from truetune.files import read_json
from truetune.optimization.labelling import doubts, unlike
from truetune.text import text_key
from truetune.types import Bools, Floats
from truetune.workflows.model import training_of
from truetune.workflows.parts import TaskData, prepared
from truetune.workflows.predict import Model, load
from truetune.workflows.progress import Progress
from truetune.workflows.systems import plan_of, table_of

SYSTEM = "model"
MOST_RAISED = 3.0


@dataclass(frozen=True)
class Wanted:
    """A text whose label would help."""

    id: str
    fields: Mapping[str, Any]
    predicted: Any
    """What the model says: a label, or a list of them."""
    doubt: float
    weak: tuple[tuple[Condition, ...], ...]
    """The rules of weak slices that it falls into."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values; the fields are those of a file to be labelled."""
        rules = [[condition.to_dict() for condition in rule] for rule in self.weak]
        return {"id": self.id, **self.fields, "predicted": self.predicted, "doubt": round(self.doubt, 4), "weak": rules}


@dataclass(frozen=True)
class LabelNext:
    """What to label next, the most wanted first."""

    wanted: tuple[Wanted, ...]
    texts: int
    """How many texts were looked at."""
    known: int
    """Texts that the run has already, or that stand twice; they are left out."""
    more: tuple[Mapping[str, Any], ...]
    """What labels of texts drawn at random would bring, of a run that was diagnosed: examples, value, low, high."""

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values."""
        return {
            "wanted": [one.to_dict() for one in self.wanted],
            "texts": self.texts,
            "known": self.known,
            "more": [dict(one) for one in self.more],
        }


def label_next(path: str | Path, file: str, number: int = 100, progress: Progress | None = None) -> LabelNext:
    """Return which texts of a file to label next for a finished run.

    Doubt is the model's own; it counts more where the model is shown worse than elsewhere on validation, by as much as
    it errs more there. Of the test part only which texts it has is read. Raises `TruetuneError` for a task whose
    answers are no labels with probabilities, `DataError` for a file without texts.
    """
    shown = progress or Progress()
    run = finished_run(Path(path))
    model = load(run.path)
    if not model.answers_labels or model.bundle.scale is not None:
        raise TruetuneError(
            f"{run.path}: label-next ranks texts by the probabilities of labels, and {model.bundle.task!r} has none; "
            "expected a run of classification, pair or relations"
        )
    config = configs.load(run.config)
    data = prepared(model.task, config.data, run, shown)
    texts, ids = _texts(model, file)
    fresh = _fresh(texts, data, model.columns_read)
    columns = [[column[place] for place in fresh] for column in texts]
    predicted = model.predict_columns(columns, shown)
    if "scores" not in predicted:
        raise TruetuneError(f"{run.path}: its model gives no probabilities, which label-next ranks texts by")
    said = predicted["labels" if model.bundle.multiple else "label"]
    doubt = doubts(predicted["scores"], model.bundle.multiple)
    weak = _weak(model, data, plan_of(config.evaluate), shown)
    inside = [_inside(one.rule, columns, model.columns_read, said) for one in weak]
    chosen = unlike(_raised(doubt, weak, inside), model.features(columns, shown), number) if fresh else ()
    wanted = tuple(
        Wanted(
            ids[fresh[place]],
            {name: column[place] for name, column in zip(model.columns_read, columns, strict=True)},
            said[place],
            float(doubt[place]),
            tuple(one.rule for one, true in zip(weak, inside, strict=True) if true[place]),
        )
        for place in map(int, chosen)
    )
    return LabelNext(wanted, len(ids), len(ids) - len(fresh), _more(run))


def _texts(model: Model, file: str) -> tuple[list[list[Any]], list[str]]:
    """Return the columns of a file's texts and their ids."""
    inputs = training_of(model.task).inputs
    with tempfile.TemporaryDirectory(prefix="truetune-label-") as folder:
        found = reading(read(file), [inputs.fields], file, renamed=model.columns)
        data = read_dataset(found, Path(folder) / "texts.arrow", grouped=False)
        columns = [list(data.stored(name)) for name in inputs.names]
        ids = [str(one) for one in data.stored_ids]
    if not ids:
        raise DataError(f"{file}: no text in it; expected texts to choose from")
    return columns, ids


def _fresh(texts: Sequence[Sequence[Any]], data: TaskData, names: Iterable[str]) -> list[int]:
    """Return the places of texts that no part of the run has, each once."""
    known = {
        text_key(map(str, row))
        for part in data.parts.values()
        for row in zip(*(part.stored(name) for name in names), strict=True)
    }
    found = []
    for place, row in enumerate(zip(*texts, strict=True)):
        key = text_key(map(str, row))
        if key not in known:
            known.add(key)
            found.append(place)
    return found


def _weak(model: Model, data: TaskData, plan: Any, progress: Progress) -> list[Weak]:
    """Return the slices of validation in which the model is shown worse."""
    predicted = model.predict_columns(data.columns("validation"), progress)
    found = weak_slices(table_of(data, "validation", {SYSTEM: predicted}), plan)
    return [] if found is None else [one for one in found.slices if one.shown]


def _raised(doubt: Floats, weak: Sequence[Weak], inside: Sequence[Bools]) -> Floats:
    """Return doubts, those in weak slices times how much more often the model is wrong there, at most MOST_RAISED."""
    times = np.ones_like(doubt)
    for one, true in zip(weak, inside, strict=True):
        more = min(one.value / one.rest, MOST_RAISED) if one.rest > 0 else MOST_RAISED
        times = np.where(true, np.maximum(times, more), times)
    return doubt * times


def _inside(
    rule: Iterable[Condition], columns: Sequence[Sequence[Any]], names: Iterable[str], said: Sequence[Any]
) -> Bools:
    """Return of which texts all conditions of a rule are true, `[texts]`; of none where one cannot be asked of them."""
    texts = texts_of(dict(zip(names, columns, strict=True))) or []
    found = np.ones(len(said), dtype=np.bool_)
    for condition in rule:
        true = true_of(condition, texts, said)
        found &= False if true is None else true
    return found


def _more(run: RunFolder) -> tuple[Mapping[str, Any], ...]:
    curve = read_json(run.diagnosis)["learning_curve"] if run.diagnosis.is_file() else None
    return tuple(curve["more"]) if curve else ()
