"""A bundle in use: texts in, predictions out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from truetune.backbones.base import Backbone, Predictor
from truetune.backbones.choice import PACKAGES, saved_backbone
from truetune.bundle.format import NAME, ONNX, Bundle, read_bundle
from truetune.data.batch import padded, token_batches
from truetune.data.parse import renamed_fields
from truetune.errors import DataError, ModelError
from truetune.tasks.base import Labels, Scale
from truetune.tasks.table import task_named
from truetune.types import Batch, Floats, Tokenizer, Told, Writing
from truetune.workflows.collection import vectors_of
from truetune.workflows.features import text_features
from truetune.workflows.model import encoded_parts, lengths_of, need_packages, pieces_at_once, predicted_by, training_of
from truetune.workflows.progress import Progress

EXPORTED_WIDTH, EXPORTED_TOKENS = 2, 128
"""Of an exported model: threads that ask at a time, and pieces of a batch that is computed while others wait."""

Text = str | Sequence[Any] | Mapping[str, Any]
"""One text; or several fields, for a task that reads several (a pair), in order or by name."""


class Model:
    """A fine-tuned model that predicts."""

    def __init__(self, bundle: Bundle, backbone: Predictor) -> None:
        self.bundle = bundle
        self.task = task_named(bundle.task)
        self._backbone = backbone
        self._training = training_of(self.task)
        self._vectors: Floats | None = None
        """Of the documents that are ranked, once they were asked for."""

    def predict(self, texts: Sequence[Text]) -> list[dict[str, Any]]:
        """Return one prediction a text, with the fields of the task's predicted files."""
        if isinstance(texts, str):
            raise DataError(f"expected a list of texts, found one text: predict([{texts[:40]!r}])")
        return self.answers(self.rows(texts))

    @property
    def input_names(self) -> tuple[str, ...]:
        """The fields that a text consists of."""
        return self._training.inputs.given

    @property
    def columns_read(self) -> tuple[str, ...]:
        """The columns that it reads of labelled data, in order."""
        return tuple(self._training.inputs.names)

    @property
    def answers_labels(self) -> bool:
        """Whether a prediction is a label, or several."""
        return self._training.head == "classify"

    @property
    def tokenizer(self) -> Tokenizer:
        """What cuts its texts."""
        return self._backbone.tokenizer

    @property
    def width(self) -> int:
        """How many threads may ask for answers at a time.

        PyTorch shares one set of threads; of an exported model's batches one is computed while another is cut and read.
        """
        return EXPORTED_WIDTH if self.bundle.framework == ONNX else 1

    @property
    def batch_tokens(self) -> int:
        """How many pieces, padding counted, are a batch that suits it where others wait for it."""
        return EXPORTED_TOKENS if self.bundle.framework == ONNX else pieces_at_once(self._backbone)

    @property
    def columns(self) -> Mapping[str, list[str]]:
        """Fields that are made of several columns of a file, with these."""
        return self.bundle.columns

    def rows(self, texts: Sequence[Text]) -> list[list[Any]]:
        """Return the inputs of each text; raises `DataError` for one that cannot be read."""
        return [self._inputs(place, text) for place, text in enumerate(texts)]

    def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return one prediction a row of inputs."""
        if not rows:
            return []
        columns = [list(column) for column in zip(*rows, strict=True)]
        predicted = self.predict_columns(columns)
        names = list(predicted)
        return [dict(zip(names, row, strict=True)) for row in zip(*predicted.values(), strict=True)]

    def predict_columns(
        self, columns: Sequence[Sequence[Any]], progress: Progress | None = None
    ) -> dict[str, list[Any]]:
        """Return predicted columns for columns in the order of the task's inputs, as decided."""
        return self.decided(self.undecided_columns(columns, progress))

    def decided(self, predicted: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Return what is made of predicted columns: calibrated, by threshold, with what is left to people."""
        decision = self.bundle.decision
        return predicted if decision is None else decision.columns(predicted, self.bundle.labels, self.bundle.multiple)

    def features(self, columns: Sequence[Sequence[Any]], progress: Progress | None = None) -> Floats:
        """Return what the model makes of each text before its head, `[texts, hidden]`.

        Raises `ModelError` for an exported model, which gives its answers only.
        """
        if self.bundle.framework == ONNX:
            raise ModelError(f"an exported model for {self.bundle.task} gives its answers only; name its run")
        shown = progress or Progress(quiet=True)
        return text_features(cast(Backbone, self._backbone), self._training, columns, "features", shown)

    def undecided_columns(
        self, columns: Sequence[Sequence[Any]], progress: Progress | None = None
    ) -> dict[str, list[Any]]:
        """Return predicted columns as the model itself says them, before anything is made of them."""
        labels = self._labels()
        if labels.documents:
            if self._vectors is None:
                self._vectors = vectors_of(self._backbone, self._training, labels)
            labels = replace(labels, vectors=self._vectors)
        shown = progress or Progress(quiet=True)
        return predicted_by(self._backbone, self._training, columns, labels, self.bundle.threshold, shown)

    def written(self, row: Sequence[Any], told: Told) -> dict[str, Any]:
        """Return the prediction of one row of inputs by a model that writes; `told` is asked whether to go on."""
        labels, tokenizer = self._labels(), self._backbone.tokenizer
        if labels.writing is None:
            raise ModelError(f"a model for {self.bundle.task} gives no text; ask for its prediction")
        columns = [[value] for value in row]
        lengths = lengths_of(self._training, tokenizer.max_length)
        encoding = self._training.encode(columns, None, labels, tokenizer, lengths)
        batch = padded(encoding.inputs, np.arange(1), tokenizer.pad)
        outputs = self._backbone.write(batch, labels.writing, told)
        predicted = self._training.decode(columns[0], encoding.inputs, outputs, labels, self.bundle.threshold)
        return {name: value for name, (value,) in self.decided(predicted).items()}

    def batches(self, columns: Sequence[Sequence[Any]], tokens: int) -> list[Batch]:
        """Return what the model reads of columns, in batches of at most `tokens` pieces."""
        parts = encoded_parts(self._training, columns, None, self._labels(), self._backbone.tokenizer)
        inputs = [one for part in parts for one in part.inputs]
        pad = self._backbone.tokenizer.pad
        return [padded(inputs, some, pad) for some in token_batches(np.array([len(one.ids) for one in inputs]), tokens)]

    def _labels(self) -> Labels:
        bundle = self.bundle
        scale = None if bundle.scale is None else Scale(*bundle.scale)
        writing = None if bundle.writing is None else Writing(**bundle.writing)
        return Labels(
            bundle.labels,
            bundle.multiple,
            scale,
            bundle.optional,
            bundle.longest,
            writing,
            tags=bundle.tags,
            documents=bundle.documents,
        )

    def _inputs(self, place: int, text: Text) -> list[Any]:
        names = self._training.inputs.given
        if isinstance(text, Mapping):
            given = renamed_fields(text, {name: one for name, one in self.columns.items() if name not in text})
            if any(name not in given for name in names):
                wanted = ", ".join(" and ".join(self.columns.get(name, [name])) for name in names)
                raise DataError(f"expected the fields {wanted}, found {', '.join(text)}")
        else:
            values = [text] if isinstance(text, str) else list(text)
            if len(values) != len(names):
                raise DataError(f"expected {len(names)} texts ({', '.join(names)}) an example, found {len(values)}")
            given = dict(zip(names, values, strict=True))
        try:
            return self._training.inputs.values(given)
        except ValueError as error:
            raise DataError(f"example {place} ({', '.join(names)}): {error}") from None


def load(path: str | Path, device: str = "auto") -> Model:
    """Load a run folder, the `model` folder in it, or an exported folder, to predict with it.

    Raises `ModelError` for a folder that is no truetune model, is damaged, or may hold code.
    """
    folder = Path(path)
    if not (folder / NAME).is_file() and (folder / "model" / NAME).is_file():
        folder = folder / "model"
    bundle = read_bundle(folder)
    if bundle.framework == ONNX:
        from truetune.backbones.onnx_model import exported_backbone

        return Model(bundle, exported_backbone(folder))
    if bundle.framework not in PACKAGES:
        raise ModelError(
            f"{folder / NAME}: is of the framework {bundle.framework!r}; known: {', '.join((*PACKAGES, ONNX))}"
        )
    need_packages(f"predicting with {folder}", bundle.framework)
    return Model(bundle, saved_backbone(bundle.framework, folder, device))
