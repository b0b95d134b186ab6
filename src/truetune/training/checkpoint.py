"""Checkpoints: one safetensors file each, values as JSON in its header, written whole or not at all.

A file is written beside its place under a temporary name, flushed to disk and renamed, so a process that is
killed, or a disk that fills up, leaves the last whole checkpoint as it was. No pickle.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from truetune.backbones.base import State
from truetune.errors import RunError
from truetune.files import whole_file

FORMAT = 1
_KEY = "truetune"


@dataclass(frozen=True)
class Checkpoint:
    """What a run needs to go on: the backbone's state, and where the loop stood (JSON values)."""

    state: State
    loop: Mapping[str, Any]


@dataclass(frozen=True)
class Checkpoints:
    """The checkpoints of one run: `last.safetensors` to resume from, `best.safetensors` to end with."""

    folder: Path
    seconds: float = 60.0
    """Least time between two `last` checkpoints; 0: at every step."""
    every: int | None = None
    """Also keep one at every so many steps, as `step-NUMBER.safetensors`."""

    @property
    def last(self) -> Path:
        """Where training resumes."""
        return self.folder / "last.safetensors"

    @property
    def best(self) -> Path:
        """The weights that scored best."""
        return self.folder / "best.safetensors"

    def remove(self) -> None:
        """Remove what was kept to go on from; checkpoints that are kept at every so many steps stay."""
        if not self.folder.exists():
            return
        for path in self.folder.iterdir():
            if not path.name.startswith("step-"):
                path.unlink()
        if not any(self.folder.iterdir()):
            self.folder.rmdir()

    def kept(self, step: int) -> Path | None:
        """Return where the checkpoint of this step is kept, if it is."""
        if self.every is None or step % self.every:
            return None
        return self.folder / f"step-{step:08d}.safetensors"


def write_checkpoint(path: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint, whole or not at all; raises RunError where the disk refuses it."""
    from safetensors import SafetensorError
    from safetensors.numpy import save_file

    header = {"format": FORMAT, "loop": checkpoint.loop, "values": checkpoint.state.values}
    arrays = {name: np.ascontiguousarray(one) for name, one in checkpoint.state.arrays.items()}
    try:
        with whole_file(path) as temporary:
            save_file(arrays, temporary, metadata={_KEY: json.dumps(header, allow_nan=False)})
        _flush_folder(path.parent)
    except (OSError, SafetensorError) as error:
        raise RunError(
            f"{path}: the checkpoint cannot be written ({error}); the one before it is whole. "
            "Make room and go on with --resume"
        ) from error


def read_checkpoint(path: Path) -> Checkpoint:
    """Read a checkpoint; raises RunError where it is missing, damaged or of another format."""
    from safetensors import safe_open

    with _explained(path), safe_open(path, framework="np") as file:
        header = _header(path, file.metadata())
        arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    return Checkpoint(State(arrays, header["values"]), header["loop"])


def resumes_at(path: Path) -> int:
    """Return the step after which a run goes on from this checkpoint; 0 where there is none."""
    from safetensors import safe_open

    if not path.exists():
        return 0
    with _explained(path), safe_open(path, framework="np") as file:
        return int(_header(path, file.metadata())["loop"]["step"])


def _header(path: Path, metadata: Mapping[str, str] | None) -> dict[str, Any]:
    header: dict[str, Any] = json.loads((metadata or {})[_KEY])
    if header.get("format") != FORMAT:
        raise RunError(
            f"{path}: has format {header.get('format')}, this truetune reads format {FORMAT}; "
            "finish the run with the version that began it, or start anew"
        )
    return header


@contextlib.contextmanager
def _explained(path: Path) -> Iterator[None]:
    from safetensors import SafetensorError

    try:
        yield
    except FileNotFoundError:
        raise RunError(f"{path}: there is no checkpoint to go on from; start the run without --resume") from None
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise RunError(f"{path}: the checkpoint is damaged ({error}); remove it and start the run anew") from error


def _flush_folder(folder: Path) -> None:
    """Make a rename last through a loss of power, where the system allows it."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
