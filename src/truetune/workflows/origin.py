"""What saved predictions were made of: hashes by which it is seen later that they are stale."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from pathlib import Path

from truetune import config
from truetune.bundle.format import NAME as BUNDLE
from truetune.bundle.run_folder import RunFolder
from truetune.files import read_json, write_json
from truetune.types import Finding

NAME = "made_of.json"
SOURCE = "data file "
MODEL = ("*.safetensors", "config.json", "tokenizer.json", "*.spm", "vocab.json")
"""Files of a bundle that decide what it says; others (the card, scores) are written after the predictions."""


def write_origin(run: RunFolder, folder: str) -> None:
    """Save the hashes of all that the predictions of a system rest on, and of the predictions themselves."""
    write_json(run.system(folder) / NAME, origin(run, folder))


def origin(run: RunFolder, folder: str) -> dict[str, str]:
    """Return the SHA-256 of settings, test part, weights (of the fine-tuned model), data files and predictions.

    Data that is no local file (embedded, of the Hub) is pinned by its name, and left out.
    """
    data = config.load(run.config).data
    files = {"settings": run.config, "test part": run.data("test"), "predictions": run.predictions(folder)}
    for source in (data.source, data.train, data.validation, data.test):
        if source is not None and ":" not in source:
            files[f"{SOURCE}{source}"] = Path(source)
    found = {name: _hash([path]) for name, path in files.items() if path.exists()}
    if folder == "after":
        found["model"] = _hash(sorted(path for name in MODEL for path in run.model.glob(name)))
        if (run.model / BUNDLE).is_file():
            found["thresholds and decisions"] = _hash([run.model / BUNDLE])
    return found


def stale_findings(run: RunFolder, folder: str = "after") -> Iterator[Finding]:
    """Yield what the saved predictions of a system were made of and is another now; what is gone is left out."""
    file = run.system(folder) / NAME
    if not file.is_file():
        return
    before = read_json(file)
    now = origin(run, folder)
    changed = [name for name, digest in now.items() if before.get(name, digest) != digest]
    if changed:
        own = any(not name.startswith(SOURCE) for name in changed)
        yield Finding(
            "stale predictions",
            "error" if own else "warning",
            len(changed),
            tuple(changed),
            "these have changed since the predictions were made, so that the scores are not of what stands there now. "
            "Fine-tune again, or score the model on the data as it is (truetune evaluate RUN --data FILE)",
        )


def _hash(paths: Sequence[Path]) -> str:
    """Return the SHA-256 of a file; of several files, and of a folder, that of their names and contents."""
    if len(paths) == 1 and paths[0].is_file():
        with paths[0].open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    found = hashlib.sha256()
    for path in paths:
        inside = sorted(one for one in path.rglob("*") if one.is_file()) if path.is_dir() else [path]
        for one in inside:
            found.update(f"{one.name}\0{_hash([one])}\n".encode())
    return found.hexdigest()
