"""A bundle as a server needs it: an identity, inputs, answers, and whether its files were replaced."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from truetune.bundle.format import NAME
from truetune.errors import ModelError
from truetune.live.features import Observed
from truetune.live.reference import Reference, read_reference
from truetune.types import Told
from truetune.workflows.observed import bundle_folder, observed
from truetune.workflows.predict import Model, load


class ServedModel:
    """A loaded bundle that answers rows of inputs."""

    def __init__(self, model: Model, identity: str, reference: Reference | str = "no reference was looked for") -> None:
        """`reference`: what its validation part looks like, or in words why that is not known."""
        self._model = model
        self.identity = identity
        self.reference = reference
        bundle = model.bundle
        self.width, self.tokens = model.width, model.batch_tokens
        self.about: Mapping[str, Any] = {
            "task": bundle.task,
            "labels": list(bundle.labels),
            "inputs": list(model.input_names),
            "max_length": bundle.max_length,
            "framework": bundle.framework,
            "base_model": bundle.base_model,
            "streams": bundle.writing is not None,
            "decision": None if bundle.decision is None else bundle.decision.to_dict(),
        }

    def rows(self, texts: Sequence[Any]) -> list[list[Any]]:
        """Return the inputs of texts; raises `TruetuneError` for what cannot be read."""
        return self._model.rows(texts)

    def answers(self, rows: Sequence[Sequence[Any]]) -> list[dict[str, Any]]:
        """Return one answer a row."""
        return self._model.answers(rows)

    def observed(self, rows: Sequence[Sequence[Any]], answers: Sequence[Mapping[str, Any]]) -> list[Observed]:
        """Return what is kept of rows and their answers; no texts."""
        return observed(self._model.tokenizer, rows, answers)

    def written(self, row: Sequence[Any], told: Told) -> dict[str, Any]:
        """Return the answer to a row, piece by piece; `told` is asked after each whether to go on."""
        return self._model.written(row, told)


class BundlePlace:
    """A folder, or a link to one, whose bundle may be replaced by another while it is served."""

    def __init__(self, path: Path, device: str = "auto") -> None:
        self._path, self._device = path, device
        self._loaded: tuple[Any, ...] | None = None

    def load(self) -> ServedModel:
        """Load what stands there now."""
        stamp = self._stamp()
        if stamp is None:
            raise ModelError(f"{self._path}: holds no {NAME}; expected a run, its `model`, or an exported folder")
        folder = self._path.resolve()
        model = load(folder, self._device)
        self._loaded = stamp
        return ServedModel(model, identity_of(folder), _reference(folder))

    def changed(self) -> bool:
        """Whether a whole bundle stands there that was not loaded yet."""
        stamp = self._stamp()
        return stamp is not None and stamp != self._loaded

    def _stamp(self) -> tuple[Any, ...] | None:
        """Return what changes with the bundle: its description is written last of all its files."""
        for file in (self._path / NAME, self._path / "model" / NAME):
            if file.is_file():
                found = file.resolve().stat()
                return str(file.resolve()), found.st_ino, found.st_mtime_ns, found.st_size
        return None


def _reference(folder: Path) -> Reference | str:
    try:
        return read_reference(bundle_folder(folder))
    except ModelError as error:
        return str(error)


def identity_of(folder: Path) -> str:
    """Return a hash of all files of a bundle, twelve digits: the same files, the same identity, on any machine."""
    place = folder if (folder / NAME).is_file() else folder / "model"
    total = hashlib.sha256()
    for file in sorted(place.rglob("*")):
        if file.is_file():
            with file.open("rb") as opened:
                total.update(file.name.encode() + hashlib.file_digest(opened, "sha256").digest())
    return total.hexdigest()[:12]
