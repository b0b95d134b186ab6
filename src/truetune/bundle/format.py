"""What ships with the weights: `truetune.json`, which says how texts become inputs and outputs answers.

Beside it stand the files that plain Transformers reads (config, safetensors, tokenizer). No pickle.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from truetune import __version__
from truetune.errors import ModelError
from truetune.files import read_json, write_json

FORMAT = 1
"""Raised when a bundle of an older format can no longer be read as it is."""

NAME = "truetune.json"
FORBIDDEN = (".bin", ".pt", ".pth", ".pkl", ".pickle", ".ckpt", ".joblib", ".msgpack", ".h5")
"""Endings of files that may hold a pickle or other code; a bundle with one is refused."""


@dataclass(frozen=True)
class Bundle:
    """How a fine-tuned model is used; the weights stand beside it."""

    task: str
    labels: tuple[str, ...]
    multiple: bool
    max_length: int
    base_model: str
    framework: str = "pytorch"
    threshold: float = 0.5
    """From which score on a label of a multi-label task is given."""
    scores: tuple[Mapping[str, Any], ...] = field(default=())
    """Scores on the test part, as `evaluate` prints them."""
    truetune: str = __version__


def write_bundle(folder: Path, bundle: Bundle) -> None:
    """Write `truetune.json` into a folder of weights."""
    write_json(folder / NAME, {"format": FORMAT, **asdict(bundle)})


def read_bundle(folder: Path) -> Bundle:
    """Read `truetune.json`; a bundle of another format, or one with a file that may run code, is refused."""
    file = folder / NAME
    if not file.is_file():
        raise ModelError(
            f"{folder}: holds no {NAME}, so it is no truetune model; give a run folder or its `model` folder"
        )
    for other in sorted(folder.rglob("*")):
        if other.suffix.lower() in FORBIDDEN:
            raise ModelError(f"{other}: may hold code (pickle); a bundle holds safetensors only. Remove the file")
    try:
        stored = read_json(file)
        version = stored.pop("format")
        if version != FORMAT:
            raise ModelError(
                f"{file}: has format {version}, this truetune reads format {FORMAT}; "
                f"use truetune {stored.get('truetune', 'of another version')}"
            )
        bundle = Bundle(**stored)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ModelError(f"{file}: is damaged ({error}); export the model again from its run") from None
    return Bundle(**{**asdict(bundle), "labels": tuple(bundle.labels), "scores": tuple(bundle.scores)})
