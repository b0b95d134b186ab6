"""Checkpoints are whole or not there: what is read is what was written, and a full disk loses nothing."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from truetune.backbones.base import State
from truetune.errors import RunError
from truetune.training.checkpoint import Checkpoint, Checkpoints, read_checkpoint, resumes_at, write_checkpoint

STATE = State({"weight/a": np.arange(6, dtype=np.float32).reshape(2, 3), "steps/a": np.array(3.0)}, {"steps": 3})
CHECKPOINT = Checkpoint(STATE, {"step": 3, "origin": "x", "progress": {"best": None}})


def test_what_is_read_is_what_was_written(tmp_path: Path) -> None:
    path = tmp_path / "checkpoints" / "last.safetensors"
    write_checkpoint(path, CHECKPOINT)
    again = read_checkpoint(path)
    assert again.loop == CHECKPOINT.loop
    assert again.state.values == STATE.values
    assert again.state.arrays.keys() == STATE.arrays.keys()
    for name, array in STATE.arrays.items():
        assert again.state.arrays[name].dtype == array.dtype
        assert (again.state.arrays[name] == array).all()
    assert [file.name for file in path.parent.iterdir()] == ["last.safetensors"]
    assert resumes_at(path) == 3
    assert resumes_at(tmp_path / "none.safetensors") == 0


def test_a_disk_that_fills_up_leaves_the_checkpoint_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "last.safetensors"
    write_checkpoint(path, CHECKPOINT)

    def full(arrays: object, file: Path, metadata: object) -> None:
        file.write_bytes(b"half of it")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("safetensors.numpy.save_file", full)
    with pytest.raises(RunError, match=r"No space left on device.*the one before it is whole"):
        write_checkpoint(path, CHECKPOINT)
    assert read_checkpoint(path).loop["step"] == 3
    assert [file.name for file in tmp_path.iterdir()] == ["last.safetensors"]


def test_missing_damaged_and_foreign_files_are_clear_errors(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "last.safetensors"
    with pytest.raises(RunError, match="there is no checkpoint"):
        read_checkpoint(path)
    write_checkpoint(path, CHECKPOINT)
    path.write_bytes(path.read_bytes()[:-5])
    with pytest.raises(RunError, match="is damaged"):
        read_checkpoint(path)
    save_file({"a": np.zeros(2)}, path)
    with pytest.raises(RunError, match="is damaged"):
        read_checkpoint(path)
    save_file({"a": np.zeros(2)}, path, metadata={"truetune": '{"format": 99}'})
    with pytest.raises(RunError, match="has format 99"):
        read_checkpoint(path)


def test_which_steps_are_kept(tmp_path: Path) -> None:
    assert Checkpoints(tmp_path).kept(10) is None
    every = Checkpoints(tmp_path, every=5)
    assert every.kept(10) == tmp_path / "step-00000010.safetensors"
    assert every.kept(11) is None
